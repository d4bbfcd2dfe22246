"""The command line of every program of the node. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from infra.local.program import Program
from infra.node.addresses import NODE, NODE_NAME, POD_RANGE, SERVICE_RANGE
from infra.node.layout import Layout

__all__ = ["cilium", "control_plane", "registry", "workers"]

ETCD = "http://127.0.0.1:2379"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def registry(layout: Layout) -> Program:
    """The image registry."""
    command = [layout.binary("registry", "registry"), "serve", str(layout.state / "registry.yaml")]
    return Program("registry", command, {"OTEL_TRACES_EXPORTER": "none"})


def control_plane(layout: Layout) -> list[Program]:
    """Etcd, the API server, and the two that work on what it holds."""
    etcd = {
        "data-dir": layout.state / "etcd",
        "listen-client-urls": ETCD,
        "advertise-client-urls": ETCD,
        "listen-peer-urls": "http://127.0.0.1:2380",
        "log-level": "warn",
    }
    controllers = _client("kube-controller-manager", layout) | {
        "root-ca-file": layout.key("ca.crt"),
        "service-account-private-key-file": layout.key("service-accounts.key"),
        "use-service-account-credentials": "true",
        "allocate-node-cidrs": "true",
        "cluster-cidr": POD_RANGE,
        "service-cluster-ip-range": SERVICE_RANGE,
        # The suite watches a scale-out: decide often, and believe a pod's CPU soon after its start.
        "horizontal-pod-autoscaler-sync-period": "5s",
        "horizontal-pod-autoscaler-initial-readiness-delay": "10s",
        "horizontal-pod-autoscaler-cpu-initialization-period": "30s",
    }
    return [
        _program(layout, "etcd", "etcd", etcd),
        _program(layout, "kubernetes", "kube-apiserver", _api_server(layout)),
        _program(layout, "kubernetes", "kube-controller-manager", controllers),
        _program(layout, "kubernetes", "kube-scheduler", _client("kube-scheduler", layout)),
    ]


def workers(layout: Layout) -> list[Program]:
    """What makes a machine a node."""
    kubelet = {
        "config": layout.state / "kubelet.yaml",
        "kubeconfig": layout.key("kubelet.kubeconfig"),
        "root-dir": layout.state / "kubelet",
        "node-ip": NODE,
        "hostname-override": NODE_NAME,
        "node-labels": "topology.kubernetes.io/zone=rig",
    }
    proxy = {
        "kubeconfig": layout.key("kube-proxy.kubeconfig"),
        "hostname-override": NODE_NAME,
        "cluster-cidr": POD_RANGE,
        "proxy-mode": "iptables",
        # Both are settings of the whole machine: leave them.
        "oom-score-adj": 0,
        "conntrack-max-per-core": 0,
    }
    return [
        Program("containerd", ["containerd", f"--config={layout.state}/containerd.toml"], {"PATH": _PATH}),
        _program(layout, "kubernetes", "kubelet", kubelet),
        _program(layout, "kubernetes", "kube-proxy", proxy),
    ]


def cilium(layout: Layout, cgroup_root: str) -> Program:
    """The engine that enforces NetworkPolicies. One agent is enough: what its operator does, the rig does not need."""
    flags = {
        "k8s-kubeconfig-path": layout.kubeconfig,
        "state-dir": "/run/cilium",
        "lib-dir": layout.component("cilium") / "files",
        "cgroup-root": cgroup_root,
        "devices": "eth0",
        "datapath-mode": "veth",
        "ipam": "kubernetes",
        "routing-mode": "native",
        "ipv4-native-routing-cidr": POD_RANGE,
        "identity-allocation-mode": "crd",
        "enable-host-legacy-routing": "true",
        "kube-proxy-replacement": "false",
        "enable-ipv6": "false",
        "enable-l7-proxy": "false",
        "enable-hubble": "false",
        "enable-health-checking": "false",
    }
    return _program(layout, "cilium", "cilium-agent", flags)


def _program(layout: Layout, component: str, name: str, flags: Mapping[str, object]) -> Program:
    command = [layout.binary(component, name), *(f"--{flag}={value}" for flag, value in flags.items())]
    # For Cilium: it compiles its BPF programs with `clang` and `llc`, and takes the machine's name for the node's.
    return Program(name, command, {"PATH": f"/usr/lib/llvm-19/bin:{_PATH}", "K8S_NODE_NAME": NODE_NAME})


def _client(user: str, layout: Layout) -> dict[str, object]:
    own = layout.key(f"{user}.kubeconfig")
    return {
        "kubeconfig": own,
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": "127.0.0.1",
    }


def _api_server(layout: Layout) -> dict[str, object]:
    return {
        "etcd-servers": ETCD,
        "advertise-address": NODE,
        "service-cluster-ip-range": SERVICE_RANGE,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": layout.key("service-accounts.pub"),
        "service-account-signing-key-file": layout.key("service-accounts.key"),
        "client-ca-file": layout.key("ca.crt"),
        "tls-cert-file": layout.key("kube-apiserver.crt"),
        "tls-private-key-file": layout.key("kube-apiserver.key"),
        "kubelet-client-certificate": layout.key("admin.crt"),
        "kubelet-client-key": layout.key("admin.key"),
        "proxy-client-cert-file": layout.key("front-proxy.crt"),
        "proxy-client-key-file": layout.key("front-proxy.key"),
        "requestheader-client-ca-file": layout.key("ca.crt"),
        "requestheader-allowed-names": "front-proxy",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "audit-policy-file": layout.state / "audit.yaml",
        "audit-log-path": layout.logs / "audit.log",
        "audit-log-maxsize": 50,
        "audit-log-maxbackup": 2,
    }
