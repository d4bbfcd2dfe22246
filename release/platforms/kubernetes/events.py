"""The story of a release as Kubernetes Events, for `kubectl describe` and `kubectl events`."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from functools import partial

from release.platforms.kubernetes.api import Api, ConflictError, Object, path
from release.platforms.kubernetes.model_release import owner_of
from release.platforms.kubernetes.names import MANAGER
from release.status import Phase, ReleaseStatus, Transition
from release.store import Release
from release.workers import Workers

__all__ = ["Events", "event"]

_NOTE = 1024
"""The longest note that the API server takes."""
_MANY_CALLS = 8
_GIVE_WAY_SECONDS = 0.5
_BAD = {Phase.ROLLING_BACK, Phase.REJECTED, Phase.PAUSED}


class Events:
    """Tells each transition once: an event's name is made of the release's uid and the transition's number."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._workers = Workers("events", 1, lambda: None)

    def tell(self, release: Release, status: ReleaseStatus) -> None:
        """Tell, beside the loop, the transitions that a new status has more than the release had."""
        for each in status.after(release.status.last_number):
            self._workers.start((release.name, "event", each.number), partial(self._tell, release, each))

    def _tell(self, release: Release, transition: Transition) -> None:
        if self._api.under_way() >= _MANY_CALLS:
            # A thousand tenants get a version: that is more urgent than to tell of each.
            time.sleep(_GIVE_WAY_SECONDS)
        try:
            self._api.create(path("events", release.tenant), event(release, transition))
        except ConflictError:
            return


def event(release: Release, transition: Transition) -> Object:
    """Return the Event of a transition."""
    owner = owner_of(release)
    name = str(owner["name"])
    regarding = {"kind": owner["kind"], "apiVersion": owner["apiVersion"], "uid": owner["uid"]}
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{owner['uid'][:8]}.{transition.number}", "namespace": release.tenant},
        "eventTime": datetime.fromtimestamp(transition.time, UTC).isoformat(timespec="microseconds"),
        "reportingController": f"ferryman.dev/{MANAGER}",
        "reportingInstance": socket.gethostname(),
        "action": str(transition.phase),
        "reason": transition.reason,
        "type": "Warning" if transition.phase in _BAD else "Normal",
        "note": transition.message[:_NOTE],
        "regarding": regarding | {"name": name, "namespace": release.tenant},
    }
