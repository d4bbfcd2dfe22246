"""The keys that sign artifacts: elliptic curve P-256, in PEM, known by an id."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

__all__ = ["KeyFormatError", "generate_private_key", "key_id", "private_key", "public_key", "public_pem"]


class KeyFormatError(ValueError):
    """This is not a P-256 key in PEM."""


def generate_private_key() -> str:
    """Return a new private key, unencrypted PKCS#8."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def private_key(pem: bytes) -> EllipticCurvePrivateKey:
    """Parse a private key.

    Raises:
        KeyFormatError: it is none, or it is encrypted.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        parsed = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise KeyFormatError("not an unencrypted private key in PEM") from error
    if not isinstance(parsed, ec.EllipticCurvePrivateKey) or not isinstance(parsed.curve, ec.SECP256R1):
        raise KeyFormatError("not a P-256 private key")
    return parsed


def public_key(pem: bytes) -> EllipticCurvePublicKey:
    """Parse a public key.

    Raises:
        KeyFormatError: it is none.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        parsed = load_pem_public_key(pem)
    except ValueError as error:
        raise KeyFormatError("not a public key in PEM") from error
    if not isinstance(parsed, ec.EllipticCurvePublicKey) or not isinstance(parsed.curve, ec.SECP256R1):
        raise KeyFormatError("not a P-256 public key")
    return parsed


def public_pem(key: EllipticCurvePublicKey) -> str:
    """Return the key as PEM."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def key_id(key: EllipticCurvePublicKey) -> str:
    """Return the first 16 hex digits of the SHA-256 of the PEM: what model-signing puts into its bundle as the hint."""
    return hashlib.sha256(public_pem(key).encode()).hexdigest()[:16]
