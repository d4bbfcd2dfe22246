from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from artifact import PublishedArtifact
from inference.age import expose

WRITTEN = "flavors:\n  sklearn: {}\nutc_time_created: '2026-08-01 10:20:30.405060'\n"


def exposed(folder: Path, version: int) -> float | None:
    expose(folder, PublishedArtifact.of("sentiment", version, "a" * 64))
    return REGISTRY.get_sample_value("model_created_timestamp_seconds", {"model": "sentiment", "version": str(version)})


def test_when_the_model_was_logged_is_exported_in_utc(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(WRITTEN)
    assert exposed(tmp_path, 901) == datetime(2026, 8, 1, 10, 20, 30, 405060, UTC).timestamp()


@pytest.mark.parametrize("text", [None, "", "flavors: {}\n", "utc_time_created: '2026-99'\n"])
def test_an_artifact_that_does_not_say_has_no_age(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "MLmodel").write_text(text)
    assert exposed(tmp_path, 902) is None
