"""The faults that only a cluster has, caused for real: just their alerts reach the webhook, and then end."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml
from live import TENANTS, Live
from pods import SCRIPTS, address, eventually, pod, start
from trial import NAME, Trial, trial

from infra.platform.cluster import kubectl_binary
from infra.platform.keys import tls_secret
from infra.platform.manifests import ROOT
from monitoring.config import Config, load
from monitoring.routing import alertmanager
from monitoring.rules import prometheus_rule

# The kubelet starts a container that ends again and again ever later, and measures every 10 to 15 s: with shorter
# durations four restarts would not be seen.
DIVISOR = 4
PORT = 8080
ROUTING = ROOT / "infra" / "platform" / "monitoring" / "routing.yaml"
SEEN_SECONDS = 420
# A maximum that the autoscaler reaches soon, above the two predictors of every tenant; a limit for one to use up.
LIMITS = """
      - {op: replace, path: /spec/template/spec/predictor/maxReplicas, value: 3}
      - {op: add, path: /spec/template/spec/predictor/model/resources, value: {limits: {cpu: "1", memory: 640Mi}}}
"""


@dataclass
class Watched:
    live: Live

    def arrived(self) -> list[tuple[str, str, str]]:
        """Status, tenant and name of every alert that the webhook was called with, in order."""
        said = self.live.cluster.kubectl("logs", "alerts", "--namespace=e2e")
        return [tuple(json.loads(line)) for line in said.splitlines()]

    def fired(self, since: int) -> set[tuple[str, str]]:
        return {(tenant, name) for status, tenant, name in self.arrived()[since:] if status == "firing"}

    def firing(self) -> set[tuple[str, str]]:
        """What was said to fire and not yet to be over."""
        last = {(tenant, name): status for status, tenant, name in self.arrived()}
        return {about for about, status in last.items() if status == "firing"}


def faster() -> Config:
    """The configuration with shorter durations, the trial's maximum, and a certificate judged within the test."""
    config = load(DIVISOR)
    alerts = dict(config.alerts)
    alerts["PredictorsAtMaximum"] = alerts["PredictorsAtMaximum"].model_copy(update={"above": 2})
    # Before the fourth restart the kubelet waits for 40 s, which with the start is most of a fourth of five minutes.
    alerts["PredictorNotReady"] = load().alerts["PredictorNotReady"]
    alerts["PredictorRestarting"] = load(2).alerts["PredictorRestarting"]
    alerts["CertificateExpiring"] = load(60).alerts["CertificateExpiring"]
    return config.model_copy(update={"alerts": alerts})


@contextmanager
def watched_by_the_webhook(live: Live) -> Iterator[Watched]:
    """Prometheus and Alertmanager with shorter durations; everybody's webhook is a pod of the test."""
    start(live.cluster, pod("alerts", "e2e", live.images["predictor"], None, "alerts.py", str(PORT)))
    webhook = f"http://{address(live.cluster, 'e2e', 'alerts')}:{PORT}"
    tenants = [*TENANTS, NAME]

    def called(name: str) -> dict[str, Any] | None:
        return {"url": f"{webhook}/{name}"} if name in (*tenants, "platform") else None

    try:
        routing = yaml.safe_dump(alertmanager(faster(), tenants, called, None))
        _configure(live, faster(), routing)
        # Kubelets bring a changed Secret to a pod within a minute or two.
        eventually(lambda: _loaded(live, faster(), routing), seconds=240, pause=3)
        yield Watched(live)
    finally:
        live.cluster.kubectl("delete", "pod", "alerts", "--namespace=e2e", "--wait=false")
        _configure(live, load(), ROUTING.read_text())


def _configure(live: Live, config: Config, routing: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "alertmanager-routing"}}
    objects = [secret | {"stringData": {"alertmanager.yaml": routing}}, prometheus_rule(config)]
    for made in objects:
        made["metadata"]["namespace"] = "monitoring"
    live.cluster.apply(objects)
    interval = f"{config.scrape.interval * 1000:.0f}ms"
    spec = {"spec": {"scrapeInterval": interval, "evaluationInterval": interval}}
    live.cluster.kubectl(
        *("patch", "prometheus", "prometheus", "--namespace=monitoring", "--type=merge", f"-p={json.dumps(spec)}")
    )


def _loaded(live: Live, config: Config, routing: str) -> bool:
    """Whether Prometheus and Alertmanager go by these."""
    with live.cluster.forward("monitoring", "prometheus-operated", 9090) as port:
        groups = _asked(port, "v1/rules")["data"]["groups"]
    with live.cluster.forward("monitoring", "alertmanager-operated", 9093) as port:
        routed = _asked(port, "v2/status")["config"]["original"]
    held = {each["name"]: each.get("duration") for group in groups for each in group["rules"]}
    ours = f'tenant="{NAME}"'
    return held["PredictorCpuHigh"] == config.alerts["PredictorCpuHigh"].hold and (ours in routed) == (ours in routing)


