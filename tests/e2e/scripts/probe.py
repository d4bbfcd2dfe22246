"""Runs in a pod: tries to connect to each HOST:PORT and prints which are open, as JSON."""

import concurrent.futures
import json
import socket
import sys


def is_open(target):
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True


with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(json.dumps(dict(zip(sys.argv[1:], pool.map(is_open, sys.argv[1:]), strict=True))))
