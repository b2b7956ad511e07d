"""Keeps 1,000 blocks of 100,000 bytes, slowly enough for a profiler that samples to see it."""

import time

kept = []


def keep_order():
    kept.append(bytearray(100_000))


for _ in range(1000):
    keep_order()
    time.sleep(0.003)
