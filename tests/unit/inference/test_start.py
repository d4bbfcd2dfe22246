"""What the predictor refuses to start with, and how it ends."""

from __future__ import annotations

import json
import os
import pickle
import re
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from typing import NamedTuple, Protocol

import httpx
import pandas as pd
import pytest
from conftest import TEXTS, Predictor, running, save
from packaging.requirements import Requirement
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from artifact import PublishedArtifact, tree_digest
from inference.__main__ import main
from infra.local.ports import free_port


class Started(NamedTuple):
    code: int
    stderr: str


class Start(Protocol):
    def __call__(self, uri: str, *arguments: str) -> Started: ...


@pytest.fixture
def start(capsys: pytest.CaptureFixture[str]) -> Start:
    """Call the command in this process: what is refused is refused before a server begins."""

    def started(uri: str, *arguments: str) -> Started:
        code = main(["--storage-uri", uri, "--tenant", "tenant-a", *arguments])
        return Started(code, capsys.readouterr().err)

    return started


def address(folder: Path) -> str:
    return PublishedArtifact.of("sentiment", 3, tree_digest(folder)).uri


def refused(done: Started, because: str, code: int = 1) -> None:
    last = done.stderr.strip().splitlines()[-1]
    assert (done.code, last.startswith("refused: "), because in last) == (code, True, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_was_altered_by_one_byte_is_refused(start: Start, folder: Path) -> None:
    uri = address(folder)
    (folder / "MLmodel").write_text("flavors: []\n")
    refused(start(uri, "--model-dir", str(folder)), "expected")


def test_a_model_that_is_missing_is_refused(start: Start, folder: Path) -> None:
    (folder / "model.skops").unlink()
    refused(start(address(folder), "--model-dir", str(folder)), "no model.skops")


def test_an_empty_folder_is_refused(start: Start, tmp_path: Path) -> None:
    refused(start("s3://released/sentiment/3-0123456789ab/", "--model-dir", str(tmp_path)), "empty")


def test_a_pickle_in_the_models_place_is_refused(start: Start, folder: Path, pipeline: Pipeline) -> None:
    (folder / "model.skops").write_bytes(pickle.dumps(pipeline))
    refused(start(address(folder), "--model-dir", str(folder)), "not a readable skops file")


def test_a_type_outside_the_allow_list_is_refused(start: Start, tmp_path: Path) -> None:
    folder = save(Pipeline([("run", FunctionTransformer(os.system))]), tmp_path / "foreign")
    refused(start(address(folder), "--model-dir", str(folder)), "outside the allow-list")


@pytest.mark.parametrize(
    "uri",
    ["s3://mlflow/1/models/m-1/", "s3://released/sentiment/3-0123456789ab", "file:///model", "s3://released/../x/1-0/"],
)
def test_an_address_outside_released_is_refused(start: Start, uri: str) -> None:
    refused(start(uri), "not a published artifact", code=2)


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"])
def test_an_object_store_that_is_down_is_named(start: Start, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    for name in ("AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"):
        monkeypatch.setenv(name, endpoint if name == variable else "")
    refused(start("s3://released/sentiment/3-0123456789ab/"), f"{endpoint} does not answer")


def test_an_object_store_without_the_artifact_is_named_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as empty:
        threading.Thread(target=empty.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{empty.server_port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "key")
        done = start("s3://released/sentiment/3-0123456789ab/")
        empty.shutdown()
    refused(done, "cannot be downloaded")
    assert [line for line in done.stderr.splitlines() if " - - [" not in line] == [done.stderr.splitlines()[-1]]


@pytest.mark.parametrize(
    ("classifier", "labels", "because"),
    [(LinearSVC(), [1, 1, 1, 0, 0, 0], "cannot score"), (LogisticRegression(), [2, 1, 1, 0, 0, 0], "shape [2, 3]")],
    ids=["no probabilities", "three classes"],
)
def test_a_model_that_does_not_answer_as_promised_is_refused(
    start: Start, tmp_path: Path, classifier: ClassifierMixin, labels: list[int], because: str
) -> None:
    columns = ColumnTransformer([("text", CountVectorizer(), "text")])
    made = Pipeline([("features", columns), ("classifier", classifier)]).fit(pd.DataFrame({"text": TEXTS}), labels)
    folder = save(made, tmp_path / "other")
    refused(start(address(folder), "--model-dir", str(folder)), because)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_port_that_is_taken_is_named_in_one_line(folder: Path, predictor: Predictor, protocol: str) -> None:
    taken = getattr(predictor, protocol).rsplit(":", 1)[1]
    command = [sys.executable, "-m", "inference", "--storage-uri", address(folder), "--tenant", "tenant-b"]
    command += ["--model-dir", str(folder), "--http-port", str(free_port()), "--grpc-port", str(free_port())]
    done = subprocess.run([*command, f"--{protocol}-port", taken], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(rf"cannot listen on 127\.0\.0\.1:{taken} \(.*\n", done.stderr)


def wait_until_closed(place: tuple[str, int]) -> None:
    with suppress(ConnectionError):
        while True:
            socket.create_connection(place, timeout=20).close()


def test_sigterm_ends_what_is_in_flight_and_waits_for_no_idle_client(folder: Path) -> None:
    body = json.dumps({"text": "a secret film"}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    with running(folder) as predictor, httpx.Client(trust_env=False) as idle:
        assert idle.get(f"{predictor.http}/ready").status_code == 200
        place = ("127.0.0.1", int(predictor.http.rsplit(":", 1)[1]))
        with socket.create_connection(place, timeout=20) as caller:
            caller.sendall(head.encode())
            assert caller.recv(100).startswith(b"HTTP/1.1 100")
            predictor.process.terminate()
            wait_until_closed(place)
            caller.sendall(body)
            answer = b"".join(iter(lambda: caller.recv(65536), b""))
        # Less than the grace that a client in flight would be given.
        assert predictor.process.wait(timeout=15) == 0
        log = predictor.log.read_text()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"prediction"' in answer
    lines = [json.loads(line) for line in log.splitlines()]
    told = {"tenant": "tenant-a", "version": "7", "protocol": "seed", "code": "200"}
    assert [line["message"] for line in lines][1:] == ["answered"]
    assert told.items() <= lines[1].items()
    assert "secret" not in log


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
