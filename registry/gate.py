"""Whether a candidate may be released: absolute floors, and no regression against the champion on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

__all__ = ["FLOORS", "Floors", "GateResult", "judge", "mid_p"]


@dataclass(frozen=True)
class Floors:
    """What every released model must reach, whatever the champion is like.

    They catch a broken model (shuffled labels, an empty vocabulary); a slightly worse one is the champion's part.
    """

    accuracy: float = 0.70
    slice_accuracy: float = 0.55
    calibration_error: float = 0.10
    slice_rows: int = 50
    significance: float = 0.05
    largest_drop: float = 0.02


FLOORS = Floors()


@dataclass(frozen=True)
class GateResult:
    """The verdict, one sentence that gives its reason, and the numbers behind it."""

    passed: bool
    reason: str
    numbers: Mapping[str, float]


def mid_p(only_champion: int, only_candidate: int) -> float:
    """Return the one-sided mid-p value of McNemar's test: how likely so many lost rows are if both models are as good.

    Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91 (2013).

    Args:
        only_champion: rows that only the champion has right.
        only_candidate: rows that only the candidate has right.
    """
    discordant = only_champion + only_candidate
    if discordant == 0:
        return 1.0
    return float(binom.sf(only_champion, discordant, 0.5) + binom.pmf(only_champion, discordant, 0.5) / 2)


def judge(
    labels: NDArray[np.int64],
    candidate: NDArray[np.float64],
    calibration_error: float,
    champion: NDArray[np.float64] | None,
    slices: Mapping[str, NDArray[np.bool_]],
    *,
    floors: Floors = FLOORS,
    objections: Sequence[str] = (),
) -> GateResult:
    """Judge a candidate on n test rows.

    Args:
        labels: 0 or 1, ``[n]``.
        candidate: its probabilities of label 1, ``[n]``.
        calibration_error: its expected calibration error on these rows.
        champion: the champion's probabilities for the same rows, or None when there is no champion.
        slices: masks ``[n]``; those with fewer rows than ``floors.slice_rows`` are too small to judge.
        floors: what to hold against it.
        objections: reasons from outside why it must not pass.
    """
    right = (candidate >= 0.5) == (labels == 1)
    numbers = {"accuracy": float(right.mean()), "ece": calibration_error, "rows": float(len(labels))}
    faults = list(objections)
    if numbers["accuracy"] < floors.accuracy:
        faults.append(f"accuracy {numbers['accuracy']:.3f} is below {floors.accuracy:.3f}")
    if calibration_error > floors.calibration_error:
        faults.append(f"calibration error {calibration_error:.3f} is above {floors.calibration_error:.3f}")
    for name, mask in slices.items():
        if mask.sum() >= floors.slice_rows:
            numbers[f"accuracy.{name}"] = share = float(right[mask].mean())
            if share < floors.slice_accuracy:
                faults.append(f"accuracy {share:.3f} on {name} is below {floors.slice_accuracy:.3f}")
    if champion is not None:
        theirs = (champion >= 0.5) == (labels == 1)
        lost, won = int((theirs & ~right).sum()), int((right & ~theirs).sum())
        drop, chance = (lost - won) / len(labels), mid_p(lost, won)
        numbers |= {"champion_accuracy": float(theirs.mean()), "lost": lost, "won": won, "p_value": chance}
        if drop > 0 and chance < floors.significance:
            faults.append(f"{lost} rows lost and {won} won against the champion (p = {chance:.2g})")
        elif drop > floors.largest_drop:
            faults.append(f"accuracy is {drop:.3f} below the champion's")
    reason = "; ".join(faults) or ("no worse than the champion" if champion is not None else "above every floor")
    return GateResult(not faults, reason, numbers)
