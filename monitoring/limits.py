"""What of their limits pods use up, by what kubelets say."""

from __future__ import annotations

__all__ = ["cpu_used", "memory_used"]

# A limit is on the pod's own control group: the kubelet's series per container carry no labels on every runtime.
_POD = 'container="",pod!=""'


def cpu_used(by: str, containers: str, over: str) -> str:
    """Return the PromQL for the share of its CPU limit that each pod's containers use.

    Args:
        by: the labels of a pod in the answer.
        containers: a selector of labels.
        over: a duration of Prometheus.
    """
    limit = f"max by ({by}) (container_spec_cpu_%s{{{_POD}}})"
    used = f"rate(container_cpu_usage_seconds_total{{{containers}}}[{over}])"
    return f"sum by ({by}) ({used})\n/ ({limit % 'quota'} / {limit % 'period'})"


def memory_used(by: str, containers: str) -> str:
    """Return the PromQL for the share of its memory limit that each pod's containers hold, in the same terms."""
    limit = f"(max by ({by}) (container_spec_memory_limit_bytes{{{_POD}}}) > 0)"
    return f"sum by ({by}) (container_memory_working_set_bytes{{{containers}}})\n/ {limit}"
