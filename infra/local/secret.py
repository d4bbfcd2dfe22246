"""The keys of the embedded object store, generated once."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.errors import StackError
from infra.local.files import write_private

__all__ = ["Credentials", "Secrets", "load_or_generate"]


@dataclass(frozen=True)
class Credentials:
    """One S3 user."""

    access_key: str
    secret_key: str

    @classmethod
    def generate(cls, name: str) -> Credentials:
        """Return a new key pair; ``name`` tells users apart in logs."""
        return cls(f"{name}-{secrets.token_hex(4)}", secrets.token_hex(20))

    def environment(self) -> dict[str, str]:
        """The variables by which the AWS SDKs know this user."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


@dataclass(frozen=True)
class Secrets:
    """The publisher writes; the predictors may only read what is released."""

    publisher: Credentials
    reader: Credentials


def load_or_generate(home: Path) -> Secrets:
    """Return the secrets under ``home``, making them (mode 0600) the first time."""
    path = home / "secrets.json"
    if path.exists():
        try:
            held = json.loads(path.read_text())
            return Secrets(Credentials(**held["publisher"]), Credentials(**held["reader"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StackError(
                f"{path} cannot be read ({error}); restore it, or remove all state with `make clean`"
            ) from error
    made = Secrets(Credentials.generate("publisher"), Credentials.generate("reader"))
    write_private(path, json.dumps(asdict(made), indent=2))
    return made
