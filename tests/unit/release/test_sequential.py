from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln

from release.latency import slower_than
from release.sequential import exceedance_interval, label_radius, share_interval


@given(st.integers(0, 5000), st.integers(1, 100_000), st.sampled_from([0.05, 0.01]))
def test_the_bounds_of_a_share_are_where_the_martingale_reaches_its_limit(count: int, more: int, alpha: float) -> None:
    total = count + more
    lower, upper = share_interval(count, total, alpha)
    assert 0 <= lower <= count / total <= upper < 1
    for share in {lower, upper} - {0.0}:
        likelihood = count * math.log(share) + more * math.log1p(-share)
        evidence = betaln(count + 0.5, more + 0.5) - betaln(0.5, 0.5) - likelihood
        assert evidence == pytest.approx(-math.log(alpha), abs=1e-3)


@given(st.integers(1, 100_000), st.sampled_from([0.05, 0.01]))
def test_counts_of_a_known_share_agree_with_the_interval_of_the_share(total: int, alpha: float) -> None:
    fewest, most = exceedance_interval(0.05, total, alpha)
    for inside in (fewest + 0.01, most - 0.01):
        lower, upper = share_interval(inside, total, alpha)
        assert lower <= 0.05 + 1e-4
        assert upper >= 0.05 - 1e-4


def test_no_sample_says_nothing() -> None:
    assert share_interval(0, 0, 0.05) == (0, 1)
    assert label_radius([0, 0], 0.05) == 1


@pytest.mark.parametrize("share", [0.005, 0.05, 0.5])
def test_the_interval_holds_at_all_of_a_thousand_looks_together(share: float) -> None:
    runs, alpha, left = 300, 0.1, 0
    for seed in range(runs):
        counts = np.cumsum(np.random.default_rng(seed).binomial(10, share, 1000))[::20]
        bounds = [share_interval(float(count), 10 + 200 * look, alpha) for look, count in enumerate(counts)]
        left += any(not lower <= share <= upper for lower, upper in bounds)
    # 30 expected at most; 45 would be three standard errors more.
    assert left <= 45


def test_quantiles_lie_where_the_requests_are() -> None:
    latency = [0.0] * 18
    latency[2] = 100  # 0.5 to 1 ms
    assert slower_than(latency, 100) == pytest.approx(0.0005)
    assert slower_than(latency, 50) == pytest.approx(0.0005 * math.sqrt(2))
    assert slower_than(latency, 0) == pytest.approx(0.001)
    latency[17] = 10  # beyond the last bound
    assert slower_than(latency, 5) > 10
    assert slower_than(latency, 60) == pytest.approx(0.0005 * math.sqrt(2))
