"""What backup and restore need of a stack, be it a laptop's or a cluster's."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from infra.backup.archive import Readable

if TYPE_CHECKING:
    from infra.backup.objects import Buckets

__all__ = ["Content", "Database", "Piece", "Side"]


@dataclass(frozen=True)
class Content:
    """Bytes to come, and how many."""

    size: int
    stream: Readable


@dataclass(frozen=True)
class Piece:
    """One member of a backup; ``size`` in bytes is for the progress bar alone."""

    name: str
    size: int
    open: Callable[[], Content]

    @classmethod
    def of(cls, name: str, data: bytes) -> Piece:
        """Return a piece that is held already."""
        return cls(name, len(data), lambda: Content(len(data), io.BytesIO(data)))


class Database(Protocol):
    """One database of MLflow. Every method raises :class:`infra.backup.errors.BackupError`."""

    piece: str
    """What it is called in a backup; the ending says what can read it."""

    def dump(self, target: Path) -> None:
        """Write what it holds at one moment into a file, while others go on writing."""

    def load(self, source: Path) -> None:
        """Replace what it holds by what such a file says."""

    def versions(self) -> int:
        """Return how many versions are registered in it."""


class Side(Protocol):
    """A stack, with its object store open. Every method raises :class:`infra.backup.errors.BackupError`."""

    kind: str
    buckets: Buckets

    def releases(self) -> Sequence[Piece]:
        """Return what is asked for and where each release stands."""

    def databases(self) -> Sequence[Database]:
        """Return MLflow's databases; one that names what is in another comes before it."""

    def keys(self) -> Sequence[Piece]:
        """Return the keys without which the rest is worth nothing."""

    def check(self, names: Sequence[str]) -> None:
        """Refuse pieces (releases and keys) that cannot be restored here. Nothing was touched yet."""

    def quiet(self) -> AbstractContextManager[None]:
        """Let nobody read or write the stack while the block runs."""

    def put(self, pieces: Mapping[str, bytes]) -> None:
        """Replace releases and keys by these."""
