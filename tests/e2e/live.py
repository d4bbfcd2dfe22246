"""The live cluster, and the commands that people type."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from pods import run

from infra.platform.cluster import Cluster
from infra.platform.manifests import ROOT
from infra.platform.tenant import domain_of

TENANTS = ("tenant-a", "tenant-b")


class Live:
    """The cluster with the platform on it."""

    def __init__(self, images: dict[str, str]) -> None:
        self.cluster = Cluster()
        self.images = images
        self.domain = domain_of(self.cluster)

    def host(self, tenant: str) -> str:
        return f"{tenant}.{self.domain}"

    def ask(self, tenant: str, text: str = "a great and moving film") -> Any:
        """What the tenant says over every protocol, asked from outside every tenant."""
        return run(self.cluster, "e2e", "client", "ask.py", "gateway.gateway", self.host(tenant), text)

    @contextmanager
    def s3(self, namespace: str, secret: str) -> Iterator[Any]:
        """The object store, with the keys in a Secret."""
        data = self.cluster.get("secret", secret, namespace)["data"]
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        key, password = (base64.b64decode(data[name]).decode() for name in names)
        with self.cluster.forward("minio", "minio", 9000) as port:
            yield boto3.client(
                "s3",
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_access_key_id=key,
                aws_secret_access_key=password,
                region_name="us-east-1",
                config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
            )

    def rollout(self, version: int, *tenants: str) -> None:
        chosen = [word for tenant in tenants for word in ("--tenant", tenant)]
        command("release.platforms.kubernetes", "--version", str(version), *chosen)

    def train(self, *arguments: str) -> int:
        """Train in the cluster and return the registered version."""
        said = command("infra.platform", "train", "--", *arguments)
        found = re.search(r"sentiment version (\d+)", said)
        assert found, said
        return int(found[1])

    def served(self, tenant: str) -> set[str]:
        """The versions that the tenant's route gives requests."""
        route = self.cluster.get("httproute", "sentiment", tenant)
        backends = route["spec"]["rules"][-1]["backendRefs"] if route else []
        return {re.fullmatch(r"sentiment-v(\d+)-predictor", each["name"])[1] for each in backends}

    def replicas(self, tenant: str, version: int | str) -> int:
        """How many predictors of the version are wanted."""
        found = self.cluster.get("deployment", f"sentiment-v{version}-predictor", tenant)
        return int(found["spec"]["replicas"])

    def routed(self, tenant: str) -> bool:
        """Whether the tenant has a route."""
        return bool(self.cluster.find("httproute", "ferryman.dev/model=sentiment", tenant))

    def predictors(self, tenant: str) -> list[Any]:
        """The pods of the versions that get requests, as far as they are ready and stay."""
        served = self.served(tenant)
        return [
            found
            for found in self.cluster.find("pod", "component=predictor,ferryman.dev/version", tenant)
            if found["metadata"]["labels"]["ferryman.dev/version"] in served
            and not found["metadata"].get("deletionTimestamp")
            and any(c["type"] == "Ready" and c["status"] == "True" for c in found["status"].get("conditions", []))
        ]


def command(module: str, *arguments: str) -> str:
    """Run `python -m …` as the Makefile does and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{module} {' '.join(arguments)}: {done.stderr}"
    return done.stdout
