"""What was seen of one scene: plain values, to be judged and to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NO_ROUTE", "Answer", "Line", "Sample", "Seen", "Window"]

NO_ROUTE = "no route"
"""How a request failed that the gateway itself answered with 404."""
Line = Mapping[str, Any]
"""A transition, or a status, as the controller keeps it."""


@dataclass(frozen=True)
class Answer:
    """``asked``, ``done``: seconds of the monotonic clock. ``failed``: a status, an exception, ``NO_ROUTE`` or ""."""

    tenant: str
    asked: float
    done: float
    failed: str = ""
    version: int = 0
    confidence: float = 0.0


@dataclass(frozen=True)
class Window:
    """In seconds of the monotonic clock: the fault began, it ended, and all was well again."""

    begun: float
    ended: float
    well: float


@dataclass(frozen=True)
class Sample:
    """One look: percent by version that the gateway had in force, and that the status gave by then."""

    in_force: Mapping[int, int]
    kept: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One scene.

    Attributes:
        version: the one on trial at the first tenant.
        unsigned: the one that the second tenant's alias named, which nobody signed.
        good: every version that was verified.
        history: the transitions of this scene by tenant, as the statuses have them; ``reported``: the numbers of all
            transitions that the registry holds.
        end: the statuses at the end.
        running: tenant and version of each predictor's process at the end.
        published: the names of all objects in the released bucket.
        before: what the registry and the object store held, by name; ``after``: what they hold at the end.
    """

    version: int
    unsigned: int
    good: frozenset[int]
    window: Window
    answers: Sequence[Answer]
    samples: Sequence[Sample]
    history: Mapping[str, Sequence[Line]]
    reported: Mapping[str, Sequence[int]]
    end: Mapping[str, Line]
    running: Sequence[tuple[str, int]]
    published: Sequence[str]
    before: Mapping[str, str]
    after: Mapping[str, str]
