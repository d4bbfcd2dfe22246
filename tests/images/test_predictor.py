"""The predictor's image, inside the limits that a tenant's quota leaves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest
import skops.io
from container import Container, Image
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import Pipeline

from artifact import PublishedArtifact, tree_digest
from artifact.names import MODEL_FILE
from infra.local.ports import free_port

MEMORY = 320 * 2**20


@pytest.fixture(params=[LogisticRegression, BernoulliNB], ids=["recognised", "scikit-learn's own"])
def predictor(
    built: Callable[[str], Image], open_tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Container, str]]:
    texts = ["a good film", "a great film", "a bad film", "an awful film"]
    columns = ColumnTransformer([("text", HashingVectorizer(n_features=2**12, alternate_sign=False), "text")])
    made = Pipeline([("features", columns), ("classifier", request.param())])
    folder = open_tmp_path / "model"
    folder.mkdir(mode=0o755)
    skops.io.dump(made.fit(pd.DataFrame({"text": texts}), [1, 1, 0, 0]), folder / MODEL_FILE)
    http = free_port()
    uri = PublishedArtifact.of("sentiment", 7, tree_digest(folder)).uri
    image = built("predictor")
    running = Container(
        image,
        open_tmp_path / "bundle",
        [*image.entrypoint, "--storage-uri", uri, "--tenant", "tenant-a", "--model-dir", "/mnt/model", "--lame-duck=0"],
        environment={"FERRYMAN_HTTP_PORT": str(http), "FERRYMAN_GRPC_PORT": str(free_port({http}))},
        mounts={"/mnt/model": folder},
        limits={"memory": {"limit": MEMORY}, "cpu": {"quota": 50_000, "period": 100_000}},
    )
    with running:
        running.answers(f"http://127.0.0.1:{http}/ready")
        yield running, f"http://127.0.0.1:{http}"


def test_it_answers_inside_its_limits_and_ends_by_sigterm(predictor: tuple[Container, str]) -> None:
    container, url = predictor

    def ask(instances: list[str]) -> httpx.Response:
        body = {"instances": instances}
        return httpx.post(f"{url}/v1/models/sentiment:predict", json=body, timeout=60, trust_env=False)

    assert ask(["a great film"]).json()["predictions"][0]["label"] == "positive"
    assert ask(["good bad " * 100] * 1000).status_code == 200
    assert container.memory() < MEMORY
    limit = container.run("cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max").stdout
    assert str(MEMORY) in limit
    assert container.terminate() == 0
