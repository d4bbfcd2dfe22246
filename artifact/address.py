"""Where a published artifact lies: ``s3://released/<model>/<version>-<digest12>/``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from artifact.refusal import Reason, RefusedError

__all__ = ["RELEASED_BUCKET", "AddressError", "PublishedArtifact", "ReleasedStore"]

RELEASED_BUCKET = "released"

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_URI = re.compile(
    rf"s3://{RELEASED_BUCKET}/(?P<model>{_MODEL.pattern})/(?P<version>[1-9][0-9]{{0,8}})-(?P<digest12>[0-9a-f]{{12}})/"
)


class AddressError(RefusedError):
    """The address is not that of a published artifact."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.OUTSIDE_RELEASED, message)


@dataclass(frozen=True)
class PublishedArtifact:
    """One immutable place in the released bucket; it carries the version and the digest to the predictor."""

    model: str
    version: int
    digest12: str

    @classmethod
    def of(cls, model: str, version: int, digest: str) -> PublishedArtifact:
        """Return the address for a registered version and its full digest (64 hex digits)."""
        return cls.parse(f"s3://{RELEASED_BUCKET}/{model}/{version}-{digest[:12]}/")

    @classmethod
    def parse(cls, uri: str) -> PublishedArtifact:
        """Parse a storage URI.

        Raises:
            AddressError: the URI is outside ``released/`` or not in the published form.
        """
        match = _URI.fullmatch(uri)
        if match is None:
            raise AddressError(
                f"{uri!r} is not a published artifact: expected "
                f"s3://{RELEASED_BUCKET}/<model>/<version>-<12 hex digits>/ (with the closing slash)"
            )
        return cls(match["model"], int(match["version"]), match["digest12"])

    @property
    def prefix(self) -> str:
        """The key prefix inside the released bucket. It ends with a slash, or ``…/1`` would also match ``…/10``."""
        return f"{self.model}/{self.version}-{self.digest12}/"

    @property
    def uri(self) -> str:
        """The storage URI."""
        return f"s3://{RELEASED_BUCKET}/{self.prefix}"


@dataclass(frozen=True)
class ReleasedStore:
    """Where ``s3://released/`` lies in the object store: a bucket, and what its keys begin with.

    A bucket ``released``, unless ``FERRYMAN_S3_BUCKET`` names the one bucket that holds everything: on AWS a name is
    taken once in the world. Addresses stay the same: who admits, signs or shows them knows no difference.
    """

    bucket: str
    root: str

    @classmethod
    def from_environment(cls) -> ReleasedStore:
        """Return the store that the environment names."""
        bucket = os.environ.get("FERRYMAN_S3_BUCKET")
        return cls(bucket, f"{RELEASED_BUCKET}/") if bucket else cls(RELEASED_BUCKET, "")
