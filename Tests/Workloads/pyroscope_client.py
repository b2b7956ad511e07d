"""Pyroscope's own client for Python: `pyroscope_client.py PORT` burns processor time until it has pushed, a while."""

import sys
import time

import pyroscope

pyroscope.configure(
    application_name="shop.server",
    server_address=f"http://127.0.0.1:{sys.argv[1]}",
    tags={"env": "staging"},
    sample_rate=100,
)
end = time.time() + 3
while time.time() < end:
    sum(range(1000))
pyroscope.shutdown()
