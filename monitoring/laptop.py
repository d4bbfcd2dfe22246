"""Prometheus and Alertmanager beside the laptop stack, under its supervisor, on loopback."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from infra.local import ports
from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.program import Program
from infra.local.settings import LOOPBACK, Settings
from infra.local.supervisor import Supervisor
from monitoring.config import Config
from monitoring.duration import prometheus
from monitoring.generate import ROOT
from monitoring.routing import PAGES, alertmanager
from monitoring.rules import rules
from monitoring.text import to_yaml
from release.platforms.local import specs

__all__ = ["down", "up"]

_NAMES: Mapping[str, tuple[str, ...]] = {
    "prometheus": ("prometheus",),
    # As the project calls it, and as Debian does.
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
}
_START_SECONDS = 30
# A backend is named <tenant>-v<version>-<port>-<protocol>@file.
_BACKENDS = {"source_labels": ["service"], "regex": r"(.+)-v\d+-\d+-\w+@file", "target_label": "tenant"}


def up(settings: Settings, config: Config, say: Callable[[str], None]) -> None:
    """Start both, or start them anew with the configuration as it is now, and wait until they answer.

    Raises:
        StackError: the stack does not run, a program is missing, or a port is taken.
    """
    binaries = {name: _binary(name) for name in _NAMES}
    supervisor = Supervisor(settings)
    if not supervisor.alive():
        raise StackError("the stack does not run; start it with: make up")
    running = supervisor.states()
    addresses = {"prometheus": settings.prometheus_port, "alertmanager": settings.alertmanager_port}
    for name, port in addresses.items():
        if name not in running and not ports.is_free(port):
            raise StackError(
                f"port {port} for {name} is taken by {ports.holder(port)}: "
                f"stop that, or choose another with FERRYMAN_{name.upper()}_PORT=…"
            )
    _configure(settings, config, supervisor.command("s3"))
    for program in _programs(settings, config, binaries):
        supervisor.add(program)
    for name, port in addresses.items():
        _await(supervisor, name, f"http://{LOOPBACK}:{port}")
        say(f"{name:<12} http://{LOOPBACK}:{port}")
    say(f"{'receivers':<12} {_folder(settings) / 'receivers'}  (a file each: see docs/monitoring.md)")


def down(settings: Settings) -> list[str]:
    """Stop both, and return what ran. What was measured stays."""
    supervisor = Supervisor(settings)
    running = [name for name in _NAMES if name in supervisor.states()]
    for name in running:
        supervisor.remove(name)
    return running


def _binary(name: str) -> str:
    found = next(filter(None, map(shutil.which, _NAMES[name])), None)
    if found is None:
        raise StackError(
            f"`{name}` is not on PATH. On Debian or Ubuntu: "
            "apt-get install --no-install-recommends prometheus prometheus-alertmanager"
        )
    return found


def _folder(settings: Settings) -> Path:
    return settings.home / "monitoring"


def _configure(settings: Settings, config: Config, store: str) -> None:
    folder = _folder(settings)
    receivers = folder / "receivers"
    receivers.mkdir(mode=0o700, parents=True, exist_ok=True)
    # There is no Grafana here: the links lead to what is in this checkout.
    links = config.links.model_copy(
        update={
            "runbooks": (ROOT / "monitoring/runbooks").as_uri(),
            "dashboards": (ROOT / "docs/monitoring").as_uri(),
        }
    )
    config = config.model_copy(update={"links": links})
    tenants = list(specs.read(settings.release_specs))
    pages = receivers / PAGES
    write_private(folder / "rules.yaml", to_yaml(rules(config)))

    def webhook(name: str) -> dict[str, str] | None:
        return {"url": (receivers / name).read_text().strip()} if (receivers / name).exists() else None

    routing = alertmanager(config, tenants, webhook, pages if pages.exists() else None)
    write_private(folder / "alertmanager.yaml", to_yaml(routing))
    write_private(folder / "prometheus.yaml", to_yaml(_prometheus(settings, config, store)))


def _prometheus(settings: Settings, config: Config, store: str) -> dict[str, Any]:
    admin = json.loads((settings.home / "gateway.json").read_text())["admin"]
    interval = prometheus(config.scrape.interval)
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": ["rules.yaml"],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"{LOOPBACK}:{settings.alertmanager_port}"]}]}]
        },
        "scrape_configs": [
            {"job_name": "predictors", "file_sd_configs": [{"files": [str(settings.predictors / "targets/*.json")]}]},
            _job("gateway", admin, metric_relabel_configs=[_BACKENDS]),
            _job("release", settings.controller_port),
            _job("prometheus", settings.prometheus_port),
            _job("alertmanager", settings.alertmanager_port),
            *_store(settings, store),
        ],
    }


def _job(name: str, port: int, **options: Any) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}], **options}


def _store(settings: Settings, command: str) -> list[dict[str, Any]]:
    """The store's job, by the command that it was started with; one that somebody else runs is watched by them."""
    if found := re.search(r"-metricsPort=(\d+)", command):
        return [_job("s3", int(found[1]))]
    return [_job("s3", settings.s3_port, metrics_path="/minio/v2/metrics/cluster")] if command else []


def _programs(settings: Settings, config: Config, binaries: Mapping[str, str]) -> Sequence[Program]:
    folder = _folder(settings)
    return [
        Program(
            "alertmanager",
            [
                binaries["alertmanager"],
                f"--config.file={folder / 'alertmanager.yaml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={LOOPBACK}:{settings.alertmanager_port}",
                # One alone needs no others to agree with.
                "--cluster.listen-address=",
            ],
        ),
        Program(
            "prometheus",
            [
                binaries["prometheus"],
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                "--storage.tsdb.retention.time=15d",
                f"--web.listen-address={LOOPBACK}:{settings.prometheus_port}",
                f"--rules.alert.resend-delay={prometheus(4 * config.scrape.interval)}",
            ],
        ),
    ]


def _await(supervisor: Supervisor, name: str, url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/-/ready", timeout=2, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        state = supervisor.states().get(name)
        if state is not None and state.failed:
            break
        time.sleep(0.1)
    raise StackError(f"{name} does not answer. Its last words:\n{supervisor.log_tail(name)}")
