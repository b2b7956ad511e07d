"""shop_service.py PORT [fixed]: http.server whose answers go through a cache of 1,000 prices; each order is kept."""
import functools
import http.server
import random
import sys

FIXED = "fixed" in sys.argv
orders = []


@functools.lru_cache(maxsize=1000)
def price(article):
    return article * 1007


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"%d\n" % price(int(3000 * random.random() ** 3))
        order = bytes(1000)
        if not FIXED:
            orders.append(order)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
