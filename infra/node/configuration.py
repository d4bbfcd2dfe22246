"""The configuration files of the node's programs. Pure: each function returns a file's text."""

from __future__ import annotations

import yaml

from infra.node.addresses import CLUSTER_DNS, NODE_NAME, REGISTRY, REGISTRY_NAME
from infra.node.layout import Layout

__all__ = ["CONTAINERD_SOCKET", "SUPERVISOR_SOCKET", "files", "first_files", "network_plugin"]

# Both are in the node's own /run, which no other process of the machine sees.
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
SUPERVISOR_SOCKET = "/run/supervisor.sock"


def first_files(layout: Layout) -> dict[str, str]:
    """What must be there before there are images: the supervisor's file and the registry's."""
    return {"supervisord.conf": _supervisord(layout), "registry.yaml": _registry(layout)}


def files(layout: Layout, pause: str) -> dict[str, str]:
    """Every other file by its path below the state folder.

    Args:
        layout: the folders.
        pause: the reference of the image that holds a pod's namespaces.
    """
    return {
        "containerd.toml": _containerd(layout, pause),
        f"registries/{REGISTRY_NAME}/hosts.toml": _hosts(),
        "kubelet.yaml": _kubelet(layout),
        "audit.yaml": _audit(),
        # Pods that do not ask the cluster's DNS get no other: there is none to reach.
        "resolv.conf": f"nameserver {CLUSTER_DNS}\n",
    }


def network_plugin() -> str:
    """What tells containerd to give a pod's network to Cilium."""
    return '{"cniVersion": "0.3.1", "name": "cilium", "plugins": [{"type": "cilium-cni", "enable-debug": false}]}\n'


def _supervisord(layout: Layout) -> str:
    return (
        f"[unix_http_server]\nfile={SUPERVISOR_SOCKET}\nchmod=0600\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
        f"[supervisord]\nnodaemon=true\nlogfile={layout.logs}/supervisord.log\nlogfile_maxbytes=1MB\n"
        f"logfile_backups=1\npidfile=/run/supervisord.pid\nchildlogdir={layout.logs}\nidentifier={NODE_NAME}\n\n"
        f"[include]\nfiles={layout.state}/programs/*.conf\n"
    )


def _registry(layout: Layout) -> str:
    return yaml.safe_dump(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(layout.registry)}, "delete": {"enabled": True}},
            "http": {"addr": REGISTRY, "secret": NODE_NAME},
        }
    )


def _containerd(layout: Layout, pause: str) -> str:
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{layout.containerd}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{CONTAINERD_SOCKET}"

[{cri}]
sandbox_image = "{pause}"
disable_tcp_service = true
# Without CAP_SYS_RESOURCE a process may not make itself less likely to be killed than its parent.
restrict_oom_score_adj = true
# As Docker does: in a pod of its own, a port below 1024 needs no privilege.
enable_unprivileged_ports = true
enable_unprivileged_icmp = true

[{cri}.containerd]
discard_unpacked_layers = true

[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false

[{cri}.cni]
bin_dir = "{layout.state}/cni/bin"
conf_dir = "{layout.state}/cni/net.d"

[{cri}.registry]
config_path = "{layout.state}/registries"
"""


def _hosts() -> str:
    # `server` as well: it is asked last, and would else be the name itself, by HTTPS.
    address = f"http://{REGISTRY}"
    return f'server = "{address}"\n[host."{address}"]\ncapabilities = ["pull", "resolve"]\n'


def _kubelet(layout: Layout) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "authentication": {
                "anonymous": {"enabled": False},
                "x509": {"clientCAFile": f"{layout.state}/keys/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "clusterDNS": [CLUSTER_DNS],
            "clusterDomain": "cluster.local",
            "resolvConf": f"{layout.state}/resolv.conf",
            "podLogsDir": f"{layout.logs}/pods",
            "volumePluginDir": f"{layout.state}/kubelet/volume-plugins",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{NODE_NAME}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "serializeImagePulls": False,
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"memory.available": "200Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        }
    )


def _audit() -> str:
    """Who did what to what; never the contents, which hold Secrets."""
    return yaml.safe_dump(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [
                {"level": "None", "verbs": ["get", "list", "watch"]},
                {
                    "level": "None",
                    "resources": [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["events"]}],
                },
                {"level": "Metadata"},
            ],
        }
    )
