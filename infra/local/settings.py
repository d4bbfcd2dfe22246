"""Where the laptop stack keeps its state and on which ports it listens."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["LOOPBACK", "TENANTS", "Settings", "tenant_host"]

LOOPBACK = "127.0.0.1"
TENANTS = ("tenant-a", "tenant-b")


class Settings(BaseSettings):
    """Read from ``FERRYMAN_HOME``, ``FERRYMAN_TLS`` and the ports, as in ``FERRYMAN_S3_PORT``."""

    model_config = SettingsConfigDict(env_prefix="FERRYMAN_")

    home: Path = Path(".ferryman")
    s3_port: int = Field(default=9000, ge=1, le=65535)
    mlflow_port: int = Field(default=5000, ge=1, le=65535)
    tls: bool = False
    gateway_port: int = Field(default=8080, ge=1, le=65535)
    gateway_tls_port: int = Field(default=8443, ge=1, le=65535)
    controller_port: int = Field(default=8090, ge=1, le=65535)
    prometheus_port: int = Field(default=9090, ge=1, le=65535)
    alertmanager_port: int = Field(default=9093, ge=1, le=65535)

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @property
    def s3_url(self) -> str:
        """The embedded object store's address."""
        return f"http://{LOOPBACK}:{self.s3_port}"

    @property
    def mlflow_url(self) -> str:
        """The tracking server's address, which is its UI's too."""
        return f"http://{LOOPBACK}:{self.mlflow_port}"

    @property
    def gateway_url(self) -> str:
        """The gateway's address; tenants are told apart by the Host header. With TLS the plain port redirects to it."""
        return f"https://{LOOPBACK}:{self.gateway_tls_port}" if self.tls else f"http://{LOOPBACK}:{self.gateway_port}"

    @property
    def controller_url(self) -> str:
        """The release controller's address: page, API, metrics, webhook."""
        return f"http://{LOOPBACK}:{self.controller_port}"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.home / "logs"

    @property
    def routes(self) -> Path:
        """The folder that the gateway watches."""
        return self.home / "gateway"

    @property
    def release_specs(self) -> Path:
        """What each tenant follows, and how; people edit it."""
        return self.home / "releases.yaml"

    @property
    def releases(self) -> Path:
        """Where each tenant's release stands."""
        return self.home / "releases"

    @property
    def requests(self) -> Path:
        """What people ask of each tenant's release."""
        return self.home / "requests"

    @property
    def predictors(self) -> Path:
        """One file a predictor: what it serves, and where it listens."""
        return self.home / "predictors"

    def prepare(self) -> None:
        """Make the state folder, readable by its owner alone."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.logs, self.routes, self.releases, self.requests, self.predictors):
            folder.mkdir(mode=0o700, exist_ok=True)


def tenant_host(tenant: str) -> str:
    """Return the host name by which clients reach a tenant."""
    return f"{tenant}.localhost"
