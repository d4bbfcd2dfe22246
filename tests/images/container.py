"""An image as a cluster runs it: under runc, on a read-only root, as nobody's user, with nothing but its /tmp."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

__all__ = ["TMP", "Container", "Image"]

TMP = "/tmp"  # noqa: S108 # the container's own
_count = itertools.count()


@dataclass(frozen=True)
class Image:
    """What was built: its files, what its configuration says, and the list of what it holds."""

    root: Path
    config: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def entrypoint(self) -> list[str]:
        return list(self.config["Entrypoint"])


class Container:
    """One run of an image. Its network is this machine's loopback, for the callers are outside."""

    def __init__(
        self,
        image: Image,
        bundle: Path,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        mounts: Mapping[str, Path] | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        """``mounts`` are seen read-only, ``limits`` are runc's resources."""
        self.name = f"ferryman-test-{os.getpid()}-{next(_count)}"
        self._bundle = bundle
        bundle.mkdir()
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        spec = json.loads((bundle / "config.json").read_text())
        spec["root"] = {"path": str(image.root), "readonly": True}
        user, group = map(int, image.config["User"].split(":"))
        variables = {"HOME": TMP, "MPLCONFIGDIR": f"{TMP}/matplotlib", **(environment or {})}
        spec["process"] |= {
            "terminal": False,
            "user": {"uid": user, "gid": group},
            "cwd": image.config["WorkingDir"],
            "env": [*image.config["Env"], *(f"{key}={value}" for key, value in variables.items())],
            "args": list(command),
            "capabilities": {},
            "noNewPrivileges": True,
        }
        tmp = {"type": "tmpfs", "source": "tmpfs", "destination": TMP, "options": ["nosuid", "nodev", "mode=1777"]}
        spec["mounts"] += [tmp]
        for place, source in (mounts or {}).items():
            spec["mounts"] += [{"type": "bind", "source": str(source), "destination": place, "options": ["bind", "ro"]}]
        spec["linux"]["namespaces"] = [each for each in spec["linux"]["namespaces"] if each["type"] != "network"]
        spec["linux"]["resources"] |= dict(limits or {})
        spec["linux"]["cgroupsPath"] = f"/{self.name}"
        (bundle / "config.json").write_text(json.dumps(spec))

    @property
    def log(self) -> str:
        return (self._bundle / "log").read_text()

    def __enter__(self) -> Container:
        with (self._bundle / "log").open("wb") as log:
            command = ["runc", "run", "--bundle", str(self._bundle), self.name]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["runc", "delete", "--force", self.name], check=False, capture_output=True)
        self._process.wait(timeout=30)

    def answers(self, url: str) -> None:
        """Wait for 200; a container that ends, or takes three minutes, fails with its log."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(url, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
        raise AssertionError(self.log)

    def wait(self, seconds: float) -> int:
        return self._process.wait(timeout=seconds)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["runc", "exec", self.name, *command], capture_output=True, text=True, check=False)

    def memory(self) -> int:
        state = json.loads(subprocess.run(["runc", "state", self.name], capture_output=True, check=True).stdout)
        return int(psutil.Process(state["pid"]).memory_info().rss)

    def terminate(self) -> int:
        subprocess.run(["runc", "kill", self.name, "TERM"], check=True)
        return self._process.wait(timeout=60)
