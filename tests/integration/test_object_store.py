"""What depends on the object store: data that lie there, and predictors that start while it is down."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SAMPLE, Stack, eventually, s3
from mlflow import MlflowClient

from infra.local.secret import load_or_generate
from training.source import load

pytestmark = pytest.mark.timeout(400)


def test_data_in_the_object_store_train_the_same_model_as_the_same_data_elsewhere(
    released: Stack, tmp_path: Path
) -> None:
    load(None).frame.to_parquet(tmp_path / "reviews.parquet")
    store = s3(
        f"http://127.0.0.1:{released.environment['FERRYMAN_S3_PORT']}", load_or_generate(released.home).publisher
    )
    store.upload_file(str(tmp_path / "reviews.parquet"), "mlflow", "data/reviews.parquet")
    trained = released.run("training", "--data", "s3://mlflow/data/reviews.parquet", "--sample", SAMPLE)
    assert trained.returncode == 0, trained.stderr
    client = MlflowClient(released.mlflow, released.mlflow)
    newest = max(int(each.version) for each in client.search_model_versions("name = 'sentiment'"))
    first, second = (client.get_model_version("sentiment", str(each)).tags for each in (1, newest))
    assert first["parameters.digest"] == second["parameters.digest"]


def test_data_that_the_object_store_does_not_hold_are_named(released: Stack) -> None:
    done = released.run("training", "--data", "s3://mlflow/data/none.parquet")
    assert (done.returncode, "s3://mlflow/data/none.parquet" in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


def supervisorctl(stack: Stack, *words: str) -> None:
    configuration = (stack.home / "supervisor" / "supervisord.conf").read_text()
    found = re.search(r"file=(.+)", configuration)
    assert found is not None
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-s", f"unix://{found[1]}", *words]
    subprocess.run(command, check=True, capture_output=True)


def test_a_predictor_that_starts_while_s3_is_down_says_so_and_comes_up_by_itself_when_it_is_back(
    released: Stack,
) -> None:
    version = released.served("tenant-a")
    name = next(each for each in released.predictors() if each.startswith("predictor-tenant-a"))
    log = released.home / "logs" / f"{name}.log"
    said_before = len(log.read_text())
    supervisorctl(released, "stop", "s3")
    try:
        os.kill(released.pid(name), signal.SIGKILL)
        eventually(lambda: "refused: " in log.read_text()[said_before:])
        line = next(line for line in log.read_text()[said_before:].splitlines() if line.startswith("refused: "))
        assert re.match(
            r"refused: s3://released/sentiment/.+ cannot be downloaded: http://127.0.0.1:\d+ does not", line
        )
        assert "Traceback" not in log.read_text()[said_before:]
        assert released.served("tenant-b") == version
    finally:
        supervisorctl(released, "start", "s3")
    eventually(lambda: released.served("tenant-a") == version)
