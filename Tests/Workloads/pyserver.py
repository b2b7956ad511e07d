"""A Python service that serves heap profiles: sampled by mprofile, written by pypprof.

Usage: pyserver.py PORT [fixed]

/order leaks at the line marked with "leaks: order"; /clean asks for as much and drops it.
"""
import http.server
import sys

import mprofile
import pypprof.builder

PORT, FIXED = int(sys.argv[1]), "fixed" in sys.argv

orders = []


def new_order():
    return bytearray(1500)  # leaks: order


def heap_profile():
    snapshot = mprofile.take_snapshot()
    samples = {}
    for statistic in snapshot.statistics("traceback"):
        # pypprof wants the innermost frame first.
        stack = tuple((f.name, f.filename, f.firstlineno, f.lineno) for f in reversed(statistic.traceback))
        count, size = samples.get(stack, (0, 0))
        samples[stack] = (count + statistic.count, size + statistic.size)
    builder = pypprof.builder.Builder()
    builder.populate_profile(samples, "HEAP", "bytes", snapshot.sample_rate, 1)
    return builder.emit()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/debug/pprof/heap"):
            self.answer(heap_profile())
        elif self.path in ("/order", "/clean"):
            order = new_order()
            if self.path == "/order" and not FIXED:
                orders.append(order)
            self.answer(b"ok\n")
        else:
            self.send_error(404)

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


mprofile.start(sample_rate=1)  # every block
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
