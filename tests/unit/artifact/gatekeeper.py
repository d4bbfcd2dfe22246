"""Somebody with real keys who signs artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from artifact import PublishedArtifact, Statement, Trust, tree_digest
from infra.local.secret import prepare_signing, signing_key, trusted_keys
from registry.signing import SigningKey, sign_folder


@dataclass(frozen=True)
class Gate:
    """Somebody who signs, and those who trust nobody else."""

    key: SigningKey
    trusted: Path

    @classmethod
    def at(cls, home: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
        home.mkdir()
        prepare_signing(home)
        monkeypatch.setenv("FERRYMAN_SIGNING_KEY", str(signing_key(home)))
        return cls(SigningKey.from_environment(), trusted_keys(home))

    @property
    def trust(self) -> Trust:
        return Trust.load(self.trusted)

    def sign(self, folder: Path, place: PublishedArtifact, *, passed: bool = True, override: str | None = None) -> None:
        statement = Statement(
            place.model, place.version, tree_digest(folder), passed, "as measured", {"accuracy": 0.9}, override
        )
        sign_folder(folder, statement, self.key)
