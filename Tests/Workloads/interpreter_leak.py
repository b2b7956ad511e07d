"""interpreter_leak.py SECONDS [fixed]: keeps small objects of many kinds, made at the end of call chains of random
depth that pass through C (sorted, map, re.sub, functools.reduce), so that one leak has hundreds of C stacks.
Prints bytes kept (payload only) and seconds."""
import functools
import random
import re
import sys
import time

seconds = float(sys.argv[1])
fixed = len(sys.argv) > 2 and sys.argv[2] == "fixed"
registry = []
random.seed(4)


class Order:
    def __init__(self, number):
        self.number = number
        self.note = "order %d" % number


MAKERS = [
    lambda n: Order(n),
    lambda n: {"number": n, "items": [n, n + 1]},
    lambda n: ("order", str(n) * 20),
    lambda n: b"x" * (100 + n % 50),
    lambda n: [n] * 12,
    lambda n: frozenset((n, n + 1, n + 2)),
]


def keep(n):
    made = random.choice(MAKERS)(n)
    if not fixed:
        registry.append(made)


def through(n, depth):
    if depth == 0:
        keep(n)
        return 0
    way = random.randrange(4)
    if way == 0:
        sorted([1], key=lambda _: through(n, depth - 1))
    elif way == 1:
        list(map(lambda _: through(n, depth - 1), [1]))
    elif way == 2:
        re.sub("a", lambda _: str(through(n, depth - 1)), "a")
    else:
        functools.reduce(lambda _, __: through(n, depth - 1), [1, 2])
    return 0


start = time.monotonic()
tick = 0
while time.monotonic() - start < seconds:
    tick += 1
    while (time.monotonic() - start) * 400 < tick:
        time.sleep(0.001)
    through(tick, random.randrange(7))
print(len(registry), round(time.monotonic() - start, 3))
