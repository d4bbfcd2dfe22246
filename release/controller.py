"""The release controller: one loop that sees, plans, keeps the plan, acts on it, and reports."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from release.actions import Action, Ensure, Remove, Smoke, Verify, Weigh
from release.board import Board
from release.observation import Observations, Peers, RegistryView
from release.peers import peers_of, who_waits_for_a_verdict
from release.plan import plan
from release.platforms.base import Platform, PlatformError, Seen
from release.registry_watch import RegistryWatch
from release.report import Reporter
from release.status import Phase, ReleaseStatus
from release.store import Release, ReleaseStore, StoreError
from release.workers import Complaints, Workers

__all__ = ["Controller"]

_INTERVAL_SECONDS = 1.0
# However often it is woken: a flood of webhook calls is no reason to plan more often.
_LEAST_SECONDS = 0.2
_log = logging.getLogger(__name__)


class Controller:
    """Brings every release to where its alias points.

    All state is in the releases' statuses, each kept before anything is done on its account: it may be killed at any
    instruction. What is only remembered here (verdicts, outcomes of smoke sets) is found out again.
    """

    def __init__(self, store: ReleaseStore, platform: Platform, board: Board) -> None:
        self._store = store
        self._platform = platform
        self._board = board
        self._woken = threading.Event()
        self._watch = RegistryWatch(self.wake)
        self._reporter = Reporter(self._watch)
        # Most of a look is waiting for the store.
        self._looking = ThreadPoolExecutor(8, thread_name_prefix="look")
        self._workers = Workers("platform", 16, self.wake)
        self._cleaning = Workers("cleaning", 1, lambda: None)
        self._smoked: dict[str, dict[int, str]] = {}
        self._names: set[str] = set()
        self._looked_at: dict[str, float] = {}
        self._complaints = Complaints()

    def wake(self) -> None:
        """Look now, not only when the interval is over."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Tick until told to stop."""
        while not stop.is_set():
            self._woken.clear()
            begun = time.monotonic()
            try:
                self.tick(time.time())
                self._complaints.end("tick")
                self._board.trouble = ""
            except (PlatformError, StoreError) as error:
                self._board.trouble = str(error)
                self._complaints.say("tick", f"{error}; nothing moves until then")
            self._board.ticked = time.monotonic()
            stop.wait(_LEAST_SECONDS)
            self._woken.wait(max(0.0, _INTERVAL_SECONDS - (time.monotonic() - begun)))

    def tick(self, now: float) -> None:
        """See everything once, and bring each release forward by itself.

        Where a thousand statuses are to be written, a look ends after the interval: by old knowledge of the registry
        nobody shall move, and no canary with requests shall wait for its judgement. Who was not looked at is among the
        first of the next.

        Raises:
            StoreError: the releases cannot be read.
            PlatformError: the platform does not say what is there.
        """
        releases = self._store.releases()
        self._watch.poll()
        self._retain(releases)
        seen = self._platform.observe(releases)
        views = {each.name: self._view(each) for each in releases}
        self._board.registry_reachable = all(view.reachable for view in views.values())
        peers = peers_of(releases, {name: view.target for name, view in views.items()})
        waiting = who_waits_for_a_verdict(releases, views)
        late = time.monotonic() + _INTERVAL_SECONDS

        def look(release: Release) -> Release:
            if not _urgent(release.status) and (release.name in waiting or time.monotonic() > late):
                return release
            self._looked_at[release.name] = time.monotonic()
            return self._look(release, seen[release.name], views[release.name], peers[release.name], now)

        after = list(self._looking.map(look, sorted(releases, key=self._turn)))
        self._watch.keep_only(_on_the_way(after, views))
        self._reporter.report(after, now)

    def _turn(self, release: Release) -> tuple[bool, float]:
        """First whose requests are at stake, then who has waited for longest."""
        return not _urgent(release.status), self._looked_at.get(release.name, 0.0)

    def _look(self, release: Release, seen: Seen, view: RegistryView, peers: Peers, now: float) -> Release:
        """Bring one release forward and show it; what is wrong with it is nobody else's trouble."""
        seen = self._with_smoke(release, seen)
        try:
            release = self._advance(release, seen, view, peers, now)
        except StoreError as error:
            self._complaints.say(release.name, str(error))
        except Exception:
            _log.exception("%s: cannot be planned; the others go on", release.name)
        self._board.show(release, seen, now)
        return release

    def _advance(self, release: Release, seen: Seen, view: RegistryView, peers: Peers, now: float) -> Release:
        observations = Observations(seen.versions, seen.weights, peers, release.requests)
        before = release.status.model_copy(update={"reported": self._reporter.delivered(release)})
        status, actions = plan(release.spec, before, view, observations, now)
        if status != release.status:
            self._store.save(release, status)
            _announce(release, status)
        release = replace(release, status=status)
        for action in actions:
            self._act(release, action)
        return release

    def _act(self, release: Release, action: Action) -> None:
        """Begin an action, unless the one before on the same thing is still under way: the next plan asks again."""
        platform, name, begin = self._platform, release.name, self._workers.start
        match action:
            case Verify(version):
                self._watch.verify(release.spec.model, version)
            case Weigh(weights):
                begin((name, "weights"), lambda: platform.weigh(release, weights))
            case Ensure(artifact, replicas):
                begin((name, artifact.version), lambda: platform.ensure(release, artifact, replicas))
            case Smoke(version):
                begin((name, version), lambda: self._smoke(release, version))
            case Remove(version):
                begin((name, version), lambda: platform.remove(release, version))

    def _smoke(self, release: Release, version: int) -> None:
        self._smoked.setdefault(release.name, {})[version] = self._platform.smoke(release, version)

    def _with_smoke(self, release: Release, seen: Seen) -> Seen:
        """Add what smoke sets found, and forget it once the version is stopped or gone."""
        running = {version for version, each in seen.versions.items() if not each.stopped}
        smoked = {v: found for v, found in self._smoked.get(release.name, {}).items() if v in running}
        self._smoked[release.name] = smoked
        versions = {version: replace(each, smoke=smoked.get(version)) for version, each in seen.versions.items()}
        return replace(seen, versions=versions)

    def _view(self, release: Release) -> RegistryView:
        model, alias = release.spec.model, release.spec.alias
        view = self._watch.view(model, alias)
        retry = release.requests.retry
        if retry is not None and retry != release.status.handled.get("retry") and view.target is not None:
            self._watch.forget(model, view.target)
            view = self._watch.view(model, alias)
        return view

    def _retain(self, releases: Sequence[Release]) -> None:
        names = {release.name for release in releases}
        if names != self._names:
            self._names = names
            self._looked_at = {name: when for name, when in self._looked_at.items() if name in names}
            self._board.keep_only(releases)
            self._reporter.keep_only(names)
        # At every look: what was still being started when its release went away is found by the next one.
        self._cleaning.start("retain", lambda: self._platform.retain(releases))


def _urgent(status: ReleaseStatus) -> bool:
    trial = status.canary
    return trial is not None and (trial.weight > 0 or status.phase == Phase.ROLLING_BACK)


def _on_the_way(releases: Sequence[Release], views: Mapping[str, RegistryView]) -> set[tuple[str, int]]:
    targets = {(each.spec.model, each.status.target) for each in releases}
    targets |= {(each.spec.model, views[each.name].target) for each in releases}
    return {(model, version) for model, version in targets if version is not None}


def _announce(release: Release, status: ReleaseStatus) -> None:
    for each in status.after(release.status.last_number):
        version = f"version {each.version}" if each.version else "nothing"
        _log.info("%s: %s, %s (%s): %s", release.name, each.phase, version, each.reason, each.message)
