"""Verifying what the gate signed: an OpenSSF model-signing bundle over the files, and a statement that names them.

The bundle alone binds contents but no name: a renamed folder verifies. The statement binds model, version and digest.
Each signature lies in the artifact as ``signatures/<key id>/``. The libraries take 0.9 s to import, so they are
imported when something is verified.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artifact.address import PublishedArtifact
from artifact.digest import DOWNLOAD_NOTE, SIGNATURES, ArtifactError, tree_digest
from artifact.keys import public_key
from artifact.refusal import Reason, RefusedError
from artifact.statement import PAYLOAD_TYPE, Statement
from artifact.trust import Trust, TrustedKey

if TYPE_CHECKING:
    from model_signing.hashing import Config

__all__ = ["SignatureFiles", "Verified", "hashing_config", "verify_signed"]

# Ours take a few kilobytes. Whoever writes to the registry must not fill the verifier's memory.
_LARGEST_SIGNATURE = 1 << 20


@dataclass(frozen=True)
class SignatureFiles:
    """The two files of one signature."""

    bundle: Path
    statement: Path

    @classmethod
    def of(cls, folder: Path, key: str) -> SignatureFiles:
        """Return where the signature of the key with this id lies in an artifact folder."""
        place = folder / SIGNATURES / key
        return cls(place / "model.sig", place / "statement.dsse.json")


@dataclass(frozen=True)
class Verified:
    """What was signed, and the ids of the trusted keys whose signatures hold."""

    statement: Statement
    keys: tuple[str, ...]


def verify_signed(folder: Path, place: PublishedArtifact, trust: Trust) -> Verified:
    """Verify that the folder holds the bytes that the gate (or an override) signed for this very model and version.

    Args:
        folder: the artifact with its signatures; nobody else may write there.
        place: the address that it was downloaded from, or is to be published at.
        trust: the accepted keys and the revoked digests.

    Raises:
        RefusedError: it must not be used; the message is one sentence that says why.
    """
    name = f"{place.model} version {place.version}"
    try:
        digest = tree_digest(folder)
    except ArtifactError as error:
        raise RefusedError(Reason.ALTERED, f"{name}: {str(error).rsplit(': ', 1)[-1]}") from error
    # Other names are anybody's text, and end up in messages.
    signers = sorted(path.name for path in (folder / SIGNATURES).glob("[0-9a-f]" * 16))
    if not signers:
        raise RefusedError(Reason.UNSIGNED, f"{name} is not signed")
    keys = [key for key in trust.keys if key.id in signers]
    if not keys:
        raise RefusedError(
            Reason.UNTRUSTED_KEY, f"{name} is signed with a key that is not trusted here ({', '.join(signers[:3])})"
        )
    held: dict[str, Statement] = {}
    faults: list[RefusedError] = []
    for key in keys:
        try:
            statement = _statement(SignatureFiles.of(folder, key.id), key, name)
            _check(statement, place, digest, trust, name)
            _verify_bundle(folder, key, name)
            held[key.id] = statement
        except RefusedError as fault:
            faults.append(fault)
    if not held:
        raise faults[0]
    return Verified(next(iter(held.values())), tuple(held))


def hashing_config() -> Config:
    """Return what the bundle covers: every file but the signatures and MLflow's download note."""
    from model_signing.hashing import Config

    return Config().set_ignored_paths(paths=[SIGNATURES, DOWNLOAD_NOTE], ignore_git_paths=False)


def _statement(files: SignatureFiles, key: TrustedKey, name: str) -> Statement:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    for file in (files.statement, files.bundle):
        if not file.is_file():
            raise RefusedError(Reason.UNSIGNED, f"{name} is not signed: {file.name} is missing")
        if file.stat().st_size > _LARGEST_SIGNATURE:
            raise RefusedError(Reason.ALTERED, f"{name}: {file.name} is too large to be a signature")
    try:
        envelope = Envelope.from_dict(json.loads(files.statement.read_bytes()))
        envelope.verify([SSlibKey.from_crypto(public_key(key.path.read_bytes()), keyid=key.id)], threshold=1)
    except Exception as error:  # whatever a parser says of bytes that anybody may have written
        raise RefusedError(
            Reason.ALTERED, f"{name}: the signature of its statement does not hold ({type(error).__name__})"
        ) from error
    try:
        if envelope.payload_type != PAYLOAD_TYPE:
            raise ValueError(envelope.payload_type)
        return Statement.from_json(envelope.payload)
    except ValueError as error:
        raise RefusedError(Reason.UNSIGNED, f"{name}: what is signed is no statement of the gate ({error})") from error


def _check(statement: Statement, place: PublishedArtifact, digest: str, trust: Trust, name: str) -> None:
    if statement.model != place.model:
        raise RefusedError(Reason.WRONG_MODEL, f"{name} carries the signature of another model, {statement.model}")
    if statement.version != place.version:
        raise RefusedError(Reason.WRONG_VERSION, f"{name} carries the signature of version {statement.version}")
    if not statement.releasable:
        raise RefusedError(Reason.GATE_NOT_PASSED, f"{name} did not pass the gate: {statement.gate_reason}")
    if statement.digest in trust.revoked:
        raise RefusedError(Reason.REVOKED, f"{name} was revoked: {trust.revoked[statement.digest]}")
    for found in (digest, place.digest12):
        if not statement.digest.startswith(found):
            raise RefusedError(
                Reason.ALTERED,
                f"{name}: the artifact is not what was signed (digest {found[:12]}, signed {statement.digest[:12]})",
            )


def _verify_bundle(folder: Path, key: TrustedKey, name: str) -> None:
    from model_signing.verifying import Config

    try:
        Config().use_elliptic_key_verifier(public_key=key.path).set_hashing_config(hashing_config()).verify(
            folder, SignatureFiles.of(folder, key.id).bundle
        )
    except Exception as error:  # the library names no error of its own
        raise RefusedError(
            Reason.ALTERED, f"{name}: the files do not fit their model-signing bundle ({type(error).__name__})"
        ) from error
