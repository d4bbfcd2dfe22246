"""One real stack for all integration tests, on free ports and in a folder of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from stacks import SAMPLE, TENANTS, Stack, eventually, free_ports, suspended

from infra.local.secret import Credentials

__all__ = [
    "SAMPLE",
    "TENANTS",
    "Answers",
    "Stack",
    "assert_reads_what_is_released_and_nothing_else",
    "eventually",
    "free_ports",
    "s3",
    "suspended",
    "under_load",
]

Answers = dict[str, list[tuple[int, str]]]


@contextmanager
def under_load(stack: Stack) -> Iterator[Answers]:
    """Ask every tenant, over and over; yield each answer's status code and version, by tenant."""
    stop = threading.Event()
    answers: Answers = {tenant: [] for tenant in TENANTS}

    def ask(tenant: str) -> None:
        with stack.caller(tenant) as call:
            while not stop.wait(0.03):
                answer = call(["a great film"])
                answers[tenant].append((answer.status_code, answer.headers.get("x-model-version", "")))

    callers = [threading.Thread(target=ask, args=(tenant,)) for tenant in TENANTS]
    for caller in callers:
        caller.start()
    try:
        yield answers
    finally:
        stop.set()
        for caller in callers:
            caller.join()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack(tmp_path_factory.mktemp("stack") / "home")
    try:
        up = started.run("infra.local", "up")
        assert up.returncode == 0, up.stderr
        yield started
    finally:
        down = started.run("infra.local", "down")
        assert down.returncode == 0, down.stderr


@pytest.fixture(scope="session")
def released(stack: Stack) -> Stack:
    """Two tenants that answer with version 1."""
    trained = stack.run("training", "--sample", SAMPLE)
    assert trained.returncode == 0, trained.stderr
    promoted = stack.run("registry", "promote")
    assert promoted.returncode == 0, promoted.stderr
    waited = stack.run("release", "wait")
    assert waited.returncode == 0, waited.stderr
    return stack


def s3(endpoint: str, keys: Credentials) -> boto3.client:
    """Return a client that reports a fault at once."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}),
    )


def assert_reads_what_is_released_and_nothing_else(reader: boto3.client) -> None:
    assert reader.list_objects_v2(Bucket="released")["KeyCount"] > 0
    for refused in (
        lambda: reader.list_objects_v2(Bucket="mlflow"),
        lambda: reader.put_object(Bucket="released", Key="sentiment/x", Body=b""),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()
