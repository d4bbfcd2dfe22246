from __future__ import annotations

import pytest

from release.analysis import Judgement, Outcome, judge
from release.counts import Counts
from release.spec import Analysis
from release.status import Compared, Measured

RULES = Analysis()


def answered(requests: int, errors: float = 0.005, slow: float = 0.0, positive: float = 0.5) -> Counts:
    """Latency of 1 to 4 ms; ``slow``: that share took 8 to 16 ms instead."""
    latency = [0] * 18
    for bucket, share in ((3, 0.7 * (1 - slow)), (4, 0.3 * (1 - slow)), (6, slow)):
        latency[bucket] = round(requests * share)
    labels = {"positive": requests * positive, "negative": requests * (1 - positive)}
    return Counts(requests=requests, errors=round(requests * errors), latency=tuple(latency), labels=labels)


def judged(canary: Counts, stable: Counts | None = None, rules: Analysis = RULES) -> Judgement:
    return judge(Measured(steps=(Compared(weight=25, stable=stable or answered(5000), canary=canary),)), rules)


def test_a_canary_that_answers_like_stable_is_successful_and_the_message_has_the_numbers() -> None:
    found = judged(answered(1000))
    assert found.outcome is Outcome.SUCCESSFUL
    assert found.message.startswith("after 1,000 requests: 0.50% of its requests failed, 0.50% of stable's; its p95 is")
    assert [each.name for each in found.measures] == ["errors", "latencyP95", "predictions"]
    assert all(each.lower <= each.effect <= each.upper for each in found.measures)


@pytest.mark.parametrize(
    ("canary", "reason"),
    [
        (answered(200, errors=0.1), "ErrorsIncreased"),
        (answered(200, slow=0.3), "LatencyIncreased"),
        (answered(200, positive=0.95), "PredictionsShifted"),
        (answered(30, errors=1.0), "ErrorsIncreased"),
    ],
)
def test_harm_fails_whatever_the_least_number_of_requests(canary: Counts, reason: str) -> None:
    found = judged(canary)
    assert (found.outcome, found.reason) == (Outcome.FAILED, reason)
    assert "for sure" in found.message


def test_the_message_of_a_failure_names_how_much_and_how_much_is_allowed() -> None:
    message = judged(answered(500, errors=0.06)).message
    assert "6.00% of its requests failed, 0.50% of stable's (5.50 points more, " in message
    assert message.endswith("1 allowed)")


def test_too_few_requests_are_inconclusive() -> None:
    found = judged(answered(299))
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "TooFewRequests")
    assert found.message.startswith("299 of the 300 requests")


def test_nothing_measured_yet_is_inconclusive() -> None:
    assert judge(Measured(), RULES).reason == "TooFewRequests"


def test_what_stable_still_had_under_way_when_the_canary_got_all_requests_is_not_compared() -> None:
    risen = Compared(weight=50, stable=answered(1000), canary=answered(1000))
    promoted = Compared(weight=100, stable=answered(3, errors=0.0), canary=answered(500))
    assert judge(Measured(steps=(risen, promoted)), RULES) == judge(Measured(steps=(risen,)), RULES)


def test_a_canary_alone_cannot_be_judged() -> None:
    found = judged(answered(1000, errors=0.5), stable=Counts())
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "TooFewRequests")


def test_what_is_beyond_its_limit_by_chance_perhaps_waits_for_more_requests() -> None:
    found = judged(answered(320, errors=0.018))
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "Uncertain")


def test_what_is_surely_worse_but_within_the_limit_is_successful() -> None:
    found = judged(answered(50_000, errors=0.012), stable=answered(150_000))
    assert found.measures[0].lower > 0
    assert found.outcome is Outcome.SUCCESSFUL


def test_a_better_canary_never_fails() -> None:
    assert judged(answered(5000, errors=0), stable=answered(15_000, errors=0.3, slow=0.5)).outcome is Outcome.SUCCESSFUL


def test_errors_of_both_while_the_canary_has_half_of_the_requests_are_not_the_canarys() -> None:
    steps = (
        Compared(weight=5, stable=answered(19_000), canary=answered(1000)),
        Compared(weight=50, stable=answered(1000, errors=0.3), canary=answered(1000, errors=0.3)),
    )
    found = judge(Measured(steps=steps), RULES)
    assert found.outcome is Outcome.SUCCESSFUL
    assert found.measures[0].effect == pytest.approx(0, abs=1e-9)


def test_a_model_without_labels_or_latency_is_judged_by_its_errors() -> None:
    found = judged(Counts(requests=500, errors=2), stable=Counts(requests=2000, errors=9))
    assert found.outcome is Outcome.SUCCESSFUL
    assert [each.name for each in found.measures] == ["errors"]


def test_a_label_that_stable_never_gave_counts_as_shifted() -> None:
    canary = answered(400).model_copy(update={"labels": {"neutral": 400.0}})
    assert judged(canary).reason == "PredictionsShifted"


def test_more_confidence_takes_more_requests() -> None:
    canary = answered(300, errors=0.06)
    assert judged(canary).outcome is Outcome.FAILED
    assert judged(canary, rules=Analysis(confidence=0.999999)).outcome is Outcome.INCONCLUSIVE
