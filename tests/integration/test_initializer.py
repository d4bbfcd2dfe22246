"""What KServe runs before a predictor, against a real object store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from conftest import Stack


def _variables(stack: Stack) -> dict[str, str]:
    command = ["/bin/sh", "-c", f'. "{stack.home}/env"; env']
    done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def _s3(stack: Stack) -> Any:
    variables = _variables(stack)
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )


def _initialize(stack: Stack, uri: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inference.initializer", uri, str(folder)],
        env={**os.environ, **_variables(stack)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def uri(released: Stack) -> str:
    found = _s3(released).list_objects_v2(Bucket="released", Prefix="sentiment/1-")["Contents"][0]["Key"]
    return "s3://released/" + "/".join(found.split("/")[:2]) + "/"


def test_the_artifact_and_what_was_verified_lie_side_by_side_also_after_a_second_run(
    released: Stack, uri: str, tmp_path: Path
) -> None:
    for _ in range(2):
        done = _initialize(released, uri, tmp_path)
        assert done.returncode == 0, done.stderr
        verified = json.loads((tmp_path / "verified.json").read_text())
        assert verified["storageUri"] == uri
        assert uri.rstrip("/").endswith(verified["digest"][:12])
        assert (tmp_path / "artifact" / "model.skops").is_file()
        (tmp_path / "artifact" / "left behind").write_text("by a container that was killed")


def _copied(stack: Stack, uri: str, name: str, changed: str | None = None) -> str:
    """Publish the files of an artifact at another address, one of them with a byte more."""
    s3, old = _s3(stack), uri.removeprefix("s3://released/")
    for found in s3.list_objects_v2(Bucket="released", Prefix=old)["Contents"]:
        body = s3.get_object(Bucket="released", Key=found["Key"])["Body"].read()
        file = found["Key"].removeprefix(old)
        s3.put_object(Bucket="released", Key=f"sentiment/{name}/{file}", Body=body + b" " * (file == changed))
    return f"s3://released/sentiment/{name}/"


def test_another_versions_bytes_and_altered_ones_are_refused_in_one_line_and_not_left_lying(
    released: Stack, uri: str, tmp_path: Path
) -> None:
    digest = uri.rstrip("/")[-12:]
    for place, says in (
        (_copied(released, uri, f"99-{digest}"), "carries the signature of version 1"),
        (_copied(released, uri, "1-0123456789ab", "MLmodel"), "is not what was signed"),
    ):
        done = _initialize(released, place, tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith("refused: ")
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert not (tmp_path / "artifact").exists()
        assert not (tmp_path / "verified.json").exists()


@pytest.mark.parametrize(
    ("uri_given", "code", "says"),
    [
        ("s3://mlflow/1/model/", 2, "is not a published artifact"),
        ("s3://released/sentiment/98-0123456789ab/", 1, "holds nothing"),
    ],
)
def test_what_is_not_published_is_refused_in_one_line(
    released: Stack, tmp_path: Path, uri_given: str, code: int, says: str
) -> None:
    done = _initialize(released, uri_given, tmp_path)
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
