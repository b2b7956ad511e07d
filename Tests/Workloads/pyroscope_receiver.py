"""Takes what is pushed to Pyroscope's push API: `pyroscope_receiver.py PORT FOLDER FAILURES`.

Answers the first FAILURES requests with 503. Writes each profile that it takes as FOLDER/N.pb.gz, and to FOLDER/log a
line of its labels and of the credentials that came with it.
"""

import base64
import http.server
import json
import os
import sys

port, folder, failures = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
taken = 0


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global failures, taken
        body = self.rfile.read(int(self.headers["content-length"]))
        if failures > 0:
            failures -= 1
            self.send_error(503, "not yet")
            return
        assert self.path == "/push.v1.PusherService/Push", self.path
        assert self.headers["content-type"] == "application/json"
        for series in json.loads(body)["series"]:
            labels = {label["name"]: label["value"] for label in series["labels"]}
            for sample in series["samples"]:
                taken += 1
                with open(os.path.join(folder, f"{taken}.pb.gz"), "wb") as file:
                    file.write(base64.b64decode(sample["rawProfile"], validate=True))
                with open(os.path.join(folder, "log"), "a") as file:
                    credentials = self.headers["authorization"]
                    file.write(json.dumps({"labels": labels, "credentials": credentials, "id": sample["ID"]}) + "\n")
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


http.server.HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
