"""MLflow's database: SQLite by its own copy of one moment, PostgreSQL by pg_dump."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from sqlalchemy.engine import URL, make_url

from infra.backup.errors import BackupError
from infra.backup.side import Database

__all__ = ["Postgres", "Sqlite", "database"]

# Behind a dump: a connection that breaks off on the way ends as if all were well.
_END = b"ferryman-end"
_COUNT = "SELECT count(*) FROM model_versions"


class Sqlite:
    """A file. ``VACUUM INTO`` copies it in one read transaction, so writers that commit meanwhile are not in it."""

    piece = "database/mlflow.sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    def dump(self, target: Path) -> None:
        """See the base."""
        try:
            with closing(self._open()) as connection:
                connection.execute("VACUUM INTO ?", [str(target)])
        except sqlite3.Error as error:
            raise BackupError(f"MLflow's database {self._path} cannot be copied: {error}") from error

    def load(self, source: Path) -> None:
        """See the base. No server may have it open."""
        beside = self._path.with_name(f".{self._path.name}.restored")
        shutil.copyfile(source, beside)
        beside.chmod(0o600)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        # A journal of the old file would be played into the new one.
        for ending in ("-journal", "-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        beside.replace(self._path)

    def versions(self) -> int:
        """See the base."""
        with suppress(sqlite3.OperationalError), closing(self._open()) as connection:
            return int(connection.execute(_COUNT).fetchone()[0])
        return 0

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=30)


class Postgres:
    """A database that PostgreSQL's own programs reach: here, or behind a command that runs them elsewhere.

    pg_dump reads in one transaction of its own (repeatable read), so what is committed meanwhile is not in it. Its
    custom format holds no commands for a shell, unlike a script for psql.
    """

    def __init__(self, name: str, address: str, password: str, elsewhere: Sequence[str] = ()) -> None:
        """Name a database.

        Args:
            name: what it is called in a backup.
            address: ``postgresql://user@host/database``, without a password.
            password: for it; it goes through a pipe, where no list of processes shows it.
            elsewhere: the command that runs what stands after it, its input and output being ours.
        """
        self.piece = f"database/{name}.pgdump"
        self._name = name
        self._address = address
        self._password = password
        self._elsewhere = list(elsewhere)

    def dump(self, target: Path) -> None:
        """See the base."""
        with target.open("w+b") as file:
            dump = "pg_dump --format=custom --no-owner --no-privileges --dbname={}"
            self._run(f"{dump} && printf {_END.decode()}", output=file)
            end = file.seek(0, os.SEEK_END) - len(_END)
            file.seek(max(0, end))
            if file.read() != _END:
                raise BackupError(f"the dump of the database {self._name} broke off; run it again")
            file.truncate(end)

    def load(self, source: Path) -> None:
        """See the base. What a later MLflow added to it goes as well."""
        self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public;")
        with source.open("rb") as file:
            self._run("pg_restore --no-owner --no-privileges --single-transaction --dbname={}", given=file)

    def versions(self) -> int:
        """See the base."""
        there = self.sql("SELECT to_regclass('public.model_versions') IS NOT NULL") == "t"
        return int(self.sql(_COUNT)) if there else 0

    def sql(self, text: str) -> str:
        """Run statements and return what they print."""
        with tempfile.TemporaryFile() as said:
            self._run(f'psql --no-psqlrc -qtA -v ON_ERROR_STOP=1 --dbname={{}} -c "{text}"', output=said)
            said.seek(0)
            return said.read().decode().strip()

    def _run(self, command: str, *, given: IO[bytes] | None = None, output: IO[bytes] | None = None) -> None:
        script = f"IFS= read -r PGPASSWORD && export PGPASSWORD && {command.format(shlex.quote(self._address))}"
        with tempfile.TemporaryFile() as faults:
            process = subprocess.Popen(
                [*self._elsewhere, "sh", "-c", script],
                stdin=subprocess.PIPE,
                # A pipe, even to a file: in a file pg_dump would go back, and what is behind it be written over it.
                stdout=subprocess.PIPE if output else subprocess.DEVNULL,
                stderr=faults,
            )
            assert process.stdin is not None  # noqa: S101 # it is a pipe
            # Whoever does not read on says why.
            with suppress(BrokenPipeError):
                process.stdin.write(self._password.encode() + b"\n")
                if given is not None:
                    shutil.copyfileobj(given, process.stdin, 1 << 20)
            with suppress(BrokenPipeError):
                process.stdin.close()
            if output is not None and process.stdout is not None:
                with process.stdout:
                    shutil.copyfileobj(process.stdout, output, 1 << 20)
            if process.wait() != 0:
                faults.seek(0)
                said = faults.read().decode(errors="replace").strip().splitlines() or ["no word"]
                raise BackupError(f"{command.split(maxsplit=1)[0]} of the database {self._name}: {said[-1]}")


def database(uri: str) -> Database:
    """Return MLflow's database by the address that its server is given.

    Raises:
        BackupError: it is neither SQLite nor PostgreSQL.
    """
    url = make_url(uri)
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database:
        return Sqlite(Path(url.database).resolve())
    if backend == "postgresql":
        bare = URL.create(backend, url.username, None, url.host, url.port, url.database, url.query)
        return Postgres("mlflow", bare.render_as_string(), url.password or "")
    raise BackupError(f"MLFLOW_BACKEND_STORE_URI: a database of the kind {backend} is not backed up here")
