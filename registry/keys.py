"""The life of the keys: rotate with an overlap, drop, and take a digest back for ever."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from artifact import Trust
from artifact.keys import generate_private_key, key_id, private_key, public_pem
from artifact.trust import MOST_KEYS, REVOKED_FILE, is_digest
from registry.signing import SigningError, SigningKey

__all__ = ["drop", "revoke", "rotate"]


def rotate(key: SigningKey, trusted: Path) -> str:
    """Replace the signing key by a new one, and return its id. What the old one signed stays accepted.

    Raises:
        SigningError: two keys are accepted already.
    """
    if len(Trust.load(trusted).keys) >= MOST_KEYS:
        raise SigningError(
            f"{trusted} holds {MOST_KEYS} keys already; drop the one that no tenant needs any more first"
        )
    made = generate_private_key()
    public = private_key(made.encode()).public_key()
    # The public half first: from here on, whatever is signed is accepted.
    _replace(trusted / f"{key_id(public)}.pem", public_pem(public), 0o644)
    _replace(key.path, made, 0o600)
    return key_id(public)


def drop(key: SigningKey, trusted: Path, dropped: str) -> None:
    """Stop accepting a key: what only it has signed is refused from now on, also when a pod starts.

    Raises:
        SigningError: it is the key that signs now, or is not accepted anyway.
    """
    if dropped == key.id:
        raise SigningError(f"{dropped} is the key that signs now; rotate first")
    for each in Trust.load(trusted).keys:
        if each.id == dropped:
            each.path.unlink()
            return
    raise SigningError(f"{trusted} holds no key {dropped}")


def revoke(trusted: Path, digest: str, reason: str) -> bool:
    """Add a digest to the revoked list; return whether it was not there before.

    Raises:
        SigningError: this is no full digest, or there is no reason.
    """
    reason = " ".join(reason.split())
    if not is_digest(digest) or not reason:
        raise SigningError("expected a digest of 64 hex digits and a reason (see `python -m registry verify`)")
    if digest in Trust.load(trusted).revoked:
        return False
    path = trusted / REVOKED_FILE
    _replace(path, f"{path.read_text().rstrip()}\n{digest} {reason}\n".lstrip(), 0o644)
    return True


def _replace(path: Path, text: str, mode: int) -> None:
    """Write so that a reader sees the old or the new file, and nobody a private key before its mode is set."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
