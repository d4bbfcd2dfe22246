from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from gatekeeper import Gate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifact import PublishedArtifact, Reason, RefusedError, tree_digest, verify_signed
from artifact.signature import SignatureFiles
from registry.keys import drop, revoke, rotate
from registry.signing import SigningError


def refusal(folder: Path, place: PublishedArtifact, gate: Gate) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        verify_signed(folder, place, gate.trust)
    assert "\n" not in str(caught.value)
    assert str(folder) not in str(caught.value)
    return caught.value


def test_what_the_gate_signed_verifies_and_says_what_it_is(
    gate: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    before = tree_digest(artifact)
    gate.sign(artifact, place)
    verified = verify_signed(artifact, place, gate.trust)
    assert verified.keys == (gate.key.id,)
    assert verified.statement.digest == before == tree_digest(artifact)
    assert (verified.statement.gate_reason, verified.statement.gate_numbers) == ("as measured", {"accuracy": 0.9})


def test_an_unsigned_artifact_is_refused(gate: Gate, artifact: Path, place: PublishedArtifact) -> None:
    assert refusal(artifact, place, gate).reason == Reason.UNSIGNED
    (artifact / "signatures" / "line\nbreak").mkdir(parents=True)
    assert refusal(artifact, place, gate).reason == Reason.UNSIGNED


@pytest.mark.parametrize(
    "tamper",
    [
        lambda folder: (folder / "more").write_bytes(b"x"),
        lambda folder: (folder / ".gitignore").write_bytes(b"x"),
        lambda folder: (folder / "signatures" / "hidden.py").write_bytes(b"x"),
        lambda folder: (folder / "model.skops").unlink(),
        lambda folder: (folder / "model.skops").rename(folder / "other.skops"),
        lambda folder: (folder / "link").symlink_to(folder / "model.skops"),
    ],
    ids=["added", "added for git", "added beside the signature", "removed", "renamed", "linked"],
)
def test_another_set_of_files_is_refused(
    gate: Gate, artifact: Path, place: PublishedArtifact, tamper: Callable[[Path], object]
) -> None:
    gate.sign(artifact, place)
    tamper(artifact)
    assert refusal(artifact, place, gate).reason == Reason.ALTERED


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_one_flipped_bit_is_refused_or_changes_nothing(
    data: st.DataObject, gate: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    if not (artifact / "signatures").exists():
        gate.sign(artifact, place)
    signed = verify_signed(artifact, place, gate.trust)
    chosen = data.draw(st.sampled_from(sorted(path for path in artifact.rglob("*") if path.is_file())))
    held = chosen.read_bytes()
    flipped = bytearray(held)
    flipped[data.draw(st.integers(0, len(held) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    chosen.write_bytes(flipped)
    try:
        accepted = verify_signed(artifact, place, gate.trust)
    except RefusedError:
        pass
    else:
        # White space in the signature's JSON carries no meaning; anything else is signed.
        assert (accepted, "signatures" in chosen.parts) == (signed, True)
    finally:
        chosen.write_bytes(held)


def test_a_signature_with_another_key_is_refused(
    gate: Gate, stranger: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    stranger.sign(artifact, place)
    assert refusal(artifact, place, gate).reason == Reason.UNTRUSTED_KEY


def test_a_signature_with_another_key_under_a_trusted_name_is_refused(
    gate: Gate, stranger: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    stranger.sign(artifact, place)
    (artifact / "signatures" / stranger.key.id).rename(artifact / "signatures" / gate.key.id)
    assert refusal(artifact, place, gate).reason == Reason.ALTERED


def test_a_forged_statement_beside_the_gates_own_bundle_is_refused(
    gate: Gate, stranger: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    gate.sign(artifact, place)
    forged = shutil.copytree(artifact, artifact.parent / "forged")
    wanted = replace(place, version=8)
    replace(stranger, key=replace(stranger.key, id=gate.key.id)).sign(forged, wanted)
    statement = SignatureFiles.of(artifact, gate.key.id).statement
    held = statement.read_bytes()
    shutil.copy(SignatureFiles.of(forged, gate.key.id).statement, statement)
    assert refusal(artifact, wanted, gate).reason == Reason.ALTERED
    envelope = json.loads(held)
    payload = base64.b64decode(envelope["payload"]).replace(b'"version":7', b'"version":8')
    statement.write_text(json.dumps(envelope | {"payload": base64.b64encode(payload).decode()}))
    assert refusal(artifact, wanted, gate).reason == Reason.ALTERED


def test_a_revoked_digest_is_refused_with_its_reason(gate: Gate, artifact: Path, place: PublishedArtifact) -> None:
    gate.sign(artifact, place)
    assert revoke(gate.trusted, tree_digest(artifact), "leaks\nnames")
    assert not revoke(gate.trusted, tree_digest(artifact), "again")
    refused = refusal(artifact, place, gate)
    assert (refused.reason, str(refused)) == (Reason.REVOKED, "sentiment version 7 was revoked: leaks names")


def test_another_models_or_versions_signature_is_refused(gate: Gate, artifact: Path, place: PublishedArtifact) -> None:
    gate.sign(artifact, place)
    renamed = shutil.copytree(artifact, artifact.parent / "renamed")
    assert refusal(renamed, replace(place, model="topics"), gate).reason == Reason.WRONG_MODEL
    assert refusal(artifact, replace(place, version=8), gate).reason == Reason.WRONG_VERSION


def test_an_address_that_names_other_bytes_is_refused(gate: Gate, artifact: Path, place: PublishedArtifact) -> None:
    gate.sign(artifact, place)
    assert refusal(artifact, replace(place, digest12="0" * 12), gate).reason == Reason.ALTERED


def test_what_did_not_pass_the_gate_is_refused_even_if_signed_unless_a_person_gave_a_reason(
    gate: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    gate.sign(artifact, place, passed=False)
    assert refusal(artifact, place, gate).reason == Reason.GATE_NOT_PASSED
    gate.sign(artifact, place, passed=False, override="the test set was wrong")
    assert verify_signed(artifact, place, gate.trust).statement.override == "the test set was wrong"


def test_the_bundle_alone_does_not_pass_for_a_statement(gate: Gate, artifact: Path, place: PublishedArtifact) -> None:
    gate.sign(artifact, place)
    files = SignatureFiles.of(artifact, gate.key.id)
    envelope = json.loads(files.bundle.read_text())["dsseEnvelope"]
    for signature in envelope["signatures"]:
        signature["keyid"] = gate.key.id
    files.statement.write_text(json.dumps(envelope))
    assert refusal(artifact, place, gate).reason == Reason.UNSIGNED
    files.statement.unlink()
    assert refusal(artifact, place, gate).reason == Reason.UNSIGNED


def test_another_artifacts_bundle_beside_the_right_statement_is_refused(
    gate: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    other = shutil.copytree(artifact, artifact.parent / "other")
    (other / "model.skops").write_bytes(b"other weights")
    for folder in (artifact, other):
        gate.sign(folder, place)
    shutil.copy(SignatureFiles.of(other, gate.key.id).bundle, SignatureFiles.of(artifact, gate.key.id).bundle)
    assert refusal(artifact, place, gate).reason == Reason.ALTERED


def test_a_signature_too_large_to_be_one_is_not_read(gate: Gate, artifact: Path, place: PublishedArtifact) -> None:
    gate.sign(artifact, place)
    with SignatureFiles.of(artifact, gate.key.id).statement.open("ab") as file:
        file.truncate(1 << 40)
    refused = refusal(artifact, place, gate)
    assert (refused.reason, "too large" in str(refused)) == (Reason.ALTERED, True)


def test_after_a_rotation_both_keys_are_accepted_until_the_old_one_is_dropped(
    gate: Gate, artifact: Path, place: PublishedArtifact
) -> None:
    gate.sign(artifact, place)
    old = gate.key
    new = replace(old, id=rotate(old, gate.trusted))
    assert verify_signed(artifact, place, gate.trust).keys == (old.id,)
    with pytest.raises(SigningError, match="drop"):
        rotate(new, gate.trusted)
    again = shutil.copytree(artifact, artifact.parent / "again")
    replace(gate, key=new).sign(again, place)
    assert set(verify_signed(again, place, gate.trust).keys) == {old.id, new.id}
    drop(new, gate.trusted, old.id)
    assert verify_signed(again, place, gate.trust).keys == (new.id,)
    assert refusal(artifact, place, gate).reason == Reason.UNTRUSTED_KEY
    with pytest.raises(SigningError, match="signs now"):
        drop(new, gate.trusted, new.id)


def test_openssfs_own_command_verifies_the_files(gate: Gate, artifact: Path, place: PublishedArtifact) -> None:
    gate.sign(artifact, place)
    command = [sys.executable, "-m", "model_signing", "verify", "key", str(artifact)]
    command += ["--signature", str(SignatureFiles.of(artifact, gate.key.id).bundle)]
    command += ["--public_key", str(gate.trusted / f"{gate.key.id}.pem")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (artifact / "model.skops").write_bytes(b"other")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
