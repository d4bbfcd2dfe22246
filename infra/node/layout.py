"""Where the node keeps what: everything lies in one folder, the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Layout"]


@dataclass(frozen=True)
class Layout:
    """The folders of one cache. `state` is the cluster's own and goes with it; the rest is kept for the next one."""

    cache: Path

    @classmethod
    def from_environment(cls) -> Layout:
        """FERRYMAN_NODE_CACHE, else the user's cache folder."""
        chosen = os.environ.get("FERRYMAN_NODE_CACHE")
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cls(Path(chosen).resolve() if chosen else home / "ferryman" / "node")

    @property
    def images(self) -> Path:
        """Image name -> reference by digest, as JSON."""
        return self.cache / "images.json"

    @property
    def registry(self) -> Path:
        """What the registry stores."""
        return self.cache / "registry"

    @property
    def containerd(self) -> Path:
        """Pulled images, and the containers of the cluster."""
        return self.cache / "containerd"

    @property
    def state(self) -> Path:
        """The cluster: keys, etcd, volumes, logs."""
        return self.cache / "state"

    @property
    def logs(self) -> Path:
        """One log a program, and the audit log."""
        return self.state / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    def key(self, name: str) -> Path:
        """A certificate, a key, or a kubeconfig that holds them."""
        return self.state / "keys" / name

    def component(self, name: str) -> Path:
        """The folder of a built component: `bin/`, `files/`."""
        return self.cache / "components" / name

    def binary(self, component: str, name: str) -> str:
        """The path of a built program."""
        return str(self.component(component) / "bin" / name)
