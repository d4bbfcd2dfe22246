"""The MLflow model folder: its digest, its signature, its published address, and loading it without pickle.

Loading lives in :mod:`artifact.model`, which imports scikit-learn: whoever only checks digests need not wait for it.
"""

from artifact.address import AddressError, PublishedArtifact
from artifact.digest import ArtifactError, tree_digest
from artifact.refusal import Reason, RefusedError
from artifact.signature import Verified, verify_signed
from artifact.statement import Statement
from artifact.trust import Trust, TrustError
from artifact.verify import DigestMismatchError, verify_folder

__all__ = [
    "AddressError",
    "ArtifactError",
    "DigestMismatchError",
    "PublishedArtifact",
    "Reason",
    "RefusedError",
    "Statement",
    "Trust",
    "TrustError",
    "Verified",
    "tree_digest",
    "verify_folder",
    "verify_signed",
]
