"""Runs in a pod: asks through the gateway from some threads until stdin ends; prints how often what was answered."""

import collections
import http.client
import json
import sys
import threading
import time

gateway, host, threads, texts, pause = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]), float(sys.argv[5])
body = json.dumps({"instances": [sys.argv[6]] * texts})
stop = threading.Event()
lock = threading.Lock()
codes, versions, faults, first, last = collections.Counter(), collections.Counter(), [], {}, {}


def work():
    connection = http.client.HTTPConnection(gateway, 80, timeout=30)
    while not stop.is_set():
        begun = time.time()
        try:
            headers = {"Host": host, "Content-Type": "application/json"}
            connection.request("POST", "/v1/models/sentiment:predict", body, headers)
            answer = connection.getresponse()
            answer.read()
            code, version = str(answer.status), answer.headers.get("x-model-version")
            if code == "429":
                # A predictor that is too busy asks to come again, and a client does.
                time.sleep(float(answer.headers.get("retry-after", 1)))
                continue
        except Exception as error:
            code, version = type(error).__name__, None
            connection.close()
        with lock:
            codes[code] += 1
            versions[version] += 1
            first.setdefault(version, begun)
            last[version] = begun
            if code != "200" and len(faults) < 20:
                faults.append({"at": begun, "after": round(time.time() - begun, 3), "code": code})
        time.sleep(pause)


workers = [threading.Thread(target=work) for _ in range(threads)]
for worker in workers:
    worker.start()
sys.stdin.read()
stop.set()
for worker in workers:
    worker.join()
print(json.dumps({"codes": codes, "versions": versions, "faults": faults, "first": first, "last": last}))
