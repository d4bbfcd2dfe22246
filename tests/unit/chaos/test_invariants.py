"""What the chaos run calls broken, shown on a scene in which all holds, and on it with one thing changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chaos.invariants import broken
from chaos.report import inserted, row, table
from chaos.seen import Answer, Sample, Seen, Window

A, B = "tenant-a", "tenant-b"


def line(number: int, phase: str, reason: str, version: int = 2) -> dict[str, Any]:
    return {"number": number, "phase": phase, "reason": reason, "version": version, "message": "because"}


CANARY = (
    line(3, "Verifying", "AliasMoved"),
    line(4, "Canary", "Verified"),
    line(5, "Canary", "SmokePassed"),
    line(6, "Canary", "Successful"),
    line(7, "Promoting", "Successful"),
    line(8, "Stable", "Promoted"),
)
REFUSED = (line(3, "Verifying", "AliasMoved", 3), line(4, "Rejected", "Unsigned", 3))
LOST = Answer(A, 11, 12, "502")
HELD = Seen(
    version=2,
    unsigned=3,
    good=frozenset({1, 2}),
    window=Window(10, 11, 20),
    answers=(Answer(A, 1, 2, "", 1, 0.7), Answer(A, 12, 13, "", 2, 0.8), LOST, Answer(B, 1, 2, "", 1, 0.7)),
    samples=(Sample({1: 100}, {1: 100}), Sample({1: 80, 2: 20}, {1: 100, 2: 20}), Sample({2: 100}, {2: 100})),
    history={A: CANARY, B: REFUSED},
    reported={A: tuple(range(1, 9)), B: (1, 2, 3, 4)},
    end={A: {**CANARY[-1], "target": 2}, B: {**REFUSED[-1], "target": 3}},
    running=((A, 2), (B, 1)),
    published=("sentiment/1-0123456789ab/model", "sentiment/2-0123456789ab/model"),
    before={"alias x": "1", "released/sentiment/1-0123456789ab/model": "00"},
    after={"alias x": "1", "released/sentiment/1-0123456789ab/model": "00", "new": "11"},
)


def judged(seen: Seen, most: float = 0.5) -> list[str]:
    return broken(seen, frozenset({A}), most, frozenset({"Stable", "GatewayErrors"}))


def ends(tenant: str, **fields: object) -> Seen:
    return replace(HELD, end=HELD.end | {tenant: {**HELD.end[tenant], **fields}})


def went(tenant: str, *history: dict[str, Any]) -> Seen:
    return replace(HELD, history=HELD.history | {tenant: history})


def answered(*answers: Answer) -> Seen:
    return replace(HELD, answers=(*HELD.answers, *answers))


def test_nothing_is_broken_where_all_holds() -> None:
    assert judged(HELD) == []


def test_a_gateway_that_was_away_may_have_no_route_at_first() -> None:
    assert judged(answered(Answer(A, 11, 12, "ConnectError"), Answer(A, 12, 13, "no route")), most=1) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (answered(Answer(B, 11, 12, "502")), "tenant-b lost 1 requests (502)"),
        (answered(Answer(A, 11, 12, "500")), "tenant-a lost 1 requests (500)"),
        (answered(Answer(A, 11, 12, "no route")), "tenant-a lost 1 requests (no route)"),
        (answered(Answer(A, 1, 2, "502")), "1 requests were lost before the fault"),
        (answered(Answer(A, 21, 22, "502")), "1 requests were lost when all was well again"),
        (answered(LOST), "tenant-a lost 2 of 3 requests, more than 50%"),
        (answered(Answer(B, 12, 13, "", 3, 0.9)), "version 3 answered, which nobody verified"),
        (answered(Answer(B, 12, 13, "", 1, 0.8)), "version 1 computed [0.7, 0.8] of one text"),
        (ends(B, phase="Stable", reason="Promoted"), "version 3, which nobody signed, is Stable (Promoted)"),
        (replace(HELD, running=((B, 3),)), "version 3 was started, which nobody signed"),
        (replace(HELD, published=("sentiment/3-0123456789ab/x",)), "version 3 was published, which nobody signed"),
        (went(A, *CANARY[:4], line(7, "Promoting", "SmokePassed")), "Promoting by SmokePassed: because"),
        (went(A, *CANARY[:3], *CANARY[2:]), "version 2 was given its first weight twice"),
        (
            replace(HELD, samples=(Sample({2: 50}, {2: 20}),)),
            "the gateway gave version 2 50 %, the status 20 %",
        ),
        (ends(A, phase="Rejected", reason="ErrorsIncreased"), "the release ended Rejected (ErrorsIncreased): because"),
        (ends(A, phase="Canary", reason="Successful"), "the release ended Canary (Successful): because"),
        (ends(A, message=""), "the release ended Stable (Promoted): "),
        (went(A, *CANARY, line(10, "Stable", "AliasMoved", 1)), "tenant-a has the transitions [3, 4, 5, 6, 7, 8, 10]"),
        (
            went(A, *CANARY, line(9, "Verifying", "AliasMoved")),
            "tenant-a was Verifying with version 2 2 times",
        ),
        (
            replace(HELD, reported=HELD.reported | {B: (1, 2, 3, 3, 4)}),
            "tenant-b has the transitions [3, 4], the registry [1, 2, 3, 3, 4]",
        ),
        (replace(HELD, running=((A, 2), (A, 2))), "tenant-a has 2 predictors of version 2"),
        (replace(HELD, after={"alias x": "1"}), "released/sentiment/1-0123456789ab/model is gone"),
        (replace(HELD, after={**HELD.after, "alias x": "2"}), "alias x has changed"),
    ],
)
def test_what_does_not_hold_is_said(seen: Seen, said: str) -> None:
    assert said in judged(seen, most=0.5)


def test_two_versions_that_compute_the_same_could_not_be_told_apart() -> None:
    same = replace(HELD, answers=(Answer(A, 1, 2, "", 1, 0.7), Answer(A, 1, 2, "", 2, 0.7)))
    assert [said for said in judged(same) if said.startswith("two versions computed the same")]


def test_the_table_says_what_was_seen_and_what_was_left_out_and_keeps_the_page_around_it() -> None:
    made = table([row("a fault", HELD)], {"another": "there is no disk"}, "Seen somewhere.")
    page = inserted("before\n<!-- chaos -->\nold\n<!-- /chaos -->\nafter\n", made)
    assert page.startswith("before\n<!-- chaos -->\nSeen somewhere.\n")
    assert page.endswith("- Left out: another, for there is no disk.\n<!-- /chaos -->\nafter\n")
    assert (
        "| a fault | 1 of 3 | 0 of 1 | 9.0 s | Stable, Promoted | 20, 100 % | v1, v2 | Rejected, Unsigned | 8 | 2 |"
        in page
    )
