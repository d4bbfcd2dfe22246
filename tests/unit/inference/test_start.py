"""What the predictor refuses to start with, and how it ends."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from importlib.metadata import requires
from pathlib import Path

import httpx
import pytest
from conftest import free_port, running, save
from packaging.requirements import Requirement
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from artifact import PublishedArtifact, tree_digest


def start(uri: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inference", "--storage-uri", uri, *arguments]
    ports = ["--http-port", str(free_port()), "--grpc-port", str(free_port())]
    return subprocess.run(
        [*command, *ports], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False
    )


def address(folder: Path) -> str:
    return PublishedArtifact.of("sentiment", 3, tree_digest(folder)).uri


def refused(done: subprocess.CompletedProcess[str], because: str, code: int = 1) -> None:
    last = done.stderr.strip().splitlines()[-1]
    assert (done.returncode, last.startswith("refused: "), because in last) == (code, True, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_was_altered_by_one_byte_is_refused(folder: Path) -> None:
    uri = address(folder)
    (folder / "MLmodel").write_text("flavors: []\n")
    refused(start(uri, "--model-dir", str(folder)), "expected")


def test_a_model_that_is_missing_is_refused(folder: Path) -> None:
    (folder / "model.skops").unlink()
    refused(start(address(folder), "--model-dir", str(folder)), "no model.skops")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    refused(start("s3://released/sentiment/3-0123456789ab/", "--model-dir", str(tmp_path)), "empty")


def test_a_pickle_in_the_models_place_is_refused(folder: Path, pipeline: Pipeline) -> None:
    (folder / "model.skops").write_bytes(pickle.dumps(pipeline))
    refused(start(address(folder), "--model-dir", str(folder)), "not a readable skops file")


def test_a_type_outside_the_allow_list_is_refused(tmp_path: Path) -> None:
    folder = save(Pipeline([("run", FunctionTransformer(os.system))]), tmp_path / "foreign")
    refused(start(address(folder), "--model-dir", str(folder)), "outside the allow-list")


@pytest.mark.parametrize(
    "uri",
    ["s3://mlflow/1/models/m-1/", "s3://released/sentiment/3-0123456789ab", "file:///model", "s3://released/../x/1-0/"],
)
def test_an_address_outside_released_is_refused(uri: str) -> None:
    refused(start(uri), "not a published artifact", code=2)


def test_an_object_store_that_is_down_is_named(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_ENDPOINT_URL": endpoint}
    refused(start("s3://released/sentiment/3-0123456789ab/", **keys), "cannot be downloaded")


def test_sigterm_ends_requests_in_flight_and_exits_with_0(folder: Path) -> None:
    texts = {"instances": ["a good film " * 500] * 150}
    statuses: list[int] = []
    with running(folder) as predictor:
        url = f"{predictor.http}/v1/models/sentiment:predict"
        callers = [
            threading.Thread(
                target=lambda: statuses.append(httpx.post(url, json=texts, timeout=30, trust_env=False).status_code)
            )
            for _ in range(4)
        ]
        for caller in callers:
            caller.start()
        # Every caller's request has arrived once the first of them is answered.
        while not statuses:
            callers[0].join(0.01)
        predictor.process.send_signal(signal.SIGTERM)
        for caller in callers:
            caller.join()
        assert predictor.process.wait(timeout=30) == 0
    assert set(statuses) <= {200, 503}
    assert 200 in statuses


def test_the_help_is_printed_without_loading_anything() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "inference", "--help"], capture_output=True, text=True, check=True
    )
    assert "--storage-uri" in done.stdout
    assert not re.search(r"\| +(kserve|sklearn)$", done.stderr, re.MULTILINE)


def test_the_inference_extra_brings_neither_mlflow_nor_great_expectations() -> None:
    seen: set[str] = set()
    waiting = [Requirement("ferryman[inference]")]
    while waiting:
        wanted = waiting.pop()
        key = f"{wanted.name.lower()}[{','.join(sorted(wanted.extras))}]"
        if key in seen:
            continue
        seen.add(key)
        for line in requires(wanted.name) or []:
            further = Requirement(line)
            extras = wanted.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(further)
    names = {name.split("[")[0].replace("_", "-") for name in seen}
    assert "kserve" in names
    assert not names & {"mlflow", "mlflow-skinny", "great-expectations"}
