"""Runs in a pod: a webhook that prints each alert that arrives, as one line of JSON."""

import http.server
import json
import sys


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for each in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]:
            print(json.dumps([each["status"], each["labels"]["tenant"], each["labels"]["alertname"]]), flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.HTTPServer(("", int(sys.argv[1])), Webhook).serve_forever()
