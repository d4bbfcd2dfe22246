"""Writing back to MLflow what became of a version: tags and the history, later and again until it is there."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from release.ab_test import ab_test_report, awaits_decision
from release.registry_watch import RegistryWatch
from release.status import Transition
from release.store import Release
from release.wave import Wave
from release.workers import Complaints, Workers
from release.written_back import tags

if TYPE_CHECKING:
    from registry.history import ReleaseHistory

__all__ = ["Reporter"]

_AGAIN_SECONDS = 5.0
_SHOW_SECONDS = 60.0


class Reporter:
    """Delivers each transition at least once; the history knows one that it has already.

    What was delivered is in the release's status (``reported``), so a controller that is killed delivers the rest when
    it is back. Once after a start it compares all: a power cut may have taken what the object store had not synced.
    """

    def __init__(self, watch: RegistryWatch) -> None:
        self._watch = watch
        self._workers = Workers("report", 2, lambda: None)
        self._lock = threading.Lock()
        self._delivered: dict[str, int] = {}
        self._wave = Wave()
        self._held_back = False
        self._tried = 0.0
        self._shown: dict[str, float] = {}
        self._written: dict[tuple[str, int], dict[str, str]] = {}
        self._complaints = Complaints()
        self._history: ReleaseHistory | None = None

    def keep_only(self, names: Collection[str]) -> None:
        """Forget the releases that are no more: one of the same name begins a history of its own."""
        with self._lock:
            self._delivered = {name: number for name, number in self._delivered.items() if name in names}

    def delivered(self, release: Release) -> int:
        """Return the number of the last transition that reached the registry."""
        return max(self._last(release) or 0, release.status.reported)

    def report(self, releases: Sequence[Release], now: float) -> None:
        """Deliver in the background what is not delivered yet, and what is known to whom a decision is left."""
        pending = [(each, len(self._pending(each))) for each in releases]
        self._held_back = self._wave.rolls(sum(count for _, count in pending), time.monotonic())
        waiting = [each for each, count in pending if count]
        # News first: to compare a thousand releases takes a minute.
        waiting.sort(key=lambda each: not each.status.after(self.delivered(each)))
        if waiting and not self._held_back and time.monotonic() - self._tried > _AGAIN_SECONDS:
            self._workers.start("report", lambda: self._deliver(waiting, tags(releases)))
        asked = {each.name: each for each in releases if awaits_decision(each)}
        self._shown = {name: when for name, when in self._shown.items() if name in asked}
        due = [each for name, each in asked.items() if now - self._shown.get(name, -math.inf) >= _SHOW_SECONDS]
        self._shown |= {each.name: now for each in due}
        if due:
            self._workers.start("ab tests", lambda: self._show(due, now))

    def _show(self, releases: Sequence[Release], now: float) -> None:
        from registry.client import RegistryError

        for release in releases:
            try:
                self._keeper().attach(release.spec.model, ab_test_report(release, now))
                self._complaints.end("ab tests")
            except RegistryError as error:
                self._complaints.say("ab tests", f"the report on {release.name}'s A/B test is written later: {error}")

    def _keeper(self) -> ReleaseHistory:
        from registry.history import ReleaseHistory

        self._history = self._history or ReleaseHistory()
        return self._history

    def _last(self, release: Release) -> int | None:
        """What this process delivered last of the release; None also for one that was made anew under its name."""
        with self._lock:
            number = self._delivered.get(release.name)
        return None if number is None or number > release.status.last_number else number

    def _pending(self, release: Release) -> list[Transition]:
        return release.status.after(0 if self._last(release) is None else self.delivered(release))

    def _deliver(self, waiting: Sequence[Release], wanted: dict[tuple[str, int], dict[str, str]]) -> None:
        from registry.client import RegistryError, RegistryUnreachableError
        from registry.tags import RELEASE_PREFIX

        try:
            for (model, version), values in wanted.items():
                if self._written.get((model, version)) != values:
                    prefixed = {RELEASE_PREFIX + key: value for key, value in values.items()}
                    try:
                        self._watch.registry.set_tags(model, version, prefixed)
                    except RegistryUnreachableError:
                        raise
                    except RegistryError as error:
                        self._complaints.say((model, version), f"{model} version {version} takes no tags: {error}")
                    self._written[model, version] = values
            for release in waiting:
                if self._held_back:
                    return
                pending = self._pending(release)
                lines = [{"tenant": release.tenant, **each.model_dump(by_alias=True, mode="json")} for each in pending]
                self._keeper().append(release.spec.model, release.tenant, lines)
                with self._lock:
                    self._delivered[release.name] = pending[-1].number
            self._complaints.end("report")
        except RegistryError as error:
            self._tried = time.monotonic()
            self._complaints.say("report", f"what became of the releases is written back later: {error}")
