"""The file inside of the encryption: a tar of pieces, then a manifest with the SHA-256 of each."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol

from artifact.version import VERSION
from infra.backup.errors import BackupError

__all__ = ["ArchiveWriter", "Manifest", "Moved", "Readable", "pieces", "verified"]

_MANIFEST = "manifest.json"
_FORMAT = 1
_CHUNK = 1 << 20

Moved = Callable[[int], None]
"""Told how many bytes went by."""


class Readable(Protocol):
    """What can be read."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end."""


@dataclass(frozen=True)
class Digest:
    """What one piece is known by."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What is in a backup: of which kind of stack, by which version of Ferryman, when, and every piece's digest."""

    kind: str
    pieces: Mapping[str, Digest]
    version: str = VERSION
    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(each.size for each in self.pieces.values())

    def to_json(self) -> bytes:
        """Return the last member of the archive."""
        held = {name: [each.sha256, each.size] for name, each in sorted(self.pieces.items())}
        document = {"format": _FORMAT, "ferryman": self.version, "made": self.made, "kind": self.kind, "pieces": held}
        return json.dumps(document, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Read it.

        Raises:
            BackupError: a later Ferryman made it.
        """
        held = json.loads(text)
        if held["format"] != _FORMAT:
            raise BackupError(f"Ferryman {held['ferryman']} made this backup, in a format that {VERSION} cannot read")
        digests = {name: Digest(*each) for name, each in held["pieces"].items()}
        return cls(held["kind"], digests, held["ferryman"], held["made"])


class Hashing:
    """Reads on, and keeps the digest of what went by."""

    def __init__(self, stream: Readable, moved: Moved) -> None:
        self._stream = stream
        self._moved = moved
        self._hash = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        """See :class:`Readable`."""
        chunk = self._stream.read(size)
        self._hash.update(chunk)
        self._size += len(chunk)
        self._moved(len(chunk))
        return chunk

    def digest(self) -> Digest:
        """Return the digest of what was read."""
        return Digest(self._hash.hexdigest(), self._size)


class ArchiveWriter:
    """Writes pieces as they come; nothing is held but their digests."""

    def __init__(self, stream: BinaryIO, kind: str) -> None:
        self._kind = kind
        self._pieces: dict[str, Digest] = {}
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_CHUNK)  # noqa: SIM115

    def add(self, name: str, size: int, stream: Readable, moved: Moved) -> None:
        """Add a piece of ``size`` bytes.

        Raises:
            BackupError: the stream holds less.
        """
        hashing = Hashing(stream, moved)
        try:
            self._write(name, size, hashing)
        except tarfile.TarError as error:
            raise BackupError(f"{name} ended early: {error}") from error
        self._pieces[name] = hashing.digest()

    def finish(self) -> Manifest:
        """Write the manifest and the end, and return the manifest."""
        manifest = Manifest(self._kind, self._pieces)
        text = manifest.to_json()
        self._write(_MANIFEST, len(text), io.BytesIO(text))
        self._tar.close()
        return manifest

    def _write(self, name: str, size: int, stream: Readable) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, stream)
        _forget(self._tar)


def pieces(stream: BinaryIO, moved: Moved) -> Iterator[tuple[str, Hashing]]:
    """Yield each member's name and contents; the contents have to be read before the next is asked for.

    Raises:
        tarfile.TarError: the stream is no archive.
    """
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK) as tar:
        while (info := tar.next()) is not None:
            body = tar.extractfile(info)
            if body is None:
                raise BackupError(f"{info.name} in the backup is no file")
            yield info.name, Hashing(body, moved)
            _forget(tar)


def _forget(tar: Any) -> None:
    """Drop its list of members, which would grow with the archive."""
    tar.members.clear()


def verified(stream: BinaryIO, moved: Moved) -> Manifest:
    """Read an archive to its end and return its manifest.

    Raises:
        BackupError: a piece is missing, is not what the manifest says, or is not in it; or there is no manifest.
        tarfile.TarError: the stream is no archive.
    """
    seen: dict[str, Digest] = {}
    manifest: Manifest | None = None
    for name, body in pieces(stream, moved):
        if manifest is not None:
            raise BackupError(f"{name} stands after the manifest: this is no backup of ours")
        if name == _MANIFEST:
            manifest = Manifest.from_json(body.read())
            continue
        while body.read(_CHUNK):
            pass
        seen[name] = body.digest()
    if manifest is None:
        raise BackupError("there is no manifest in it: this is no backup of ours")
    for name in sorted({*seen, *manifest.pieces}):
        if seen.get(name) != manifest.pieces.get(name):
            raise BackupError(f"{name} is not what the manifest says")
    return manifest
