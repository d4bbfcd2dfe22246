"""A ModelRelease, as the API server gives it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import ValidationError

from release.crd import API_VERSION, KIND
from release.observation import Requests
from release.platforms.kubernetes import names
from release.platforms.kubernetes.objects import Object, Owner
from release.spec import ReleaseSpec
from release.status import ReleaseStatus
from release.store import Release

__all__ = ["ClusterRelease", "model_release", "owner_of"]


@dataclass(frozen=True)
class ClusterRelease(Release):
    """A ModelRelease with what its objects need to name it as their owner, and its resource version."""

    owner: Owner = field(default_factory=dict)
    resource_version: str = ""

    def is_newer(self, other: ClusterRelease | None) -> bool:
        """Whether it is a later state of the same object."""
        same = other is not None and other.owner["uid"] == self.owner["uid"]
        return other is not None and same and int(self.resource_version) > int(other.resource_version)


def model_release(found: Object) -> ClusterRelease:
    """Return a ModelRelease as the API server gives it.

    Raises:
        ValueError: a field is wrong; the message names it.
    """
    metadata = found["metadata"]
    name = f"{metadata['namespace']}/{metadata['name']}"
    try:
        spec = ReleaseSpec.model_validate(found["spec"])
        status = ReleaseStatus.model_validate(found.get("status", {}))
    except ValidationError as error:
        fault = error.errors()[0]
        raise ValueError(f"{name}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from error
    notes = metadata.get("annotations", {})
    tokens = {kind: notes.get(annotation) for kind, annotation in names.TOKENS.items()}
    owner = {
        # An object in a list does not say what it is.
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }
    requests = Requests(pause=notes.get(names.PAUSE) == "true", **tokens)
    return ClusterRelease(name, metadata["namespace"], spec, status, requests, owner, str(metadata["resourceVersion"]))


def owner_of(release: Release) -> Owner:
    """Return what the objects of a release name as their owner."""
    assert isinstance(release, ClusterRelease)  # noqa: S101 # the cluster's store hands out no others
    return release.owner
