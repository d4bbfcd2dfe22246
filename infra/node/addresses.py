"""Every address and name of the node, in one place. All of them exist in its network namespace alone, but HOST."""

__all__ = [
    "CLUSTER_DNS",
    "HOST",
    "LINK",
    "NETWORK",
    "NODE",
    "NODE_NAME",
    "NOWHERE",
    "POD_RANGE",
    "REGISTRY",
    "REGISTRY_NAME",
    "SERVER",
    "SERVICE_RANGE",
]

NODE_NAME = "ferryman-node"
"""The Kubernetes node, the network namespace, the control group and the host's end of the link are all called so."""

LINK = "ferryman-node"

# A range for documentation (RFC 5737): nobody's network is there.
NETWORK = "198.51.100.0/29"
HOST = "198.51.100.1"
NODE = "198.51.100.2"
NOWHERE = "198.51.100.6"
"""The default route's gateway, an address that nobody has: kubelet and Cilium want a route, and nothing may leave."""

POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
CLUSTER_DNS = "10.96.0.10"
SERVER = f"https://{NODE}:6443"

REGISTRY = "127.0.0.1:5000"
REGISTRY_NAME = "registry.test"
"""The name in image references; containerd is told that it means REGISTRY."""
