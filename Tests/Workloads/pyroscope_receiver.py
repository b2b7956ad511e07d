"""Takes what is pushed to Pyroscope's push API: `pyroscope_receiver.py PORT FOLDER FAILURES [PEM]`.

Answers the first FAILURES requests with 503. Writes each profile that it takes as FOLDER/N.pb.gz, and to FOLDER/log a
line of its labels and of the credentials that came with it. Requests are JSON, or protobuf as Pyroscope's clients send it
(push.v1, PushRequest). With PEM, a file of a certificate and its key, it speaks TLS.
"""

import gzip
import http.server
import json
import os
import ssl
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

port, folder, failures = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
taken = 0


def push_request():
    """The message class of a request."""
    file = descriptor_pb2.FileDescriptorProto(name="push.proto", package="push.v1")
    messages = {
        "LabelPair": [("name", "string"), ("value", "string")],
        "RawSample": [("rawProfile", "bytes"), ("ID", "string")],
        "RawProfileSeries": [("labels", "LabelPair"), ("samples", "RawSample")],
        "PushRequest": [("series", "RawProfileSeries")],
    }
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, 1):
            new = message.field.add(name=field, number=number, label=1, json_name=field)
            if kind in messages:
                new.label, new.type, new.type_name = 3, 11, f".push.v1.{kind}"
            else:
                new.type = {"string": 9, "bytes": 12}[kind]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("push.v1.PushRequest"))


PushRequest = push_request()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global failures, taken
        body = self.rfile.read(int(self.headers["content-length"]))
        if failures > 0:
            failures -= 1
            self.send_error(503, "not yet")
            return
        assert self.path == "/push.v1.PusherService/Push", self.path
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        if self.headers["content-type"] == "application/json":
            request = json_format.Parse(body, PushRequest())
        else:
            assert self.headers["content-type"] == "application/proto"
            request = PushRequest.FromString(body)
        for series in request.series:
            labels = {label.name: label.value for label in series.labels}
            for sample in series.samples:
                taken += 1
                with open(os.path.join(folder, f"{taken}.pb.gz"), "wb") as file:
                    file.write(sample.rawProfile)
                with open(os.path.join(folder, "log"), "a") as file:
                    credentials = self.headers["authorization"]
                    file.write(json.dumps({"labels": labels, "credentials": credentials, "id": sample.ID}) + "\n")
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", port), Receiver)
if len(sys.argv) > 4:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
