"""The stack on other servers than its own: MinIO, somebody else's object store, PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from conftest import (
    TENANTS,
    Stack,
    assert_reads_what_is_released_and_nothing_else,
    eventually,
    free_ports,
    s3,
)

from infra.local.object_store import object_store
from infra.local.secret import Credentials, load_or_generate
from infra.local.settings import Settings

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]


@contextmanager
def running(stack: Stack, **environment: str) -> Iterator[Stack]:
    """Bring a stack up with these variables set for each of its commands, and take it down."""
    stack.environment |= environment
    try:
        yield stack
    finally:
        down = stack.run("infra.local", "down")
        assert down.returncode == 0, down.stderr


def run(stack: Stack, *arguments: str) -> str:
    done = stack.run(*arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def release(stack: Stack) -> str:
    """Go from nothing to two answering tenants, and return what `up` said."""
    said = run(stack, "infra.local", "up")
    run(stack, "training", "--sample", "3000")
    run(stack, "registry", "promote")
    run(stack, "release", "wait")
    assert all(stack.served(tenant) == "1" for tenant in TENANTS)
    return said


def come_back(stack: Stack) -> None:
    """Take the stack down and up again: data and tenants are as before."""
    run(stack, "infra.local", "down")
    run(stack, "infra.local", "up")
    assert "sentiment v1" in run(stack, "registry", "list")
    eventually(lambda: all(stack.served(tenant) == "1" for tenant in TENANTS))


@pytest.mark.skipif(not shutil.which("minio"), reason="NOT RUN: the stack on MinIO, for `minio` is not on PATH")
def test_minio_is_the_store_where_it_is_installed(tmp_path: Path) -> None:
    with running(Stack(tmp_path / "home")) as stack:
        release(stack)
        assert psutil.Process(stack.pid("s3")).name() == "minio"
        endpoint = f"http://127.0.0.1:{stack.environment['FERRYMAN_S3_PORT']}"
        reader = s3(endpoint, load_or_generate(stack.home).reader)
        assert_reads_what_is_released_and_nothing_else(reader)
        come_back(stack)


@pytest.fixture
def foreign_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Run an object store that is none of the stack's, and return the variables that name it."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    (port,) = free_ports(1)
    settings = Settings(home=tmp_path / "foreign", s3_port=port)
    settings.prepare()
    store = object_store(settings, load_or_generate(settings.home))
    assert store.program is not None
    with (settings.home / "log").open("w") as log:
        process = subprocess.Popen(
            store.program.command,
            cwd=store.program.folder,
            env={**os.environ, **store.program.environment},
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: httpx.get(store.endpoint, trust_env=False).status_code < 500)
        yield {**store.publisher.environment(), "AWS_ENDPOINT_URL": store.endpoint}
    finally:
        process.terminate()
        process.wait(20)


def test_a_store_that_somebody_else_runs_holds_artifacts_and_releases(
    tmp_path: Path, foreign_store: dict[str, str]
) -> None:
    with running(Stack(tmp_path / "home"), **foreign_store) as stack:
        assert foreign_store["AWS_ENDPOINT_URL"] in release(stack)
        assert "external" in run(stack, "infra.local", "status")
        keys = Credentials(foreign_store["AWS_ACCESS_KEY_ID"], foreign_store["AWS_SECRET_ACCESS_KEY"])
        held = s3(foreign_store["AWS_ENDPOINT_URL"], keys)
        for bucket in ("mlflow", "released"):
            assert held.list_objects_v2(Bucket=bucket)["KeyCount"] > 0
        come_back(stack)
        for name in foreign_store:
            del stack.environment[name]
        # As `make up` in a shell that does not name the store: nothing is sourced for it.
        command = [sys.executable, "-m", "infra.local", "up"]
        again = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=False)
        assert (again.returncode, "AWS_ENDPOINT_URL" in again.stderr) == (1, True), again.stderr


def test_a_store_that_refuses_the_keys_is_named(tmp_path: Path, foreign_store: dict[str, str]) -> None:
    with running(Stack(tmp_path / "home"), **{**foreign_store, "AWS_SECRET_ACCESS_KEY": "wrong"}) as stack:
        up = stack.run("infra.local", "up")
    assert (up.returncode, f"{foreign_store['AWS_ENDPOINT_URL']} refuses" in up.stderr) == (1, True), up.stderr
    assert "Traceback" not in up.stderr


@pytest.fixture
def database() -> Iterator[str]:
    """Run PostgreSQL on loopback and return its address. It does not run as root: then it runs as `nobody`."""
    # Beside tmp_path, whose parents are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="ferryman-postgres-"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    (port,) = free_ports(1)
    data = str(folder / "data")
    subprocess.run(
        ["initdb", "--pgdata", data, "--username", "mlflow", "--auth", "trust", "--no-sync"],
        user=user,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        ["postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(folder)],
        user=user,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"postgresql://mlflow@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


@pytest.mark.skipif(not shutil.which("postgres"), reason="NOT RUN: MLflow on PostgreSQL, for `postgres` is not on PATH")
def test_postgresql_holds_the_registry_where_it_is_named(tmp_path: Path, database: str) -> None:
    with running(Stack(tmp_path / "home"), MLFLOW_BACKEND_STORE_URI=database) as stack:
        release(stack)
        assert not (stack.home / "mlflow.db").exists()
        come_back(stack)
