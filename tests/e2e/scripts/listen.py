"""Runs in a pod: accepts connections on a port, so that there is something to reach."""

import http.server
import sys

http.server.HTTPServer(("", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
