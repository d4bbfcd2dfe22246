"""What the controller shows: the releases as the loop last saw them. Written by the loop, read by the API."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from release.analysis import Judgement, judge
from release.platforms.base import Seen
from release.store import Release
from release.trace import Trace

__all__ = ["LATE_SECONDS", "Board", "Shown"]

LATE_SECONDS = 15.0
"""A loop that has not gone round for so long is stuck."""


@dataclass
class Shown:
    """One release: its last state, and what was counted since the controller began."""

    release: Release
    seen: Seen = field(default_factory=Seen)
    judgement: Judgement | None = None
    trace: Trace = field(default_factory=Trace)
    transitions: Counter[str] = field(default_factory=Counter)
    judgements: Counter[str] = field(default_factory=Counter)


class Board:
    """Every release by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, Shown] = {}
        self.ticked = 0.0
        self.trouble = ""
        self.registry_reachable = False

    def keep_only(self, releases: Sequence[Release]) -> None:
        """Forget the releases that are no more."""
        names = {release.name for release in releases}
        with self._lock:
            self._shown = {name: shown for name, shown in self._shown.items() if name in names}

    def show(self, release: Release, seen: Seen, now: float) -> None:
        """Take over what a release has come to."""
        with self._lock:
            shown = self._shown.setdefault(release.name, Shown(release))
        new = release.status.after(shown.release.status.last_number)
        shown.transitions.update(str(each.phase) for each in new)
        trial = release.status.canary
        shown.judgement = None
        if trial is not None and trial.is_judged:
            shown.judgement = judge(trial.measured, release.spec.analysis)
            shown.judgements[str(shown.judgement.outcome)] += 1
        shown.trace.add(now, seen.weights, shown.judgement)
        shown.release, shown.seen = release, seen

    def one(self, name: str) -> Shown | None:
        """Return one release."""
        with self._lock:
            return self._shown.get(name)

    def all(self) -> Iterator[Shown]:
        """Yield every release, by name."""
        with self._lock:
            shown: Mapping[str, Shown] = dict(self._shown)
        for name in sorted(shown):
            yield shown[name]
