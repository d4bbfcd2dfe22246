"""The MLflow model folder: its digest, its published address, and loading it without pickle."""

from artifact.address import AddressError, PublishedArtifact
from artifact.digest import ArtifactError, tree_digest
from artifact.model import MODEL_FILE, UntrustedTypeError, load_pipeline
from artifact.verify import DigestMismatchError, verify_folder

__all__ = [
    "MODEL_FILE",
    "AddressError",
    "ArtifactError",
    "DigestMismatchError",
    "PublishedArtifact",
    "UntrustedTypeError",
    "load_pipeline",
    "tree_digest",
    "verify_folder",
]
