"""The laptop stack as a side of a backup: files under its home, MLflow's database, its object store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.backup.databases import database
from infra.backup.errors import BackupError
from infra.backup.objects import Buckets
from infra.backup.side import Database, Piece
from infra.local import stack
from infra.local.files import write_private
from infra.local.settings import Settings
from infra.local.supervisor import Supervisor
from infra.local.tracking import database_uri

__all__ = ["Laptop", "laptop"]

# Where a piece lies under the stack's home is its name behind the first word. Not the keys to the object store: they
# open this stack's doors, and no byte of what is kept depends on them.
_RELEASES = ("releases.yaml", "releases/*.json", "requests/*.json")
_KEYS = ("signing-key.pem", "webhook.json", "trust/*.pem", "trust/revoked")
_KNOWN = re.compile(
    r"releases/(releases\.yaml|(releases|requests)/[a-z0-9-]+\.json)"
    r"|keys/(signing-key\.pem|webhook\.json|trust/([0-9a-f]+\.pem|revoked))"
)


class Laptop:
    """A :class:`infra.backup.side.Side`."""

    kind = "laptop"

    def __init__(self, settings: Settings, buckets: Buckets) -> None:
        self.buckets = buckets
        self._settings = settings
        self._home = settings.home

    def releases(self) -> Sequence[Piece]:
        """See the base."""
        return [self._piece("releases", path) for path in self._files(_RELEASES)]

    def databases(self) -> Sequence[Database]:
        """See the base."""
        return [database(database_uri(self._settings))]

    def keys(self) -> Sequence[Piece]:
        """See the base."""
        return [self._piece("keys", path) for path in self._files(_KEYS)]

    def check(self, names: Sequence[str]) -> None:
        """See the base."""
        strange = next((name for name in names if not _KNOWN.fullmatch(name)), None)
        if strange:
            raise BackupError(f"{strange} belongs to no laptop stack")

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """See the base: :func:`laptop` made sure that nothing but the object store runs."""
        yield

    def put(self, pieces: Mapping[str, bytes]) -> None:
        """See the base. What runs where is forgotten too: the controller finds that out anew."""
        runtime = [*self._settings.predictors.glob("*"), *self._settings.routes.glob("*.yaml")]
        for path in [*self._files((*_RELEASES, *_KEYS)), *runtime]:
            path.unlink()
        for name, data in pieces.items():
            path = self._home / name.partition("/")[2]
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(path, data.decode())

    def _files(self, patterns: Sequence[str]) -> list[Path]:
        return [path for pattern in patterns for path in sorted(self._home.glob(pattern))]

    def _piece(self, kind: str, path: Path) -> Piece:
        # Each is replaced whole by whoever writes it, so what is read is one of its states.
        return Piece.of(f"{kind}/{path.relative_to(self._home)}", path.read_bytes())


@contextmanager
def laptop(settings: Settings, *, stopped: bool) -> Iterator[Laptop]:
    """Yield the stack of these settings, its object store running, for as long as the block runs.

    Args:
        settings: which stack.
        stopped: it is to be restored, so nothing of it may run.

    Raises:
        BackupError: something of it runs.
        infra.local.errors.StackError: the object store does not start.
    """
    if stopped and Supervisor(settings).processes():
        raise BackupError(f"the stack in {settings.home} runs; stop it first with: make down")
    with stack.storing(settings) as store:
        yield Laptop(settings, Buckets(store.client()))
