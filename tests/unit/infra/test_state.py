from __future__ import annotations

import configparser
import socket
import stat
from pathlib import Path

import pytest

from artifact import Trust
from artifact.keys import key_id, private_key
from infra.local import ports
from infra.local.errors import StackError
from infra.local.program import Program
from infra.local.secret import load_or_generate, prepare_signing, signing_key, trusted_keys


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    made = load_or_generate(tmp_path)
    assert load_or_generate(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert made.publisher.secret_key != made.reader.secret_key


def test_the_signing_key_is_made_once_for_its_owner_only_and_is_the_one_that_verifiers_trust(tmp_path: Path) -> None:
    prepare_signing(tmp_path)
    key, trust = signing_key(tmp_path).read_bytes(), Trust.load(trusted_keys(tmp_path))
    prepare_signing(tmp_path)
    assert signing_key(tmp_path).read_bytes() == key
    assert stat.S_IMODE(signing_key(tmp_path).stat().st_mode) == 0o600
    assert [each.id for each in Trust.load(trusted_keys(tmp_path)).keys] == [key_id(private_key(key).public_key())]
    assert trust.revoked == {}


def test_secrets_that_cannot_be_read_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(StackError, match=r"secrets\.json"):
        load_or_generate(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == "{"


def test_a_taken_port_is_not_free_and_is_replaced(tmp_path: Path) -> None:
    first = ports.remembered(tmp_path / "ports.json", ("a", "b"))
    assert ports.remembered(tmp_path / "ports.json", ("a", "b")) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["a"]))
        taken.listen()
        assert not ports.is_free(first["a"])
        second = ports.remembered(tmp_path / "ports.json", ("a", "b"))
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_a_port_that_was_chosen_before_is_not_chosen_again() -> None:
    chosen: set[int] = set()
    for _ in range(1_000):
        chosen.add(ports.free_port(chosen))
    assert len(chosen) == 1_000


def test_a_percent_sign_and_a_space_reach_the_program_as_they_are(tmp_path: Path) -> None:
    section = Program("p", ["run", "a b", "50%"], {"URL": "x%20y"}).section(tmp_path)
    read = configparser.RawConfigParser()
    read.read_string(section)
    assert read["program:p"]["command"] == 'run "a b" 50%%'
    assert read["program:p"]["environment"] == 'URL="x%%20y"'
