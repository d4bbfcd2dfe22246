"""Supervisor (supervisord.org) over its unix socket: start it, ask it, add and remove programs, stop it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.program import MARKER, Program
from infra.local.settings import Settings

__all__ = ["ProcessState", "Supervisor"]

# A unix socket's path may hold 104 bytes (macOS) or 108 (Linux).
_LONGEST_SOCKET_PATH = 100
# Adding a program is "read the configuration, add what is new": two at once would take each other's.
_changing = threading.Lock()


@dataclass(frozen=True)
class ProcessState:
    """What the supervisor says of one program: its state in supervisor's own words, and its process id (0: none)."""

    name: str
    state: str
    pid: int
    seconds: int

    @property
    def running(self) -> bool:
        """Whether the process is there, or about to be."""
        return self.state in ("RUNNING", "STARTING")

    @property
    def failed(self) -> bool:
        """Whether it ended by itself."""
        return self.state in ("FATAL", "BACKOFF", "EXITED")


class Supervisor:
    """The process supervisor of one stack."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.home / "supervisor"
        self._programs = self._folder / "programs"
        self._socket = self._folder / "socket"
        if len(str(self._socket)) > _LONGEST_SOCKET_PATH:
            name = hashlib.sha256(str(self._socket).encode()).hexdigest()[:16]
            self._socket = Path(tempfile.gettempdir()) / f"ferryman-{os.getuid()}-{name}"

    def _call(self) -> Any:
        # A connection of its own for each call: a proxy is not safe to share between threads.
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        return xmlrpc.client.ServerProxy("http://localhost", transport=transport).supervisor

    def alive(self) -> bool:
        """Whether the supervisor answers."""
        try:
            return bool(self._call().getState()["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def start(self, programs: Iterable[Program], environment: Mapping[str, str]) -> None:
        """Start the supervisor with these programs; every process inherits ``environment``."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._programs.mkdir(mode=0o700, exist_ok=True)
        for leftover in self._programs.glob("*.conf"):
            leftover.unlink()
        for program in programs:
            self._write(program)
        configuration = self._folder / "supervisord.conf"
        write_private(
            configuration,
            f"[unix_http_server]\nfile={self._socket}\nchmod=0600\n\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
            f"[supervisord]\nlogfile={self._settings.logs / 'supervisord.log'}\nlogfile_maxbytes=1MB\n"
            f"logfile_backups=1\nloglevel=info\npidfile={self._folder / 'supervisord.pid'}\n"
            f"childlogdir={self._settings.logs}\nidentifier=ferryman\nminfds=256\n\n"
            f"[include]\nfiles={self._programs}/*.conf\n",
        )
        started = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
            env={**environment, MARKER: str(self._settings.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        deadline = time.monotonic() + 10
        while started.returncode == 0 and time.monotonic() < deadline:
            if self.alive():
                return
            time.sleep(0.05)
        raise StackError(f"the process supervisor did not start: {started.stderr.strip() or started.stdout.strip()}")

    def add(self, program: Program) -> None:
        """Start a further program; one of the same name is replaced."""
        with _changing:
            self._remove(program.name)
            self._write(program)
            self._call().reloadConfig()
            self._call().addProcessGroup(program.name)

    def remove(self, name: str) -> None:
        """Stop a program (SIGTERM, then SIGKILL after its time) and forget it. Absent: nothing happens."""
        if name in self.states():
            self._quietly("stopProcess", name)
        with _changing:
            self._remove(name)

    def restart_missing(self) -> list[str]:
        """Start every known program that does not run, and return their names."""
        missing = [name for name, state in self.states().items() if not state.running]
        for name in missing:
            self._quietly("startProcess", name, False)
        return missing

    def states(self) -> dict[str, ProcessState]:
        """Return the state of every program by name; empty when the supervisor does not run."""
        try:
            found = self._call().getAllProcessInfo()
        except (OSError, xmlrpc.client.Error):
            return {}
        return {
            each["name"]: ProcessState(
                each["name"], each["statename"], each["pid"], max(0, each["now"] - each["start"])
            )
            for each in found
        }

    def command(self, name: str) -> str:
        """Return the command line that a program was started with; empty for one that is not known."""
        path = self._programs / f"{name}.conf"
        lines = path.read_text().splitlines() if path.exists() else []
        return next((line.removeprefix("command=") for line in lines if line.startswith("command=")), "")

    def shutdown(self) -> int:
        """Stop everything that belongs to this stack, orphans of a killed supervisor included; return how many."""
        ours = self.processes()
        if self.alive():
            # All at once: by itself it ends one program after the other, each with what is under way.
            self._quietly("stopAllProcesses", False)
            self._quietly("shutdown")
            psutil.wait_procs(ours, timeout=45)
        for process in self.processes():
            process.terminate()
        _, stubborn = psutil.wait_procs(self.processes(), timeout=10)
        for process in stubborn:
            process.kill()
        psutil.wait_procs(stubborn, timeout=5)
        self._socket.unlink(missing_ok=True)
        return len(ours)

    def processes(self) -> list[psutil.Process]:
        """Return every live process of this stack, known by the marker in its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARKER) == str(self._settings.home) and process.pid != os.getpid():
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]

    def log_tail(self, name: str, lines: int = 8) -> str:
        """Return the last lines of a program's log."""
        path = self._settings.logs / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else "(no log)"

    def _write(self, program: Program) -> None:
        write_private(self._programs / f"{program.name}.conf", program.section(self._settings.logs))

    def _remove(self, name: str) -> None:
        (self._programs / f"{name}.conf").unlink(missing_ok=True)
        if name in self.states():
            self._quietly("stopProcess", name)
            self._quietly("removeProcessGroup", name)

    def _quietly(self, method: str, *arguments: object) -> None:
        # Faults say "already so" (not running, already started): the state that was asked for.
        try:
            getattr(self._call(), method)(*arguments)
        except xmlrpc.client.Fault:
            return
