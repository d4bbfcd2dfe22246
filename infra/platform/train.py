"""Training in the cluster: a Job from the CronJob, at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError

__all__ = ["train"]

_SECONDS = 7200


def train(cluster: Cluster, arguments: Sequence[str], say: Callable[[str], None]) -> str:
    """Run the job to its end and return what it printed.

    Args:
        cluster: where.
        arguments: for `python -m training`, instead of none.
        say: told the name of the job.

    Raises:
        PlatformError: it failed; the message is the end of its log.
    """
    name = f"training-{time.strftime('%m%d-%H%M%S')}"
    made = cluster.kubectl(
        *("create", "job", name, "--namespace=training", "--from=cronjob/training", "--dry-run=client", "--output=json")
    )
    job = json.loads(made)
    job["spec"]["template"]["spec"]["containers"][0]["args"] = list(arguments)
    cluster.apply([job])
    say(f"job {name} in namespace training; follow it with: kubectl logs -n training -f job/{name}")
    begun = time.monotonic()
    while time.monotonic() - begun < _SECONDS:
        status = (cluster.get("job", name, "training") or {}).get("status", {})
        if status.get("succeeded"):
            return cluster.kubectl("logs", "--namespace=training", f"job/{name}")
        if status.get("failed"):
            raise PlatformError(f"job {name} failed:\n{_log(cluster, name)}")
        time.sleep(2)
    raise PlatformError(f"job {name} is not done after {_SECONDS} s")


def _log(cluster: Cluster, name: str) -> str:
    try:
        return cluster.kubectl("logs", "--namespace=training", f"job/{name}", "--tail=15")
    except PlatformError as error:
        return str(error)
