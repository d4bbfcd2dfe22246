from __future__ import annotations

import pandas as pd
import pytest

from registry.gate import GateResult
from training.card import card
from training.source import Table

METRICS = {"accuracy": 0.8875, "ece": 0.0123}
SLICES = {"source_imdb": {"rows": 3_668.0, "accuracy": 0.9171, "ece": 0.0101}}


@pytest.fixture
def table() -> Table:
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": [0, 1, 1], "source": ["imdb", "imdb", "other"]})
    return Table(frame, "reviews.csv", "ab" * 32)


def test_it_tells_intended_use_data_metrics_and_limits(table: Table) -> None:
    made = card("sentiment", table, METRICS, SLICES, GateResult(True, "above every floor", {}), rows=(2, 1))
    for heading in ("Intended use", "Model", "Data", "Metrics on the held-out rows", "Limits"):
        assert f"\n## {heading}\n" in made
    assert made.startswith("# sentiment\n")


def test_it_names_the_data_with_its_digest_and_counts_its_sources(table: Table) -> None:
    made = card("sentiment", table, METRICS, SLICES, GateResult(True, "above every floor", {}), rows=(2, 1))
    assert f"`reviews.csv`, 3 rows before deduplication: imdb (2), other (1). SHA-256 `{'ab' * 32}`" in made
    assert "2 rows to learn\nfrom, 1 held out." in made


def test_it_gives_the_numbers_overall_and_by_slice(table: Table) -> None:
    made = card("sentiment", table, METRICS, SLICES, GateResult(True, "above every floor", {}), rows=(2, 1))
    assert "| accuracy | 0.8875 |" in made
    assert "| source_imdb | 3668 | 0.9171 | 0.0101 |" in made


@pytest.mark.parametrize(("passed", "word"), [(True, "passed"), (False, "not passed")])
def test_it_says_what_the_gate_found(table: Table, passed: bool, word: str) -> None:
    made = card("sentiment", table, METRICS, SLICES, GateResult(passed, "a reason", {}), rows=(2, 1))
    assert f"Gate: {word}: a reason." in made
