from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infra.backup.databases import Postgres, Sqlite, database
from infra.backup.errors import BackupError

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
USER = "nobody"


def test_a_copy_of_sqlite_is_of_one_moment_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    held = Sqlite(path)
    assert held.versions() == 0
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE model_versions (version INT)")
        assert held.versions() == 0
        writer.execute("INSERT INTO model_versions VALUES (1)")
        writer.commit()
        # Not committed: the copy neither waits for it nor holds it.
        writer.execute("INSERT INTO model_versions VALUES (2)")
        held.dump(tmp_path / "dump")
        writer.commit()
    assert held.versions() == 2
    held.load(tmp_path / "dump")
    assert held.versions() == 1


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"mlflow\.db cannot be copied"):
        Sqlite(tmp_path / "mlflow.db").dump(tmp_path / "dump")
    with pytest.raises(BackupError, match="of the kind mysql"):
        database("mysql://u@h/d")


def test_the_address_of_a_server_is_understood_and_its_password_kept_out_of_it() -> None:
    made = database("postgresql+psycopg2://u:p%40ss@host:5433/mlflow")
    assert isinstance(made, Postgres)
    assert (made._address, made._password) == ("postgresql://u@host:5433/mlflow", "p@ss")


@pytest.fixture
def server() -> Iterator[Path]:
    """A PostgreSQL with a password, on a socket of its own; it does not run as root."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL's server is not installed")
    as_user = ["setpriv", f"--reuid={USER}", "--clear-groups", "--"] if os.getuid() == 0 else []
    # Not below pytest's folder, which is closed to other users.
    with tempfile.TemporaryDirectory(prefix="ferryman-pg-") as name:
        folder = Path(name)
        (folder / "password").write_text("it's secret\n")
        if as_user:
            for path in (folder, folder / "password"):
                shutil.chown(path, USER)
        made = [*as_user, str(PROGRAMS[-1] / "initdb"), "--auth=scram-sha-256", f"--pwfile={folder}/password"]
        subprocess.run([*made, "--username=mlflow", f"{folder}/data"], check=True, capture_output=True)
        arguments = ["-D", f"{folder}/data", "-k", name, "-c", "listen_addresses=", "-c", "fsync=off"]
        process = subprocess.Popen([*as_user, str(PROGRAMS[-1] / "postgres"), *arguments], stderr=subprocess.DEVNULL)
        try:
            ready = [str(PROGRAMS[-1] / "pg_isready"), "--quiet", f"--host={name}"]
            while subprocess.run(ready, check=False).returncode:
                time.sleep(0.1)
            yield folder
        finally:
            process.terminate()
            process.wait(20)


def test_a_dump_of_postgresql_comes_back_and_takes_the_place_of_all_that_was_there(server: Path) -> None:
    held = Postgres("mlflow", f"postgresql://mlflow@/postgres?host={server}", "it's secret")
    assert held.versions() == 0
    held.sql("CREATE TABLE model_versions (version INT PRIMARY KEY); INSERT INTO model_versions VALUES (1)")
    held.dump(server / "dump")
    held.sql("INSERT INTO model_versions VALUES (2); CREATE TABLE later (a INT REFERENCES model_versions)")
    # Behind another command, as `kubectl exec` is.
    elsewhere = Postgres("mlflow", held._address, held._password, ["env", "--"])
    for _ in range(2):
        elsewhere.load(server / "dump")
        assert held.versions() == 1
        assert held.sql("SELECT to_regclass('later') IS NULL") == "t"
        held.dump(server / "dump")


def test_a_dump_that_breaks_off_on_its_way_is_no_dump(server: Path) -> None:
    address = f"postgresql://mlflow@/postgres?host={server}"
    # What stands behind it passes on the first half kibibyte, and all is well.
    short = Postgres("mlflow", address, "it's secret", ["sh", "-c", '"$@" | head -c 500', "sh"])
    with pytest.raises(BackupError, match="broke off"):
        short.dump(server / "dump")


def test_what_postgresql_refuses_is_one_line(server: Path) -> None:
    wrong = Postgres("mlflow", f"postgresql://mlflow@/postgres?host={server}", "wrong")
    with pytest.raises(BackupError, match=r"of the database mlflow: .*password authentication failed"):
        wrong.versions()
    right = Postgres("mlflow", f"postgresql://mlflow@/postgres?host={server}", "it's secret")
    (server / "no dump").write_bytes(os.urandom(1_000_000))
    with pytest.raises(BackupError, match="pg_restore of the database mlflow"):
        right.load(server / "no dump")
