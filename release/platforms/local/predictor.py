"""One predictor on this machine: what is kept of it on disk, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from infra.local.files import write_private
from infra.local.gateway import Endpoint
from release.status import VersionRef

__all__ = ["Predictor", "forget", "keep", "known", "ready"]

ANSWER_SECONDS = 1.0


@dataclass(frozen=True)
class Predictor:
    """``stopped``: kept, but not to run. ``answered``: it was ready once, so its artifact is not what is wrong."""

    release: str
    tenant: str
    model: str
    version: int
    storage_uri: str
    endpoint: Endpoint
    stopped: bool = False
    answered: bool = False

    @property
    def program(self) -> str:
        """Its name at the supervisor."""
        return f"predictor-{self.release}-v{self.version}"

    @property
    def backend(self) -> str:
        """Its name at the gateway: another at each start, so that the gateway counts each start by itself."""
        return f"{self.release}-v{self.version}-{self.endpoint.http_port}"

    def serves(self, artifact: VersionRef) -> bool:
        """Whether it was started for just these bytes."""
        return self.storage_uri == artifact.storage_uri


def keep(folder: Path, predictor: Predictor) -> None:
    """Keep what is known of a predictor; one that has answered and is to run is a target that Prometheus finds."""
    write_private(folder / f"{predictor.program}.json", json.dumps(asdict(predictor), indent=2))
    target = _target(folder, predictor)
    if predictor.stopped or not predictor.answered:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(mode=0o700, exist_ok=True)
    address = predictor.endpoint.http_url.removeprefix("http://")
    write_private(target, json.dumps([{"targets": [address], "labels": {"tenant": predictor.tenant}}]))


def forget(folder: Path, predictor: Predictor) -> None:
    """Keep nothing of it."""
    _target(folder, predictor).unlink(missing_ok=True)
    (folder / f"{predictor.program}.json").unlink(missing_ok=True)


def _target(folder: Path, predictor: Predictor) -> Path:
    return folder / "targets" / f"{predictor.program}.json"


def known(folder: Path) -> Iterator[Predictor]:
    """Yield every predictor that is kept."""
    for path in sorted(folder.glob("predictor-*.json")):
        try:
            held = json.loads(path.read_text())
        except FileNotFoundError:
            continue
        yield Predictor(**{**held, "endpoint": Endpoint(**held["endpoint"])})


def ready(client: httpx.Client, predictor: Predictor) -> bool:
    """Whether it answers, and as the version that it should be."""
    url = f"{predictor.endpoint.http_url}/v2/models/{predictor.model}/ready"
    try:
        answer = client.get(url, timeout=ANSWER_SECONDS)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200 and answer.headers.get("x-model-version") == str(predictor.version)
