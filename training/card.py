"""The model card: what the model is for, what it learned from, how good it is, where it fails."""

from __future__ import annotations

from collections.abc import Mapping

from registry.gate import GateResult
from training.pipeline import PARAMETERS
from training.source import Table

__all__ = ["card"]


def card(
    model: str,
    table: Table,
    metrics: Mapping[str, float],
    by_slice: Mapping[str, Mapping[str, float]],
    gate: GateResult,
    *,
    rows: tuple[int, int],
) -> str:
    """Return the card as Markdown (after Mitchell et al., Model Cards for Model Reporting, FAT* 2019).

    Args:
        model: the registered model's name.
        table: what was loaded.
        metrics: measured on the held-out rows.
        by_slice: the same for parts of them.
        gate: the verdict.
        rows: how many rows the model learned from, and how many were held out.
    """
    overall = "\n".join(f"| {name} | {value:.4f} |" for name, value in metrics.items())
    parts = "\n".join(
        f"| {name} | {found['rows']:.0f} | {found['accuracy']:.4f} | {found['ece']:.4f} |"
        for name, found in by_slice.items()
    )
    sources = ", ".join(f"{name} ({count:,})" for name, count in table.frame["source"].value_counts().items())
    return f"""# {model}

## Intended use
Telling whether an English review is positive or negative, with a calibrated probability. Not for other languages, for
neutral or mixed opinions (there is no such label), nor for decisions about people.

## Model
The {PARAMETERS["model"]}. Features: {PARAMETERS["features"]}. Calibration: {PARAMETERS["calibration"]}. Linear: every
answer has an exact explanation by tokens.

## Data
`{table.name}`, {len(table.frame):,} rows before deduplication: {sources}. SHA-256 `{table.digest}`.
Deduplicated by normalised text before the split; the side of a row is a function of its text. {rows[0]:,} rows to learn
from, {rows[1]:,} held out.

## Metrics on the held-out rows
| metric | value |
|---|---|
{overall}

| slice | rows | accuracy | calibration error |
|---|---|---|---|
{parts}

Gate: {"passed" if gate.passed else "not passed"}: {gate.reason}.

## Limits
Word n-grams know nothing of irony, of negation over more than two words, nor of words they never met. Short texts are
harder than long ones (see the slices). Reviews of films are what it learned from: measure before using it elsewhere.
"""
