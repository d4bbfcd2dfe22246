"""Signing a version: the gate does it for what passed; a person may, for a reason that is recorded."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from artifact import Reason, RefusedError, Statement, Trust, tree_digest, verify_signed
from artifact.digest import SIGNATURES
from artifact.keys import KeyFormatError, key_id, private_key
from artifact.signature import SignatureFiles, hashing_config
from artifact.statement import PAYLOAD_TYPE
from registry.client import RegisteredVersion, Registry
from registry.download import downloaded
from registry.gate import GateResult
from registry.tags import ARTIFACT_DIGEST, SIGNATURE_KEY, SIGNATURE_OVERRIDE

__all__ = ["SIGNING_KEY", "SigningError", "SigningKey", "sign_again", "sign_folder", "sign_passed"]

SIGNING_KEY = "FERRYMAN_SIGNING_KEY"


class SigningError(RuntimeError):
    """Nothing was signed; the message says why."""


@dataclass(frozen=True)
class SigningKey:
    """The private key in a file, and the id under which verifiers know its public half."""

    path: Path
    id: str

    @classmethod
    def from_environment(cls) -> SigningKey:
        """Load the key that ``FERRYMAN_SIGNING_KEY`` names.

        Raises:
            SigningError: the variable is not set, or names no usable key.
        """
        path = os.environ.get(SIGNING_KEY)
        if not path:
            raise SigningError(f"{SIGNING_KEY} is not set: nothing could be signed. `make up` makes a key")
        try:
            return cls(Path(path), key_id(private_key(Path(path).read_bytes()).public_key()))
        except (OSError, KeyFormatError) as error:
            raise SigningError(f"{path} ({SIGNING_KEY}): {error}") from error


def sign_folder(folder: Path, statement: Statement, key: SigningKey) -> None:
    """Write both files of the key's signature into an artifact folder, in place of what it held of this key."""
    from model_signing.signing import Config
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey

    files = SignatureFiles.of(folder, key.id)
    files.bundle.parent.mkdir(parents=True, exist_ok=True)
    Config().use_elliptic_key_signer(private_key=key.path).set_hashing_config(hashing_config()).sign(
        folder, files.bundle
    )
    private = private_key(key.path.read_bytes())
    envelope = Envelope(statement.to_json(), PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(private, SSlibKey.from_crypto(private.public_key(), keyid=key.id)))
    files.statement.write_text(json.dumps(envelope.to_dict(), indent=2) + "\n")


def sign_passed(
    registry: Registry, version: RegisteredVersion, folder: Path, gate: GateResult, key: SigningKey
) -> None:
    """Sign a version that the gate let pass.

    Args:
        registry: where the signature goes, beside the artifact.
        version: what was registered.
        folder: the bytes that the gate measured, as they were before anybody else could write to them.
        gate: its verdict.
        key: the gate's.

    Raises:
        SigningError: the gate did not let it pass.
        RegistryUnreachableError: MLflow does not answer; the version stays unsigned.
    """
    if not gate.passed:
        raise SigningError(f"{_name(version)} did not pass the gate: {gate.reason}")
    statement = Statement(version.model, version.version, tree_digest(folder), gate.passed, gate.reason, gate.numbers)
    _attach(registry, version, folder, statement, key)


def sign_again(
    registry: Registry, version: RegisteredVersion, key: SigningKey, trust: Trust, override: str | None
) -> str:
    """Sign with this key what a trusted key has signed, or, with a reason, anything; return what was done.

    Raises:
        SigningError: it is not signed and no reason is given, was revoked, or shares its artifact with another
            version, or the key is none that verifiers accept.
        RegistryUnreachableError: MLflow does not answer.
    """
    if key.id not in [accepted.id for accepted in trust.keys]:
        raise SigningError(f"{key.path} ({SIGNING_KEY}) is key {key.id}, which no verifier here accepts")
    with downloaded(registry, version) as (folder, place):
        try:
            verified = verify_signed(folder, place, trust)
        except RefusedError as refused:
            if refused.reason in (Reason.WRONG_MODEL, Reason.WRONG_VERSION):
                raise SigningError(f"{refused}: they share one logged model; log and register it anew") from refused
            if refused.reason == Reason.REVOKED:
                raise SigningError(str(refused)) from refused
            if not override:
                raise SigningError(
                    f"{refused}. Only the gate signs; `sign --override REASON` is the one bypass, and it is recorded"
                ) from refused
            digest = tree_digest(folder)
            statement = Statement(
                version.model, version.version, digest, False, "the gate did not sign it", override=override
            )
        else:
            statement = verified.statement
            if key.id in verified.keys:
                _tag(registry, version, statement, key)
                return f"{_name(version)} is signed with {key.id} already."
        _attach(registry, version, folder, statement, key)
    return f"{_name(version)} (digest {statement.digest[:12]}) is signed with {key.id}."


def _attach(
    registry: Registry, version: RegisteredVersion, folder: Path, statement: Statement, key: SigningKey
) -> None:
    sign_folder(folder, statement, key)
    registry.attach(version, folder / SIGNATURES)
    _tag(registry, version, statement, key)


def _tag(registry: Registry, version: RegisteredVersion, statement: Statement, key: SigningKey) -> None:
    tags = {ARTIFACT_DIGEST: statement.digest, SIGNATURE_KEY: key.id}
    if statement.override:
        tags[SIGNATURE_OVERRIDE] = statement.override
    registry.set_tags(version.model, version.version, tags)


def _name(version: RegisteredVersion) -> str:
    return f"{version.model} version {version.version}"
