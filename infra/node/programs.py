"""The command line of every program of the node, in the order in which they are started. Pure."""

from __future__ import annotations

from infra.local.program import Program
from infra.node.addresses import NODE, NODE_NAME, POD_RANGE, SERVICE_RANGE
from infra.node.layout import Layout

__all__ = ["cilium", "control_plane", "registry", "workers"]

ETCD = "http://127.0.0.1:2379"


def registry(layout: Layout) -> Program:
    """The image registry."""
    return Program("registry", [layout.binary("registry", "registry"), "serve", str(layout.state / "registry.yaml")])


def control_plane(layout: Layout) -> list[Program]:
    """Etcd, the API server, and the two that work on what it holds."""
    return [
        Program(
            "etcd",
            [layout.binary("etcd", "etcd"), f"--data-dir={layout.state}/etcd", f"--listen-client-urls={ETCD}"]
            + [f"--advertise-client-urls={ETCD}", "--listen-peer-urls=http://127.0.0.1:2380", "--log-level=warn"],
        ),
        Program("kube-apiserver", _api_server(layout)),
        Program(
            "kube-controller-manager",
            [layout.binary("kubernetes", "kube-controller-manager")]
            + _as("kube-controller-manager", layout)
            + [f"--root-ca-file={_key(layout, 'ca.crt')}", "--use-service-account-credentials"]
            + [f"--service-account-private-key-file={_key(layout, 'service-accounts.key')}"]
            + [f"--cluster-cidr={POD_RANGE}", "--allocate-node-cidrs", f"--service-cluster-ip-range={SERVICE_RANGE}"]
            # The suite watches a scale-out: decide often, and believe a pod's CPU soon after its start.
            + ["--horizontal-pod-autoscaler-sync-period=5s", "--horizontal-pod-autoscaler-initial-readiness-delay=10s"]
            + ["--horizontal-pod-autoscaler-cpu-initialization-period=30s"],
        ),
        Program("kube-scheduler", [layout.binary("kubernetes", "kube-scheduler"), *_as("kube-scheduler", layout)]),
    ]


def workers(layout: Layout) -> list[Program]:
    """What makes a machine a node."""
    return [
        Program("containerd", ["containerd", f"--config={layout.state}/containerd.toml"], {"PATH": _PATH}),
        Program(
            "kubelet",
            [layout.binary("kubernetes", "kubelet"), f"--config={layout.state}/kubelet.yaml"]
            + [f"--kubeconfig={_key(layout, 'kubelet.kubeconfig')}", f"--root-dir={layout.state}/kubelet"]
            + [f"--node-ip={NODE}", f"--hostname-override={NODE_NAME}"]
            + ["--node-labels=topology.kubernetes.io/zone=rig"],
            {"PATH": _PATH},
        ),
        Program(
            "kube-proxy",
            [layout.binary("kubernetes", "kube-proxy")]
            + [f"--kubeconfig={_key(layout, 'kube-proxy.kubeconfig')}", f"--hostname-override={NODE_NAME}"]
            + [f"--cluster-cidr={POD_RANGE}", "--proxy-mode=iptables"]
            # Both are settings of the whole machine.
            + ["--oom-score-adj=0", "--conntrack-max-per-core=0"],
            {"PATH": _PATH},
        ),
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
    return Program(
        "cilium-agent",
        [layout.binary("cilium", "cilium-agent"), *(f"--{name}={value}" for name, value in flags.items())],
        # It compiles its BPF programs with `clang` and `llc`.
        {"PATH": f"/usr/lib/llvm-19/bin:{_PATH}"},
    )


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _key(layout: Layout, name: str) -> str:
    return str(layout.state / "keys" / name)


def _as(user: str, layout: Layout) -> list[str]:
    own = _key(layout, f"{user}.kubeconfig")
    return [
        "--leader-elect=false",
        f"--kubeconfig={own}",
        f"--authentication-kubeconfig={own}",
        f"--authorization-kubeconfig={own}",
        "--bind-address=127.0.0.1",
    ]


def _api_server(layout: Layout) -> list[str]:
    return [
        layout.binary("kubernetes", "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        f"--advertise-address={NODE}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--allow-privileged",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={_key(layout, 'service-accounts.pub')}",
        f"--service-account-signing-key-file={_key(layout, 'service-accounts.key')}",
        f"--client-ca-file={_key(layout, 'ca.crt')}",
        f"--tls-cert-file={_key(layout, 'kube-apiserver.crt')}",
        f"--tls-private-key-file={_key(layout, 'kube-apiserver.key')}",
        f"--kubelet-client-certificate={_key(layout, 'admin.crt')}",
        f"--kubelet-client-key={_key(layout, 'admin.key')}",
        f"--proxy-client-cert-file={_key(layout, 'front-proxy.crt')}",
        f"--proxy-client-key-file={_key(layout, 'front-proxy.key')}",
        f"--requestheader-client-ca-file={_key(layout, 'ca.crt')}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--audit-policy-file={layout.state}/audit.yaml",
        f"--audit-log-path={layout.logs}/audit.log",
        "--audit-log-maxsize=50",
        "--audit-log-maxbackup=2",
    ]
