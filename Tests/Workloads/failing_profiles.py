"""Hands on the profiles of another service, then fails.

Usage: failing_profiles.py PORT UPSTREAM COUNT FAILURE

UPSTREAM is the other service's host:port. The first COUNT requests for profiles are answered with what it answers; of the
later ones each fails in the way that FAILURE names, a method of Handler. Names are not looked up (POST is refused).
"""
import gzip
import http.server
import os
import sys
import time
import urllib.request

PORT, UPSTREAM, COUNT, FAILURE = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]


class Handler(http.server.BaseHTTPRequestHandler):
    answered = 0

    def do_GET(self):
        Handler.answered += self.path.startswith(("/debug/pprof/heap?gc=1", "/debug/pprof/goroutine"))
        if Handler.answered > COUNT:
            getattr(self, FAILURE)()
        else:
            self.answer(self.profile())

    def profile(self):
        with urllib.request.urlopen(f"http://{UPSTREAM}{self.path}") as answer:
            return answer.read()

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def dies(self):
        os._exit(3)

    def refuses(self):
        self.server.socket.close()
        self.connection.close()

    def missing(self):
        self.answer(b"404 page not found\n", 404)

    def broken(self):
        self.answer(b"out of memory\n", 500)

    def page(self):
        self.answer(b"<!doctype html><title>Sign in</title>\n")

    def text(self):
        self.answer(b"heap profile: 1: 96 [1: 96] @ heap/1048576\n")

    def processor(self):
        self.path = "/debug/pprof/profile?seconds=1"
        self.answer(self.profile())

    def damaged(self):
        body = bytearray(self.profile())
        for position in range(len(body) // 2, len(body) // 2 + 40):
            body[position] ^= 0x5A
        self.answer(bytes(body))

    def short(self):
        self.answer(gzip.compress(gzip.decompress(self.profile())[:-7]))

    def empty(self):
        self.answer(b"")

    def huge(self):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(bytes(1 << 20))
        except OSError:
            pass

    def hangs(self):
        time.sleep(600)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer.daemon_threads = True
with http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler) as server:
    server.serve_forever()
