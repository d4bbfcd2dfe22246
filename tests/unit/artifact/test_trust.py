from __future__ import annotations

from pathlib import Path

import pytest
from gatekeeper import Gate

from artifact import Trust, TrustError
from artifact.keys import generate_private_key, private_key, public_pem


def test_a_revocation_says_why_and_comments_say_nothing(gate: Gate) -> None:
    (gate.trusted / "revoked").write_text(f"# taken back\n\n{'a' * 64} leaks names\n{'b' * 64}\n")
    assert gate.trust.revoked == {"a" * 64: "leaks names", "b" * 64: "no reason given"}


def test_a_verifier_that_is_not_set_up_says_what_is_missing(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FERRYMAN_TRUSTED_KEYS", raising=False)
    with pytest.raises(TrustError, match="FERRYMAN_TRUSTED_KEYS is not set"):
        Trust.from_environment()
    with pytest.raises(TrustError, match="no public key"):
        Trust.load(tmp_path / "nowhere")
    (gate.trusted / "revoked").write_text("abc\n")
    with pytest.raises(TrustError, match="line 1"):
        Trust.load(gate.trusted)
    (gate.trusted / "revoked").unlink()
    with pytest.raises(TrustError, match="revoked"):
        Trust.load(gate.trusted)


def test_a_third_key_and_a_private_key_are_refused(gate: Gate) -> None:
    for name in ("second.pem", "third.pem"):
        (gate.trusted / name).write_text(public_pem(private_key(generate_private_key().encode()).public_key()))
    with pytest.raises(TrustError, match="at most 2"):
        Trust.load(gate.trusted)
    (gate.trusted / "third.pem").unlink()
    (gate.trusted / "second.pem").write_text(generate_private_key())
    with pytest.raises(TrustError, match=r"second\.pem"):
        Trust.load(gate.trusted)
