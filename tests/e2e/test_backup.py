"""The cluster into one encrypted file, and back over what changed since, while tenants answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from live import TENANTS, Live, command
from pods import eventually, load

from infra.backup import job, keys
from infra.backup.archive import Manifest
from infra.backup.progress import Terminal
from infra.platform.keys import ensure_secret

MODEL = {"name": "sentiment"}
# Longer than the controller waits before it tells the registry again (release/report.py).
_QUIET_SECONDS = 6


@contextmanager
def mlflow(live: Live, user: tuple[str, str]) -> Iterator[httpx.Client]:
    with (
        live.cluster.forward("mlflow", "mlflow", 5000) as port,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/2.0/mlflow", auth=user, trust_env=False, timeout=60
        ) as client,
    ):
        yield client


def admin(live: Live) -> tuple[str, str]:
    return "admin", ensure_secret(live.cluster, "mlflow", "mlflow", dict)["admin-password"]


def trainer(live: Live) -> tuple[str, str]:
    held = ensure_secret(live.cluster, "training", "training", dict)
    return held["MLFLOW_TRACKING_USERNAME"], held["MLFLOW_TRACKING_PASSWORD"]


def registered(live: Live, user: tuple[str, str]) -> Any:
    """Every alias, version and tag of the model."""
    with mlflow(live, user) as client:
        model = client.get("registered-models/get", params=MODEL).raise_for_status().json()
        asked = {"filter": "name = 'sentiment'", "max_results": 1000}
        return in_order((model, client.get("model-versions/search", params=asked).raise_for_status().json()))


def in_order(found: Any) -> Any:
    """What the registry says, with its lists sorted: it says tags in any order."""
    if isinstance(found, dict):
        return {key: in_order(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return sorted(map(in_order, found), key=lambda each: json.dumps(each, sort_keys=True))
    return found


def backup(folder: Path, name: str) -> Manifest:
    file, key = folder / name, folder / "key"
    command("infra.backup", "backup", "--cluster", "--file", str(file), "--key", str(key))
    with job.opened(file) as opened, Terminal() as bars:
        return job.verify(opened, keys.load(key), bars)


def fixed(manifest: Manifest) -> dict[str, str]:
    """What has to be the same byte for byte: a dump holds the time of its making, a release lives on."""
    same = ("objects/", "keys/")
    return {name: each.sha256 for name, each in manifest.pieces.items() if name.startswith(same)}


def settled(live: Live, tenant: str) -> bool:
    """Whether nothing more becomes of the tenant's releases, the version before is gone, and the registry knows."""
    status = live.cluster.get("modelrelease", "sentiment", tenant)["status"]
    return "previous" not in status and status.get("reported") == status["history"][-1]["number"]


def at_rest(live: Live) -> Any:
    """What is registered, once nobody tells the registry more of what tests before this one did."""
    eventually(lambda: all(settled(live, tenant) for tenant in TENANTS), seconds=90)
    found = None
    while (now := registered(live, admin(live))) != found:
        found = now
        time.sleep(_QUIET_SECONDS)
    return found


def test_a_cluster_comes_back_from_its_backup_and_no_request_fails_meanwhile(serving: Live, tmp_path: Path) -> None:
    before = at_rest(serving), {tenant: serving.served(tenant) for tenant in TENANTS}
    first = backup(tmp_path, "first")
    assert {f"releases/{tenant}/sentiment.json" for tenant in TENANTS} <= first.pieces.keys()
    with mlflow(serving, admin(serving)) as client:
        tag = {**MODEL, "key": "e2e", "value": "later"}
        client.post("registered-models/set-tag", json=tag).raise_for_status()
        alias = {**MODEL, "alias": "later", "version": next(iter(before[1]["tenant-a"]))}
        client.post("registered-models/alias", json=alias).raise_for_status()
    with serving.s3("release", "publisher") as s3:
        s3.put_object(Bucket="released", Key="sentiment/later", Body=b"")

    with load(serving.host("tenant-a")) as counted:
        place = ("--cluster", "--file", str(tmp_path / "first"), "--key", str(tmp_path / "key"))
        command("infra.backup", "restore", "--replace", *place)
    assert counted.total > 100
    assert counted.lost == 0, counted.faults

    assert registered(serving, admin(serving)) == before[0]
    assert registered(serving, trainer(serving)) == before[0]
    assert {tenant: serving.served(tenant) for tenant in TENANTS} == before[1]
    assert fixed(backup(tmp_path, "second")) == fixed(first)
    for tenant in TENANTS:
        said = serving.cluster.kubectl("get", "modelrelease", "sentiment", f"--namespace={tenant}", "--output=json")
        kept = json.loads(said)["status"]
        assert kept["phase"] == "Stable"
        eventually(lambda tenant=tenant: serving.ask(tenant)["v1"][0] == 200, seconds=20)
