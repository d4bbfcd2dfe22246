"""Runs beside a predictor, in its container: holds so many bytes and computes without a pause, until stdin ends."""

import sys
import threading

held = bytearray(int(sys.argv[1]))
for place in range(0, len(held), 4096):
    held[place] = 1


def compute():
    while True:
        pass


threading.Thread(target=compute, daemon=True).start()
sys.stdin.read()
