"""Real keys and a small artifact."""

from __future__ import annotations

from pathlib import Path

import pytest
from gatekeeper import Gate

from artifact import PublishedArtifact, tree_digest


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate.at(tmp_path / "gate", monkeypatch)


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate.at(tmp_path / "stranger", monkeypatch)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    (folder / "data").mkdir(parents=True)
    (folder / "model.skops").write_bytes(b"weights")
    (folder / "data" / "vocabulary").write_bytes(b"words")
    return folder


@pytest.fixture
def place(artifact: Path) -> PublishedArtifact:
    return PublishedArtifact.of("sentiment", 7, tree_digest(artifact))
