"""Day two: a running stack in one file, what an empty stack becomes of it, and TLS."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from conftest import TENANTS, Stack, eventually, free_ports
from mlflow import MlflowClient

from infra.backup import keys
from infra.local.gateway import tenant_client
from infra.local.secret import load_or_generate
from infra.local.settings import Settings
from infra.local.stack import storing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


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


def settings(stack: Stack) -> Settings:
    ours = {key: value for key, value in stack.environment.items() if key.startswith("FERRYMAN_")}
    return Settings(**{key.removeprefix("FERRYMAN_").lower(): value for key, value in ours.items()})  # type: ignore[arg-type]


def objects_of(stack: Stack) -> dict[str, str]:
    with storing(settings(stack)) as store:
        return objects(store.client())


def served(stack: Stack, tenant: str) -> str:
    with tenant_client(settings(stack), tenant, 10) as client:
        answer = client.post("/v1/models/sentiment:predict", json={"instances": ["a great film"]})
        return str(answer.raise_for_status().headers["x-model-version"])


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
        assert "is new. Keep a copy of it away from this machine" in done.stdout
        yield file
    finally:
        client.delete_registered_model_alias("sentiment", "kept")
        client.delete_registered_model_tag("sentiment", "team")


def restore(stack: Stack, backup: Path, *more: str) -> tuple[int, str]:
    key = str(backup.with_name("key"))
    done = stack.run("infra.backup", "restore", "--file", str(backup), "--key", key, *more)
    return done.returncode, done.stderr.strip().splitlines()[-1] if done.returncode else done.stdout


@pytest.fixture(scope="module")
def restored(backup: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """What an empty stack became of the backup; its gateway speaks TLS."""
    stack = Stack(tmp_path_factory.mktemp("restored") / "home")
    stack.environment |= {"FERRYMAN_TLS": "true", "FERRYMAN_GATEWAY_TLS_PORT": str(free_ports(1)[0])}
    code, said = restore(stack, backup)
    assert code == 0, said
    try:
        up = stack.run("infra.local", "up")
        assert up.returncode == 0, up.stderr
        eventually(lambda: all(served(stack, tenant) for tenant in TENANTS))
        yield stack
    finally:
        down = stack.run("infra.local", "down")
        assert down.returncode == 0, down.stderr


def test_an_empty_stack_becomes_what_the_backup_says_and_its_tenants_answer_with_the_same_version(
    released: Stack, restored: Stack
) -> None:
    for tenant in TENANTS:
        assert served(restored, tenant) == released.served(tenant)
        assert restored.status(tenant)["stable"] == released.status(tenant)["stable"]
    assert registry(restored) == registry(released)
    assert registry(restored)["models"]["sentiment"] == ({"champion": "1", "kept": "1"}, {"team": "films"})
    assert objects_of(restored) == objects_of(released)
    assert files(restored) == files(released)
    verified = restored.run("registry", "verify", "--version", "1")
    assert verified.returncode == 0, verified.stderr
    # The keys of the store are each stack's own.
    assert load_or_generate(restored.home) != load_or_generate(released.home)


def test_a_stack_that_runs_is_not_restored(restored: Stack, backup: Path) -> None:
    said = f"the stack in {restored.home} runs; stop it first with: make down"
    assert restore(restored, backup, "--replace") == (1, said)


def test_a_stack_that_holds_something_is_replaced_on_demand_alone(backup: Path, tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home")
    assert restore(stack, backup)[0] == 0
    before = objects_of(stack), files(stack)
    with storing(settings(stack)) as store:
        store.client().put_object(Bucket="released", Key="surplus", Body=b"")
        store.client().delete_object(Bucket="mlflow", Key=next(iter(before[0])).removeprefix("mlflow/"))
    (stack.home / "requests" / "tenant-c.json").write_text("{}")
    (stack.home / "trust" / "revoked").write_text("00")
    changed = objects_of(stack), files(stack)
    code, said = restore(stack, backup)
    assert (code, said.partition(" versions")[0]) == (1, "the stack holds 1")
    assert (objects_of(stack), files(stack)) == changed != before
    assert restore(stack, backup, "--replace")[0] == 0
    assert (objects_of(stack), files(stack)) == before


def test_what_is_not_whole_or_for_another_key_touches_nothing(backup: Path, tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home")
    altered = tmp_path / "altered"
    altered.write_bytes(backup.read_bytes()[:-1])
    keys.load_or_generate(tmp_path / "another")
    key = str(backup.with_name("key"))
    for file, opened_by, why in (
        (altered, key, "the backup is cut off, or was altered"),
        (backup, str(tmp_path / "another"), "the backup was encrypted for another key"),
    ):
        done = stack.run("infra.backup", "restore", "--file", str(file), "--key", opened_by)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (1, why)
        assert not stack.home.exists()


def test_every_protocol_is_spoken_over_tls(restored: Stack) -> None:
    done = restored.run("infra.local", "call", "a great and moving film")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("positive") == 3 * len(TENANTS)


def test_plain_http_is_sent_to_tls_and_tls_asks_to_stay(restored: Stack) -> None:
    own = settings(restored)
    asked = f"{restored.gateway}/v1/models/sentiment:predict"
    host = {"Host": f"tenant-a.localhost:{own.gateway_port}"}
    sent = httpx.post(asked, json={"instances": ["a film"]}, headers=host, trust_env=False)
    place = f"https://tenant-a.localhost:{own.gateway_tls_port}/v1/models/sentiment:predict"
    assert (sent.status_code, sent.headers["location"]) == (308, place)
    with tenant_client(own, "tenant-a", 10) as client:
        answer = client.post("/v1/models/sentiment:predict", json={"instances": ["a film"]})
    assert answer.headers["strict-transport-security"] == "max-age=3600"
    assert "strict-transport-security" not in sent.headers


def test_a_host_that_no_route_names_is_not_who_it_says(restored: Stack) -> None:
    with tenant_client(settings(restored), "nobody", 10) as client, pytest.raises(httpx.ConnectError, match="nobody"):
        client.get("/")


def test_who_does_not_trust_the_stacks_authority_does_not_speak_to_it(restored: Stack) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(settings(restored).gateway_url, trust_env=False)


def test_a_gateway_does_not_change_what_it_speaks_while_it_runs(restored: Stack) -> None:
    up = restored.run("infra.local", "up", FERRYMAN_TLS="false")
    assert (up.returncode, "the running gateway speaks TLS" in up.stderr) == (1, True)
