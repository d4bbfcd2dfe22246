"""Runs in a container: holds so many bytes and has so many processes compute without a pause, until stdin ends."""

import os
import signal
import sys

held = bytearray(int(sys.argv[1]))
for place in range(0, len(held), 4096):
    held[place] = 1

computing = []
for _ in range(int(sys.argv[2])):
    child = os.fork()
    while not child:
        pass
    computing.append(child)
sys.stdin.read()
for child in computing:
    os.kill(child, signal.SIGKILL)
