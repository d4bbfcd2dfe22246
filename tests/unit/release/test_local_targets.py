"""Prometheus finds the predictors of this machine by files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from infra.local.gateway import Endpoint
from release.platforms.local.predictor import Predictor, forget, keep, known

URI = "s3://released/sentiment/3-0123456789ab/"
STARTS = Predictor("shop", "tenant-a", "sentiment", 3, URI, Endpoint(40001, 40002))
RUNS = replace(STARTS, answered=True)


def targets(folder: Path) -> list[dict[str, object]]:
    return [each for file in folder.glob("targets/*.json") for each in json.loads(file.read_text())]


def test_a_predictor_that_has_answered_is_a_target_of_its_tenant_and_one_that_was_stopped_is_none(
    tmp_path: Path,
) -> None:
    keep(tmp_path, STARTS)
    assert targets(tmp_path) == []
    keep(tmp_path, RUNS)
    assert targets(tmp_path) == [{"targets": ["127.0.0.1:40001"], "labels": {"tenant": "tenant-a"}}]
    keep(tmp_path, replace(RUNS, stopped=True))
    assert targets(tmp_path) == []
    assert list(known(tmp_path)) == [replace(RUNS, stopped=True)]


def test_what_is_forgotten_is_no_target(tmp_path: Path) -> None:
    keep(tmp_path, RUNS)
    forget(tmp_path, RUNS)
    assert targets(tmp_path) == []
