from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyrage
import pytest
from pyrage.x25519 import Identity

from infra.backup import job, keys
from infra.backup.__main__ import main
from infra.backup.archive import ArchiveWriter, Manifest, Moved, pieces
from infra.backup.encryption import decrypted, encrypted
from infra.backup.errors import BackupError

# More than one of age's chunks, and more than a pipe holds.
PIECES = {"releases/a.json": b"{}", "objects/mlflow/1/a b": os.urandom(300_000), "objects/released/é": b""}


def nothing(_size: int) -> None:
    pass


class Unseen:
    @contextmanager
    def bar(self, _name: str, _total: int) -> Iterator[Moved]:
        yield nothing


def written(path: Path, identity: Identity) -> Manifest:
    with path.open("wb") as file, encrypted(file, identity.to_public()) as plain:
        archive = ArchiveWriter(plain, "laptop")
        for name, data in PIECES.items():
            archive.add(name, len(data), io.BytesIO(data), nothing)
        return archive.finish()


def read(path: Path, identity: Identity) -> Manifest:
    with path.open("rb") as file:
        return job.verify(file, identity, Unseen())


def sealed(path: Path, identity: Identity, *members: tuple[str, bytes]) -> None:
    """Somebody's own archive, encrypted for the right key."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    path.write_bytes(pyrage.encrypt(plain.getvalue(), [identity.to_public()]))


def test_what_is_read_is_what_was_written_with_the_digest_of_every_piece(tmp_path: Path) -> None:
    identity = Identity.generate()
    manifest = written(tmp_path / "b", identity)
    assert {name: each.sha256 for name, each in manifest.pieces.items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in PIECES.items()
    }
    assert read(tmp_path / "b", identity) == manifest
    with (tmp_path / "b").open("rb") as file, decrypted(file, identity) as plain:
        held = {name: body.read() for name, body in pieces(plain, nothing)}
    assert {name: held[name] for name in PIECES} == PIECES
    assert list(held)[-1] == "manifest.json"


def test_another_key_is_named_as_the_reason(tmp_path: Path) -> None:
    written(tmp_path / "b", Identity.generate())
    with pytest.raises(BackupError, match="encrypted for another key"):
        read(tmp_path / "b", Identity.generate())


@pytest.mark.parametrize("kept", [0, 50, 400, 70_000, 200_000, -1])
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path, kept: int) -> None:
    identity, path = Identity.generate(), tmp_path / "b"
    written(path, identity)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BackupError, match=r"cut off|no backup"):
        read(path, identity)


@pytest.mark.parametrize("at", [0, 300, 100_000, -1])
def test_a_flipped_bit_is_refused(tmp_path: Path, at: int) -> None:
    identity, path = Identity.generate(), tmp_path / "b"
    written(path, identity)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(BackupError, match=r"altered|no backup"):
        read(path, identity)


def test_a_piece_that_is_missing_altered_or_added_is_named(tmp_path: Path) -> None:
    identity, path = Identity.generate(), tmp_path / "b"
    archive = ArchiveWriter(io.BytesIO(), "laptop")
    archive.add("keys/a", 1, io.BytesIO(b"a"), nothing)
    manifest = archive.finish().to_json()
    good = (("keys/a", b"a"), ("manifest.json", manifest))
    sealed(path, identity, *good)
    assert read(path, identity).pieces.keys() == {"keys/a"}
    for members, said in (
        (good[1:], "keys/a is not what"),
        ((("keys/a", b"b"), good[1]), "keys/a is not what"),
        ((*good[:1], ("keys/b", b""), good[1]), "keys/b is not what"),
        ((*good, ("keys/b", b"")), "after the manifest"),
        (good[:1], "no manifest"),
    ):
        sealed(path, identity, *members)
        with pytest.raises(BackupError, match=said):
            read(path, identity)


def test_a_backup_in_a_later_format_says_which_version_made_it(tmp_path: Path) -> None:
    identity = Identity.generate()
    sealed(tmp_path / "b", identity, ("manifest.json", b'{"format": 2, "ferryman": "9.0.0"}'))
    with pytest.raises(BackupError, match=r"Ferryman 9\.0\.0 made this backup"):
        read(tmp_path / "b", identity)


def test_a_disk_that_is_full_is_a_fault_and_no_backup() -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    def write(target: BinaryIO) -> None:
        with encrypted(target, Identity.generate().to_public()) as plain:
            for _ in range(100):
                plain.write(os.urandom(100_000))

    with pytest.raises(BackupError, match="No space left"):
        write(Full())  # type: ignore[arg-type] # it is only written to


def test_the_key_is_made_once_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made, new = keys.load_or_generate(path)
    assert new
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again, new = keys.load_or_generate(path)
    assert (str(again), new) == (str(made), False)
    path.write_text("no key\n")
    with pytest.raises(BackupError, match="holds no age key"):
        keys.load_or_generate(path)
    assert path.read_text() == "no key\n"


def test_the_command_ends_with_one_line_and_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, path = tmp_path / "key", tmp_path / "b"
    identity, _ = keys.load_or_generate(key)
    written(path, identity)
    verify = ["verify", "--file", str(path), "--key"]
    assert main([*verify, str(key)]) == 0
    assert "b is whole: 3 pieces" in capsys.readouterr().out
    path.write_bytes(path.read_bytes()[:-1])
    assert main([*verify, str(key)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "the backup is cut off, or was altered"
    assert main([*verify, str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == f"the key {tmp_path / 'none'} cannot be read: No such file or directory\n"
