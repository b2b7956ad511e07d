"""socket_service.py PORT [fixed]: http.server that asks a name server for each request and keeps the socket."""
import http.server
import socket
import sys

FIXED = "fixed" in sys.argv
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        question = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        question.connect(("127.0.0.1", 53))
        if FIXED:
            question.close()
        else:
            asked.append(question)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
