from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifact import ArtifactError, DigestMismatchError, tree_digest, verify_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    return tmp_path


def test_the_digest_is_the_one_that_the_design_spells_out(folder: Path) -> None:
    lines = [f"{name}\0{hashlib.sha256(content).hexdigest()}\n" for name, content in (("b", b"2"), ("data/a", b"1"))]
    assert tree_digest(folder) == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("registered_model_meta", False),
        ("signatures/0123456789abcdef/model.sig", False),
        ("signatures/0123456789abcdef/statement.dsse.json", False),
        ("signatures/0123456789abcdef/other", True),
        ("signatures/model.sig", True),
        ("data/registered_model_meta", True),
    ],
)
def test_what_is_written_after_the_fact_does_not_count_and_nothing_else(folder: Path, name: str, counts: bool) -> None:
    before = tree_digest(folder)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("x")
    assert (tree_digest(folder) != before) is counts


@given(st.binary(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_content_has_another_digest(folder: Path, content: bytes) -> None:
    (folder / "b").write_bytes(b"2")
    before = tree_digest(folder)
    (folder / "b").write_bytes(content)
    assert (tree_digest(folder) == before) is (content == b"2")


def test_a_renamed_file_has_another_digest(folder: Path) -> None:
    before = tree_digest(folder)
    (folder / "b").rename(folder / "c")
    assert tree_digest(folder) != before


def test_links_and_empty_and_missing_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to(folder / "b")
    with pytest.raises(ArtifactError, match="symbolic"):
        tree_digest(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="empty"):
        tree_digest(tmp_path / "empty")
    with pytest.raises(ArtifactError, match="no such"):
        tree_digest(tmp_path / "missing")


def test_a_full_digest_and_its_first_twelve_digits_verify(folder: Path) -> None:
    digest = tree_digest(folder)
    assert verify_folder(folder, digest) == verify_folder(folder, digest[:12]) == digest
    with pytest.raises(DigestMismatchError):
        verify_folder(folder, "0" * 12)
    with pytest.raises(ArtifactError, match="12 or 64"):
        verify_folder(folder, digest[:11])
