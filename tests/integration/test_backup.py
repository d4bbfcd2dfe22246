"""A running stack in one file, and what an empty stack becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import TENANTS, Stack, eventually
from mlflow import MlflowClient

from infra.local.secret import load_or_generate
from infra.local.settings import Settings
from infra.local.stack import storing

pytestmark = pytest.mark.timeout(400)


def registry(stack: Stack) -> dict[str, Any]:
    """Every model, alias, version and tag, and every run's numbers."""
    client = MlflowClient(stack.mlflow, stack.mlflow)
    return {
        "models": {each.name: (each.aliases, each.tags) for each in client.search_registered_models()},
        "versions": {
            (each.name, each.version): (each.source, each.run_id, each.status, each.tags)
            for each in client.search_model_versions()
        },
        "runs": {
            run.info.run_id: (run.data.metrics, run.data.params, run.data.tags)
            for experiment in client.search_experiments()
            for run in client.search_runs([experiment.experiment_id])
        },
    }


def objects(s3: boto3.client) -> dict[str, str]:
    """The digest of every object."""
    return {
        f"{bucket}/{found['Key']}": hashlib.sha256(
            s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
        ).hexdigest()
        for bucket in ("mlflow", "released")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for found in page.get("Contents", [])
    }


def objects_of(stack: Stack) -> dict[str, str]:
    ports = {"s3_port": stack.environment["FERRYMAN_S3_PORT"], "gateway_port": "1", "mlflow_port": "2"}
    with storing(Settings(home=stack.home, **ports)) as store:  # type: ignore[arg-type] # as the environment gives them
        return objects(store.client())


def files(stack: Stack) -> dict[str, str]:
    """What people and the gate rely on beside MLflow and the object store."""
    found = [stack.home / name for name in ("releases.yaml", "signing-key.pem", "webhook.json")]
    found += [*(stack.home / "trust").iterdir(), *(stack.home / "requests").iterdir()]
    return {str(path.relative_to(stack.home)): path.read_text() for path in found}


@pytest.fixture(scope="module")
def backup(released: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A backup of the stack that all tests share, taken while it answers."""
    client = MlflowClient(released.mlflow, released.mlflow)
    eventually(lambda: all(f"ferryman.{name}" in client.get_model_version("sentiment", "1").tags for name in TENANTS))
    client.set_registered_model_alias("sentiment", "kept", "1")
    client.set_registered_model_tag("sentiment", "team", "films")
    file = tmp_path_factory.mktemp("backup") / "stack.tar.age"
    try:
        done = released.run("infra.backup", "backup", "--file", str(file), "--key", str(file.with_name("key")))
        assert done.returncode == 0, done.stderr
        assert "without it no backup can be opened" in done.stdout
        yield file
    finally:
        client.delete_registered_model_alias("sentiment", "kept")
        client.delete_registered_model_tag("sentiment", "team")


def restore(stack: Stack, backup: Path, *more: str) -> tuple[int, str]:
    key = str(backup.with_name("key"))
    done = stack.run("infra.backup", "restore", "--file", str(backup), "--key", key, *more)
    return done.returncode, done.stderr.strip().splitlines()[-1] if done.returncode else done.stdout


def test_an_empty_stack_becomes_what_the_backup_says_and_its_tenants_answer_with_the_same_version(
    released: Stack, backup: Path, tmp_path: Path
) -> None:
    other = Stack(tmp_path / "home")
    assert restore(other, backup)[0] == 0
    try:
        up = other.run("infra.local", "up")
        assert up.returncode == 0, up.stderr
        eventually(lambda: all(other.served(tenant) == released.served(tenant) for tenant in TENANTS))
        assert registry(other) == registry(released)
        assert registry(other)["models"]["sentiment"] == ({"champion": "1", "kept": "1"}, {"team": "films"})
        assert objects_of(other) == objects_of(released)
        assert files(other) == files(released)
        for tenant in TENANTS:
            assert other.status(tenant)["stable"] == released.status(tenant)["stable"]
        verified = other.run("registry", "verify", "--version", "1")
        assert verified.returncode == 0, verified.stderr
        # The keys of the store are each stack's own.
        assert load_or_generate(other.home) != load_or_generate(released.home)
        assert restore(other, backup, "--replace") == (
            1,
            f"the stack in {other.home} runs; stop it first with: make down",
        )
    finally:
        down = other.run("infra.local", "down")
        assert down.returncode == 0, down.stderr

    code, said = restore(other, backup)
    assert (code, said.startswith("the stack holds 1 versions and ")) == (1, True)
    before = objects_of(other), files(other)
    ports = {"s3_port": other.environment["FERRYMAN_S3_PORT"]}
    with storing(Settings(home=other.home, **ports)) as store:  # type: ignore[arg-type] # as above
        store.client().put_object(Bucket="released", Key="surplus", Body=b"")
        store.client().delete_object(Bucket="mlflow", Key=next(iter(before[0])).removeprefix("mlflow/"))
    (other.home / "requests" / "tenant-c.json").write_text("{}")
    (other.home / "trust" / "revoked").write_text("")
    assert restore(other, backup, "--replace")[0] == 0
    assert (objects_of(other), files(other)) == before


def test_what_is_not_whole_or_for_another_key_touches_nothing(backup: Path, tmp_path: Path) -> None:
    other = Stack(tmp_path / "home")
    altered = tmp_path / "altered"
    altered.write_bytes(backup.read_bytes()[:-1])
    altered.with_name("key").write_bytes(backup.with_name("key").read_bytes())
    assert restore(other, altered) == (1, "the backup is cut off, or was altered")
    other.run("infra.backup", "backup", "--file", str(tmp_path / "none"), "--key", str(tmp_path / "another"))
    done = other.run("infra.backup", "restore", "--file", str(backup), "--key", str(tmp_path / "another"))
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "the backup was encrypted for another key")
    assert not (other.home / "mlflow.db").exists()
