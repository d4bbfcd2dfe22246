"""A cluster, through kubectl: what it does is what people can do by hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import yaml

from infra.platform.errors import PlatformError

__all__ = ["Cluster", "kubectl_binary"]

Object = dict[str, Any]

_MANAGER = "ferryman"
_LOG_LINE = re.compile(r"[EWI]\d{4} ")
_FORWARDED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


def kubectl_binary() -> str:
    """Return the kubectl to use: ``KUBECTL``, or the one on PATH.

    Raises:
        PlatformError: there is none.
    """
    found = shutil.which(os.environ.get("KUBECTL", "kubectl"))
    if found is None:
        raise PlatformError("kubectl is not on PATH; install it, or name it in KUBECTL")
    return found


class Cluster:
    """The cluster that ``KUBECONFIG`` (or kubectl's default) names."""

    def __init__(self) -> None:
        self._kubectl = kubectl_binary()

    def kubectl(self, *arguments: str, given: str | None = None, seconds: float = 120) -> str:
        """Run kubectl and return what it printed.

        Raises:
            PlatformError: it failed; the message is what kubectl said, without its log lines.
        """
        try:
            done = subprocess.run(
                [self._kubectl, *arguments], input=given, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PlatformError(f"kubectl {' '.join(arguments[:3])}: no answer within {seconds:.0f} s") from error
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if not _LOG_LINE.match(line)]
            raise PlatformError("\n".join(said).strip() or f"kubectl {' '.join(arguments[:3])} failed")
        return done.stdout

    def apply(self, objects: Sequence[Object], *, manager: str = _MANAGER) -> None:
        """Apply objects server-side, as the one owner of the fields that they set."""
        text = yaml.safe_dump_all(objects)
        self.kubectl("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", "-f", "-", given=text)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return one object, or None when it is not there."""
        place = ["--namespace", namespace] if namespace else []
        said = self.kubectl("get", kind, name, *place, "--ignore-not-found", "--output=json")
        return dict(json.loads(said)) if said.strip() else None

    def find(self, kind: str, selector: str, namespace: str | None = None) -> list[Object]:
        """Return the objects with these labels, in one namespace or in all."""
        place = ["--namespace", namespace] if namespace else ["--all-namespaces"]
        said = self.kubectl("get", kind, *place, f"--selector={selector}", "--output=json")
        return list(json.loads(said)["items"])

    def exec_command(self, namespace: str, workload: str, container: str) -> list[str]:
        """Return the command that runs what is added to it in a container, with our input and output."""
        place = ["--namespace", namespace, workload, "--container", container]
        return [self._kubectl, "exec", "--stdin", *place, "--"]

    @contextmanager
    def forward(self, namespace: str, service: str, port: int) -> Iterator[int]:
        """Open a port on loopback that leads to a Service, and yield its number.

        Raises:
            PlatformError: nothing listens there.
        """
        command = [self._kubectl, "port-forward", "--namespace", namespace, f"service/{service}", f":{port}"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            said = process.stdout.readline() if process.stdout else ""
            match = _FORWARDED.match(said)
            if match is None:
                raise PlatformError(f"{service} in {namespace} cannot be reached: {said.strip()}")
            yield int(match[1])
        finally:
            process.terminate()
            process.wait(timeout=10)
