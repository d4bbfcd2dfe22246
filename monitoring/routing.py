"""Who hears of what: pages, tickets, and each tenant about itself. Alertmanager's configuration, secrets by file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from monitoring.alert import PLATFORM
from monitoring.config import Config
from monitoring.duration import prometheus

__all__ = ["PAGES", "TICKETS", "Webhook", "alertmanager", "with_token"]

PAGES = "pages"
"""The receiver, and the file with PagerDuty's routing key."""
TICKETS = "tickets"

Webhook = Callable[[str], dict[str, Any] | None]
"""How a receiver is called, by its name; None: it hears nothing."""

# In multiples of the scrape interval, so that a test which divides every duration waits for nothing.
_GROUP_WAIT, _GROUP_INTERVAL, _REPEAT = 2, 20, 960


def alertmanager(config: Config, tenants: Sequence[str], webhook: Webhook, pages: Path | None) -> dict[str, Any]:
    """Return the configuration.

    Args:
        config: the numbers.
        tenants: those that have a receiver of their own, beside the platform.
        webhook: how tickets, each tenant and the platform are called.
        pages: the file with PagerDuty's key; None: nobody is paged.
    """
    interval = config.scrape.interval
    names = [*tenants, PLATFORM]
    return {
        "route": {
            "receiver": TICKETS,
            "group_by": ["alertname", "tenant"],
            "group_wait": prometheus(_GROUP_WAIT * interval),
            "group_interval": prometheus(_GROUP_INTERVAL * interval),
            "repeat_interval": prometheus(_REPEAT * interval),
            "routes": [
                *({"receiver": name, "matchers": [f'tenant="{name}"'], "continue": True} for name in names),
                {"receiver": PAGES, "matchers": ['severity="page"']},
                {"receiver": TICKETS, "matchers": ['severity="ticket"']},
            ],
        },
        "receivers": [
            {"name": PAGES, **({"pagerduty_configs": [_pagerduty(pages)]} if pages else {})},
            *(
                {"name": name, **({"webhook_configs": [how]} if (how := webhook(name)) else {})}
                for name in (TICKETS, *names)
            ),
        ],
        "inhibit_rules": _inhibited(),
    }


def with_token(config: Config, secrets: Path) -> Webhook:
    """Return the calling of the configured address, with the token that is in a file of the receiver's name."""

    def webhook(name: str) -> dict[str, Any]:
        token = {"credentials_file": str(secrets / name)}
        return {"url": f"{config.links.webhooks}/{name}", "http_config": {"authorization": token}}

    return webhook


def _pagerduty(key: Path) -> dict[str, Any]:
    said = "{{ .CommonAnnotations.summary }}"
    links = [
        {"href": f"{{{{ .CommonAnnotations.{name}_url }}}}", "text": name.capitalize()}
        for name in ("runbook", "dashboard")
    ]
    return {"routing_key_file": str(key), "description": said, "links": links}


def _inhibited() -> list[dict[str, Any]]:
    """What follows from something that is known already."""

    def silences(source: Sequence[str], target: Sequence[str], *equal: str) -> dict[str, Any]:
        return {"source_matchers": list(source), "target_matchers": list(target), "equal": list(equal)}

    return [
        # Without the registry or the store nothing can be verified or started.
        silences(['alertname="RegistryUnreachable"'], ['alertname="ReleaseStuck"']),
        silences(['alertname="TargetDown"', 'job="s3"'], ['alertname=~"ReleaseStuck|RegistryUnreachable"']),
        # Without the gateway the controller sees nothing, and nobody is answered.
        silences(['alertname="TargetDown"', 'job="gateway"'], ['alertname=~"ReleaseStuck|PredictorErrors"']),
        silences(['alertname="AvailabilityBurnsFast"'], ['alertname="AvailabilityBurnsSlowly"'], "tenant"),
        silences(['alertname="LatencyBurnsFast"'], ['alertname="LatencyBurnsSlowly"'], "tenant"),
        # A refused signature or a failed canary says why the release does not arrive.
        silences(['alertname=~"SignatureRefused|ReleaseRolledBack"'], ['alertname="ReleaseStuck"'], "tenant"),
    ]
