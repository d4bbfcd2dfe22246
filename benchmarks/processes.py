"""Starting a server on core 0 and reading what it costs: seconds of CPU, and memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from servers import HTTP_PORT, Server

__all__ = ["Running", "started"]

_PATIENCE = 120


class Running:
    """A server that answers; ``cold_start`` is the time from its start to its first 200, in seconds."""

    def __init__(self, process: subprocess.Popen[bytes], cold_start: float) -> None:
        self._root = psutil.Process(process.pid)
        self.cold_start = cold_start

    def cpu(self) -> float:
        """Return the CPU time of all its processes so far, in seconds."""
        times = [each.cpu_times() for each in self._all()]
        return sum(each.user + each.system for each in times)

    def memory(self) -> float:
        """Return its memory in MiB: resident pages, those that several processes share divided among them."""
        return sum(each.memory_full_info().pss for each in self._all()) / 2**20

    def _all(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]


@contextmanager
def started(server: Server, model: Path, log: Path) -> Iterator[Running]:
    """Run a server on core 0 until the block ends; its output goes to ``log``."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "PATH": f"{server.venv / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parent / "peers"),
        "BENCH_MODEL": str(model),
        **server.environment,
    }
    command = ["taskset", "--cpu-list", "0", str(server.venv / "bin" / server.command[0]), *server.command[1:]]
    begun = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait(process, server, log)
        yield Running(process, time.perf_counter() - begun)
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}{server.ready}", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.02)
    raise SystemExit(f"{server.name} did not become ready; its log: {log}\n{log.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=20)
    for each in alive:
        each.kill()
    process.wait()
