"""What was seen, as the table of docs/chaos.md. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stacks import TENANTS

from chaos.seen import Seen

__all__ = ["Row", "inserted", "row", "table"]

A, B = TENANTS
_COLUMNS = (
    "fault",
    f"lost by {A}",
    f"lost by {B}",
    "all well after",
    f"release of {A}",
    "its weights",
    "answers by",
    "unsigned version",
    "transitions",
    "things kept",
)
_MARKS = re.compile(r"(?<=<!-- chaos -->\n).*?(?=<!-- /chaos -->)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One fault: a cell for each column after the first."""

    story: str
    cells: tuple[str, ...]


def row(story: str, seen: Seen) -> Row:
    """Return the line on one scene in which everything held."""

    def lost(tenant: str) -> str:
        asked = [answer for answer in seen.answers if answer.tenant == tenant]
        return f"{sum(bool(answer.failed) for answer in asked):,} of {len(asked):,}"

    end, refused = seen.end[A], seen.end[B]
    weights = sorted({sample.in_force.get(seen.version, 0) for sample in seen.samples} - {0})
    return Row(
        story,
        (
            lost(A),
            lost(B),
            f"{seen.window.well - seen.window.ended:.1f} s",
            f"{end['phase']}, {end['reason']}",
            ", ".join(map(str, weights)) + " %",
            ", ".join(f"v{version}" for version in sorted({each.version for each in seen.answers} - {0})),
            f"{refused['phase']}, {refused['reason']}",
            str(sum(len(lines) for lines in seen.history.values())),
            f"{len(seen.before):,}",
        ),
    )


def table(rows: Sequence[Row], left_out: Mapping[str, str], seen_on: str) -> str:
    """Return Markdown: on what machine, the faults with what was seen, and which faults were left out and why."""
    lines = [seen_on, "", f"| {' | '.join(_COLUMNS)} |", "|" + " --- |" * len(_COLUMNS)]
    lines += [f"| {' | '.join((row.story, *row.cells))} |" for row in rows]
    lines += [""] if left_out else []
    lines += [f"- Left out: {story}, for {why}." for story, why in left_out.items()]
    return "\n".join(lines) + "\n"


def inserted(page: str, text: str) -> str:
    """Return the page with this between its marks."""
    return _MARKS.sub(lambda _: text, page)
