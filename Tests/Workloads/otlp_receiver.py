"""Takes OpenTelemetry profiles: `otlp_receiver.py PORT FOLDER REFUSAL`.

REFUSAL is `none`, or what the second request is answered with: `invalid` (400) or `partial` (success that says that
nothing was taken). Decodes with OpenTelemetry's own definitions, checks that every index leads somewhere, and writes to
FOLDER/log a line of what came.
"""

import gzip
import http.server
import json
import os
import sys

from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
    ExportProfilesServiceResponse,
)

port, folder, refusal = int(sys.argv[1]), sys.argv[2], sys.argv[3]
requests = 0


def summary(message):
    tables = message.dictionary
    texts = tables.string_table
    assert texts[0] == ""
    for name in ("mapping", "location", "function", "link", "attribute", "stack"):
        table = getattr(tables, name + "_table")
        assert table[0] == type(table[0])(), name

    def attributes(record):
        pairs = [tables.attribute_table[index] for index in record.attribute_indices]
        return {texts[pair.key_strindex]: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}

    def name(line):
        return texts[tables.function_table[line.function_index].name_strindex]

    for location in tables.location_table[1:]:
        assert attributes(location) == {"profile.frame.type": "native"}
        assert location.mapping_index < len(tables.mapping_table)
    build_ids = {
        texts[mapping.filename_strindex]: attributes(mapping).get("process.executable.build_id.gnu")
        for mapping in tables.mapping_table[1:]
    }
    (resource,) = message.resource_profiles
    (scope,) = resource.scope_profiles
    totals, innermost, labels = {}, {}, {}
    for profile in scope.profiles:
        kind = texts[profile.sample_type.type_strindex] + "/" + texts[profile.sample_type.unit_strindex]
        assert profile.time_unix_nano > 1_700_000_000_000_000_000
        for sample in profile.samples:
            (value,) = sample.values
            totals[kind] = totals.get(kind, 0) + value
            frames = [
                name(line)
                for index in tables.stack_table[sample.stack_index].location_indices
                for line in tables.location_table[index].lines
            ]
            labels.update(attributes(sample))
            if kind == "inuse_space/bytes" and frames:
                innermost[frames[0]] = innermost.get(frames[0], 0) + value
    return {
        "scope": scope.scope.name,
        "resource": {pair.key: pair.value.string_value for pair in resource.resource.attributes},
        "totals": totals,
        "innermost": innermost,
        "labels": sorted(labels),
        "buildIDs": sum(1 for value in build_ids.values() if value),
    }


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global requests
        requests += 1
        assert self.path == "/v1development/profiles", self.path
        assert self.headers["content-type"] == "application/x-protobuf"
        assert self.headers["content-encoding"] == "gzip"
        body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
        answer = ExportProfilesServiceResponse()
        if refusal == "invalid" and requests == 2:
            self.send_error(400, "no such tenant")
            return
        if refusal == "partial" and requests == 2:
            answer.partial_success.rejected_profiles = 4
            answer.partial_success.error_message = "out of quota"
        else:
            line = summary(ExportProfilesServiceRequest.FromString(body))
            line["credentials"] = self.headers["authorization"]
            with open(os.path.join(folder, "log"), "a") as file:
                file.write(json.dumps(line) + "\n")
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(answer.SerializeToString())

    def log_message(self, *arguments):
        pass


http.server.HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
