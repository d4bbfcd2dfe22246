"""Backup, verify and restore, the same for every side.

Backup writes while people train and release, and is consistent by its order: what names something is read before
what it names. Releases name versions; the database names their artifacts, and a version is registered after its
artifact was written; objects are signed by keys, and a key is trusted before it signs. Artifacts are never changed and
nothing is deleted, so whatever an earlier piece names is in a later one. What came in between is there without a name,
which is harmless. The other way round, a version could be in the database whose artifact came after the objects were
listed. (Two things grow in place: the history of releases, whose lines are known by number and time and are added
once, and an artifact's signatures, whose keys come last.)

Restore goes the other way: objects, then databases, releases and keys, and at last it removes the objects that the
backup does not have. Broken off before the databases, the stack still has what it had; a second run ends well.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from pyrage.x25519 import Identity, Recipient

from infra.backup.archive import ArchiveWriter, Hashing, Manifest, Moved, pieces, verified
from infra.backup.encryption import decrypted, encrypted
from infra.backup.errors import BackupError
from infra.backup.objects import BUCKETS
from infra.backup.side import Content, Database, Piece, Side

__all__ = ["Bars", "backup", "opened", "restore", "verify"]

_CHUNK = 1 << 20


class Bars(Protocol):
    """Shows how far it is."""

    def bar(self, name: str, total: int) -> AbstractContextManager[Moved]:
        """Show a bar of about so many bytes; what is yielded moves it."""


def backup(side: Side, target: Path, recipient: Recipient, bars: Bars) -> Manifest:
    """Write a backup of the stack; ``target`` is replaced when it is whole, and stays as it was otherwise.

    Raises:
        BackupError: something cannot be read or written.
    """
    with _replaced(target) as file, encrypted(file, recipient) as plain:
        archive = ArchiveWriter(plain, side.kind)
        for part, found in _parts(side):
            with bars.bar(part, sum(each.size for each in found)) as moved:
                for each in found:
                    content = each.open()
                    archive.add(each.name, content.size, content.stream, moved)
        return archive.finish()


def verify(file: BinaryIO, identity: Identity, bars: Bars) -> Manifest:
    """Read a backup to its end, compare every digest and return its manifest.

    Raises:
        BackupError: it is not whole, or not for this key.
    """
    file.seek(0)
    with bars.bar("verify", os.fstat(file.fileno()).st_size) as moved, decrypted(file, identity) as plain:
        return verified(plain, moved)


def restore(side: Side, file: BinaryIO, identity: Identity, manifest: Manifest, bars: Bars, *, replace: bool) -> None:
    """Make the stack what a backup says.

    Args:
        side: the stack.
        file: the backup, which was verified since it was opened.
        identity: the key that opens it.
        manifest: what verifying gave.
        bars: shows how far it is.
        replace: whether a stack that holds something may lose it.

    Raises:
        BackupError: it is not for this kind of stack, the stack is not empty, or something cannot be written.
    """
    databases = {each.piece: each for each in side.databases()}
    _check(side, manifest, databases)
    held = sum(each.versions() for each in databases.values()), side.buckets.count()
    if any(held) and not replace:
        raise BackupError(
            f"the stack holds {held[0]} versions and {held[1]} objects; --replace puts the backup in their place"
        )
    with side.quiet(), tempfile.TemporaryDirectory(prefix="ferryman-restore-") as scratch:
        kept: dict[str, bytes] = {}
        dumps: dict[str, Path] = {}

        def take(name: str, body: Hashing) -> None:
            if side.buckets.takes(name):
                side.buckets.put(name, body)
            elif name in databases:
                dumps[name] = Path(scratch) / f"{len(dumps)}"
                with dumps[name].open("wb") as dump:
                    while chunk := body.read(_CHUNK):
                        dump.write(chunk)
            else:
                kept[name] = body.read()

        with bars.bar("restore", manifest.size) as moved:
            _each(file, identity, manifest, take, moved)
        for name, dump in dumps.items():
            databases[name].load(dump)
        side.put(kept)
        side.buckets.retain(manifest.pieces.keys())


def _parts(side: Side) -> Iterator[tuple[str, Sequence[Piece]]]:
    """Yield what there is, each part read when its turn comes."""
    yield "releases", side.releases()
    with tempfile.TemporaryDirectory(prefix="ferryman-backup-") as scratch:
        for number, each in enumerate(side.databases()):
            dump = Path(scratch) / f"{number}"
            each.dump(dump)
            with dump.open("rb") as file:
                size = dump.stat().st_size
                yield "database", [Piece(each.piece, size, partial(Content, size, file))]
            dump.unlink()
    for bucket in BUCKETS:
        yield f"bucket {bucket}", side.buckets.pieces(bucket)
    yield "keys", side.keys()


def _check(side: Side, manifest: Manifest, databases: dict[str, Database]) -> None:
    if manifest.kind != side.kind:
        raise BackupError(f"this is a backup of a {manifest.kind}, and the stack is a {side.kind}")
    dumps = {name for name in manifest.pieces if name.startswith("database/")}
    if dumps != databases.keys():
        raise BackupError(f"the backup holds {', '.join(sorted(dumps))}; this stack has {', '.join(sorted(databases))}")
    side.check([name for name in manifest.pieces if name not in dumps and not side.buckets.takes(name)])


def _each(
    file: BinaryIO, identity: Identity, manifest: Manifest, take: Callable[[str, Hashing], None], moved: Moved
) -> None:
    """Hand over every piece; each has to be what was verified a moment ago."""
    file.seek(0)
    with decrypted(file, identity) as plain:
        for piece, body in pieces(plain, moved):
            if piece not in manifest.pieces:
                # The manifest itself, which is the last.
                return
            take(piece, body)
            if body.digest() != manifest.pieces[piece]:
                raise BackupError(f"the backup was changed while it was restored ({piece}); restore again")


@contextmanager
def opened(source: Path) -> Iterator[BinaryIO]:
    """Open a backup.

    Raises:
        BackupError: it cannot be read.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise BackupError(f"{source} cannot be read: {error.strerror}") from error
    with file:
        yield file


@contextmanager
def _replaced(target: Path) -> Iterator[BinaryIO]:
    """Yield a new file, mode 0600, that takes the target's place when the block ends well."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