def _pending(live: Live) -> list[Any]:
    """Alerts that fire, or will if nothing changes."""
    with live.cluster.forward("monitoring", "prometheus-operated", 9090) as port:
        return list(_asked(port, "v1/alerts")["data"]["alerts"])


def _asked(port: int, path: str) -> Any:
    return httpx.get(f"http://127.0.0.1:{port}/api/{path}", timeout=10, trust_env=False).json()


@contextmanager
def strained(live: Live, found: Any, processes: int) -> Iterator[None]:
    """Beside a pod's own process so many take the CPU, and most of the memory, that the first container may have."""
    name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
    container = found["spec"]["containers"][0]
    used = live.cluster.kubectl("top", "pod", name, "--namespace", namespace, "--no-headers").split()[2]
    free = 0.92 * int(container["resources"]["limits"]["memory"].removesuffix("Mi")) - int(used.removesuffix("Mi"))
    command = [kubectl_binary(), "exec", "-i", "--namespace", namespace, name, f"--container={container['name']}", "--"]
    command += ["python3", "-c", (SCRIPTS / "strain.py").read_text(), str(int(free * 2**20)), str(processes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield
        process.communicate(timeout=60)


def restart(live: Live, tenant: str, times: int) -> None:
    """End a new predictor's process again and again, each time once it was seen to run."""
    name = min(live.predictors(tenant), key=_restarts)["metadata"]["name"]

    def restarts() -> int:
        return _restarts(live.cluster.get("pod", name, tenant))

    def ready() -> bool:
        return name in {found["metadata"]["name"] for found in live.predictors(tenant)}

    before = restarts()
    for number in range(1, times + 1):
        ended = ["python3", "-c", "import os; os.kill(1, 15)"]
        live.cluster.kubectl("exec", "--namespace", tenant, name, "--container=kserve-container", "--", *ended)
        eventually(lambda wanted=before + number: restarts() >= wanted and ready(), seconds=120, pause=1)
        # Until it was scraped.
        time.sleep(2 * faster().scrape.interval)


def _restarts(found: Any) -> int:
    return int(found["status"]["containerStatuses"][0]["restartCount"])


def renew(live: Live, tenant: str) -> None:
    """Replace one predictor: the more often one was restarted lately, the longer the kubelet waits."""
    before = live.predictors(tenant)
    live.cluster.kubectl("delete", "pod", before[0]["metadata"]["name"], "--namespace", tenant)
    eventually(lambda: len(live.predictors(tenant)) == len(before))


@contextmanager
def certificate_ends_tomorrow(live: Live) -> Iterator[None]:
    """The gateway serves one that is valid for a day."""
    held = live.cluster.get("secret", "gateway-tls", "gateway")
    _serve(live, {"stringData": tls_secret(live.domain, days=1)})
    try:
        yield
    finally:
        _serve(live, {"data": held["data"]})


def _serve(live: Live, secret: dict[str, Any]) -> None:
    live.cluster.kubectl(
        *("patch", "secret", "gateway-tls", "--namespace=gateway", "--type=merge", f"-p={json.dumps(secret)}")
    )
    # As long as it runs it shows the certificate before as well, which is valid for longer.
    live.cluster.kubectl("rollout", "restart", "deployment/gateway", "--namespace=gateway")
    live.cluster.kubectl("rollout", "status", "deployment/gateway", "--namespace=gateway", "--timeout=120s")


@pytest.fixture(scope="module")
def moving(serving: Live) -> Iterator[Trial]:
    with trial(serving, LIMITS) as made:
        yield made


@pytest.mark.timeout(2000)
def test_each_fault_of_a_cluster_raises_just_its_alerts_and_they_end_with_it(serving: Live, moving: Trial) -> None:
    expected = {
        (NAME, "PredictorCpuHigh"),
        (NAME, "PredictorMemoryHigh"),
        (NAME, "PredictorsAtMaximum"),
        ("tenant-b", "PredictorRestarting"),
        ("platform", "CertificateExpiring"),
        ("platform", "PlatformMemoryHigh"),
    }
    controller = serving.cluster.find("pod", "app.kubernetes.io/name=release-controller", "release")[0]
    renew(serving, "tenant-b")
    with watched_by_the_webhook(serving) as watched:
        # What other tests did is in the predictors' windows for a quarter of an hour.
        eventually(
            lambda: not _pending(serving) and not watched.firing(),
            seconds=1000,
            pause=5,
            instead=lambda: _pending(serving),
        )
        before = len(watched.arrived())
        restarts = threading.Thread(target=restart, args=(serving, "tenant-b", 4))
        with (
            certificate_ends_tomorrow(serving),
            # Two, for on a busy node one would not get all of the core that the container may have.
            strained(serving, serving.predictors(NAME)[0], 2),
            strained(serving, controller, 0),
        ):
            restarts.start()
            eventually(lambda: expected <= watched.fired(before), SEEN_SECONDS, 3, lambda: watched.fired(before))
        restarts.join()
        eventually(lambda: not watched.firing(), SEEN_SECONDS, 3, watched.firing)
        assert watched.fired(before) == expected
