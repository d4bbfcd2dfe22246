"""What every tenant stands on."""

from __future__ import annotations

from monitoring.alert import PLATFORM, Alert
from monitoring.config import Config
from monitoring.limits import memory_used

__all__ = ["alerts"]

_ALWAYS_THERE = ("gateway", "release")
"""Jobs that no installation is without, and on a cluster their namespaces; the more tenants, the more these hold."""


def alerts(config: Config) -> list[Alert]:
    """Return the alerts about the controller, the registry, the gateway, the store, and Prometheus' own eyes."""
    absent = " or ".join(f'absent(up{{job="{job}"}})' for job in _ALWAYS_THERE)
    return [
        Alert(
            "ControllerDown",
            'up{job="release"} == 0',
            "The release controller does not answer: nothing new is released, and nothing bad is rolled back",
            "platform",
            everybody=True,
        ),
        Alert(
            "RegistryUnreachable",
            "max(ferryman_registry_reachable) == 0",
            "MLflow does not answer the release controller: every tenant goes on with what it serves",
            "platform",
            everybody=True,
        ),
        Alert(
            "TargetDown",
            'up{job!~"predictors|release"} == 0',
            "{{ $labels.job }} at {{ $labels.instance }} does not answer Prometheus",
            "platform",
            everybody=True,
        ),
        Alert(
            "TargetAbsent",
            f'label_replace({absent}, "tenant", "{PLATFORM}", "", "")\n'
            'or\nmax by (tenant) (ferryman_release_weight > 0) unless on (tenant) up{job="predictors"}',
            'Prometheus knows no {{ or $labels.job (printf "predictor of %s" $labels.tenant) }}: '
            "nothing about it can be seen",
            "platform",
        ),
        # The newest of a name: Traefik goes on showing those that it replaced.
        Alert(
            "CertificateExpiring",
            f"max by (cn) (traefik_tls_certs_not_after) - time() < {config.alerts['CertificateExpiring'].below:.0f}",
            "The gateway's certificate for {{ $labels.cn }} expires in {{ $value | humanizeDuration }}",
            "platform",
            everybody=True,
        ),
        _store(config),
        _memory(config),
    ]


def _store(config: Config) -> Alert:
    minio = "minio_cluster_capacity_usable_free_bytes / minio_cluster_capacity_usable_total_bytes"
    seaweed = (
        'SeaweedFS_volumeServer_resource{type="avail"} / ignoring (type) SeaweedFS_volumeServer_resource{type="all"}'
    )
    return Alert(
        "ObjectStoreNearlyFull",
        f"min({minio} or {seaweed}) < {config.alerts['ObjectStoreNearlyFull'].below:g}",
        "Only {{ $value | humanizePercentage }} of the object store is free: when it is full, nothing can be released",
        "platform",
        everybody=True,
    )


def _memory(config: Config) -> Alert:
    containers = f'namespace=~"{"|".join(_ALWAYS_THERE)}"'
    return Alert(
        "PlatformMemoryHigh",
        f"{memory_used('namespace, pod', containers)} > {config.alerts['PlatformMemoryHigh'].above:g}",
        "{{ $labels.pod }} uses {{ $value | humanizePercentage }} of the memory that it may: "
        "at all of it the kernel kills it",
        "platform",
        everybody=True,
    )
