"""The age key (age-encryption.org) that a backup is encrypted for, in the file format of `age-keygen`."""

from __future__ import annotations

import os
from pathlib import Path

from pyrage import IdentityError, RecipientError
from pyrage.x25519 import Identity, Recipient

from infra.backup.errors import BackupError

__all__ = ["load", "load_or_generate", "recipient"]

_PREFIX = "AGE-SECRET-KEY-"


def load(path: Path) -> Identity:
    """Return the key in a file.

    Raises:
        BackupError: there is none.
    """
    try:
        lines = path.read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"the key {path} cannot be read: {getattr(error, 'strerror', 'it is no text')}") from error
    try:
        return Identity.from_str(next(line for line in lines if line.startswith(_PREFIX)))
    except (StopIteration, IdentityError) as error:
        raise BackupError(f"{path} holds no age key ({_PREFIX}1…)") from error


def load_or_generate(path: Path) -> tuple[Identity, bool]:
    """Return the key in a file, and whether it was made just now (mode 0600).

    Raises:
        BackupError: the file holds no key, or cannot be written.
    """
    made = Identity.generate()
    try:
        # Never over one that is there: it opens older backups.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load(path), False
    except OSError as error:
        raise BackupError(f"the key {path} cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "w") as file:
        file.write(f"# Opens backups of Ferryman.\n# public key: {made.to_public()}\n{made}\n")
    return made, True


def recipient(text: str) -> Recipient:
    """Return a public key.

    Raises:
        BackupError: it is none.
    """
    try:
        return Recipient.from_str(text)
    except RecipientError as error:
        raise BackupError(f"--recipient {text}: is no public age key (age1…)") from error
