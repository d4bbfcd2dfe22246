from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from artifact import PublishedArtifact, tree_digest
from infra.local.ports import free_port

TEXTS = ["a good film", "a great film", "very good, great", "a bad film", "an awful film", "very bad, awful"]


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    hashed = HashingVectorizer(n_features=2**12, binary=True, ngram_range=(1, 2), alternate_sign=False, norm=None)
    columns = ColumnTransformer([("text", Pipeline([("hash", hashed), ("tfidf", TfidfTransformer())]), "text")])
    made = Pipeline([("features", columns), ("classifier", LogisticRegression())])
    return made.fit(pd.DataFrame({"text": TEXTS}), [1, 1, 1, 0, 0, 0])


@pytest.fixture
def folder(pipeline: Pipeline, tmp_path: Path) -> Path:
    return save(pipeline, tmp_path / "model")


def save(model: object, folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    skops.io.dump(model, folder / "model.skops")
    return folder


@dataclass(frozen=True)
class Predictor:
    http: str
    grpc: str
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture(scope="session")
def predictor(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predictor]:
    folder = save(pipeline, tmp_path_factory.mktemp("artifact") / "model")
    with running(folder) as started:
        yield started


class running:  # noqa: N801 # reads as a clause: `with running(folder) as predictor`
    def __init__(self, folder: Path, *arguments: str) -> None:
        self._uri = PublishedArtifact.of("sentiment", 7, tree_digest(folder)).uri
        self._folder = folder
        self._arguments = arguments

    def __enter__(self) -> Predictor:
        http = free_port()
        grpc = free_port({http})
        command = [sys.executable, "-m", "inference", "--storage-uri", self._uri, "--tenant", "tenant-a"]
        command += ["--model-dir", str(self._folder), "--http-port", str(http), "--grpc-port", str(grpc)]
        command += ["--lame-duck", "0", *self._arguments]
        log = self._folder.with_suffix(".log")
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{http}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{url}/ready", trust_env=False).status_code == 200:
                    return Predictor(url, f"127.0.0.1:{grpc}", self._process, log)
            except httpx.HTTPError:
                time.sleep(0.1)
        self._process.kill()
        raise RuntimeError(f"the predictor did not start: {log.read_text()}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
