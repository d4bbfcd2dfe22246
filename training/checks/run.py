"""The two times that data is checked: as it was loaded, and after the split."""

from __future__ import annotations

import pandas as pd

from training.checks.engine import validate
from training.checks.findings import CheckReport
from training.labels import NAMES
from training.normalise import repetitions, with_key
from training.profile import DataProfile

__all__ = ["check_raw", "check_split"]


def check_raw(frame: pd.DataFrame) -> CheckReport:
    """Check a table as :func:`training.source.load` returns it, before anything is left out.

    Args:
        frame: columns ``text``, ``label`` and ``source``; ``key`` is computed unless it is there
            (:func:`training.normalise.with_key`).
    """
    if not {"text", "label", "source"} <= set(frame.columns):
        return CheckReport("Raw table", tuple(validate(frame, "raw")), {"rows": f"{len(frame):,}"})
    keyed = with_key(frame)
    derived = keyed.assign(
        length=_lengths(keyed), labels_of_text=keyed["label"].groupby(keyed["key"]).transform("nunique").astype(float)
    )
    counted = repetitions(keyed)
    statistics = {
        "rows": f"{len(frame):,}",
        "rows by label": _counts(frame["label"]),
        "rows by source": _counts(frame["source"]),
        "median length": f"{derived['length'].quantile(0.5):,.0f} characters",
        "repeated texts": f"{counted.repeated:,} rows, left out",
        "texts with both labels": f"{counted.contradicting:,} rows, left out",
    }
    return CheckReport("Raw table", tuple(validate(derived, "raw")), statistics)


def check_split(frame: pd.DataFrame, reference: DataProfile | None) -> CheckReport:
    """Check a deduplicated table with its ``split``, and its drift from the table that the champion learned from.

    Args:
        frame: columns ``text``, ``label``, ``source``, ``key`` and ``split``, without nulls.
        reference: the champion's profile; None when there is no champion, and drift is then not measured.
    """
    derived = frame.assign(
        length=_lengths(frame),
        is_test=(frame["split"] == "test").astype(float),
        sides_of_text=frame["split"].groupby(frame["key"]).transform("nunique").astype(float),
    )
    train = frame.loc[frame["split"] == "train", "label"].astype("int64")
    # One more of each label, so that a side without rows still has shares to compare with.
    weights = [(int((train == label).sum()) + 1) / (len(train) + len(NAMES)) for label in NAMES]
    findings = validate(derived, "split", {"train_labels": {"values": list(NAMES), "weights": weights}})
    statistics = {
        "rows by side": _counts(frame["split"]),
        "rows by label, train": _counts(train),
        "rows by label, test": _counts(frame.loc[frame["split"] == "test", "label"]),
        "drift": "not measured: there is no champion yet",
    }
    if reference is not None:
        findings += validate(derived, "drift", _drift_parameters(reference))
        statistics["drift"] = f"measured against the champion's {reference.rows:,} rows"
    return CheckReport("Split", tuple(findings), statistics)


def _drift_parameters(reference: DataProfile) -> dict[str, object]:
    labels = {int(label): share for label, share in reference.label_share.items()}
    return {
        "champion_labels": {"values": list(labels), "weights": list(labels.values())},
        "champion_lengths": {"bins": list(reference.length_bins), "weights": list(reference.length_weights)},
    }


def _lengths(frame: pd.DataFrame) -> pd.Series:
    """Return text lengths in characters, NaN where there is no text."""
    lengths = [float(len(text)) if isinstance(text, str) else float("nan") for text in frame["text"]]
    return pd.Series(lengths, index=frame.index, dtype="float64")


def _counts(values: pd.Series) -> str:
    counts = values.value_counts(dropna=False)
    shown = ", ".join(f"{str(value)[:40]}: {rows:,}" for value, rows in counts.head(5).items())
    return f"{shown} and {len(counts) - 5:,} more" if len(counts) > 5 else shown
