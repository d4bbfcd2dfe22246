"""Whom a verifier trusts: a folder with at most two public keys and the list of revoked digests."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from artifact.keys import KeyFormatError, key_id, public_key

__all__ = ["MOST_KEYS", "REVOKED_FILE", "TRUSTED_KEYS", "Trust", "TrustError", "TrustedKey", "is_digest"]

TRUSTED_KEYS = "FERRYMAN_TRUSTED_KEYS"
REVOKED_FILE = "revoked"
MOST_KEYS = 2
"""The key that signs now and, during a rotation, the one before."""


def is_digest(text: str) -> bool:
    """Whether this is a full digest: 64 lower-case hex digits."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


class TrustError(RuntimeError):
    """The verifier itself is not set up: nothing can be said about any artifact."""


@dataclass(frozen=True)
class TrustedKey:
    """A public key that may sign."""

    id: str
    path: Path


@dataclass(frozen=True)
class Trust:
    """``revoked`` maps a digest (64 hex digits) to the reason why it must not be used any more."""

    keys: tuple[TrustedKey, ...]
    revoked: Mapping[str, str]

    @classmethod
    def from_environment(cls) -> Trust:
        """Load the folder that ``FERRYMAN_TRUSTED_KEYS`` names. Call it each time: a revocation counts at once.

        Raises:
            TrustError: the variable is not set, or see :meth:`load`.
        """
        folder = os.environ.get(TRUSTED_KEYS)
        if not folder:
            raise TrustError(f"{TRUSTED_KEYS} is not set: no key to verify a signature with")
        return cls.load(Path(folder))

    @classmethod
    def load(cls, folder: Path) -> Trust:
        """Read ``*.pem`` and ``revoked``.

        Raises:
            TrustError: there is no key, there are more than two, one cannot be read, or the list of revoked digests
                is missing or malformed. Without the list nobody can know what was taken back.
        """
        keys = tuple(_key(path) for path in sorted(folder.glob("*.pem")))
        if not keys:
            raise TrustError(f"{folder} ({TRUSTED_KEYS}) holds no public key (*.pem)")
        if len(keys) > MOST_KEYS:
            raise TrustError(
                f"{folder} ({TRUSTED_KEYS}) holds {len(keys)} public keys, at most {MOST_KEYS} are accepted"
            )
        try:
            lines = (folder / REVOKED_FILE).read_text().splitlines()
        except (OSError, ValueError) as error:
            raise TrustError(f"{folder / REVOKED_FILE}: the list of revoked digests cannot be read") from error
        return cls(keys, dict(_revoked(folder / REVOKED_FILE, number, line) for number, line in _entries(lines)))


def _key(path: Path) -> TrustedKey:
    try:
        return TrustedKey(key_id(public_key(path.read_bytes())), path)
    except (OSError, KeyFormatError) as error:
        raise TrustError(f"{path}: {error}") from error


def _entries(lines: list[str]) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]


def _revoked(path: Path, number: int, line: str) -> tuple[str, str]:
    digest, _, reason = line.partition(" ")
    if not is_digest(digest):
        raise TrustError(f"{path}, line {number}: expected a digest of 64 hex digits and a reason")
    return digest, reason.strip() or "no reason given"
