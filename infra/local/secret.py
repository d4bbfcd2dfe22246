"""The keys of the embedded object store, of the registry's webhook, and the key that signs models, generated once."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from artifact.keys import generate_private_key, key_id, private_key, public_pem
from artifact.trust import REVOKED_FILE
from infra.local.errors import StackError
from infra.local.files import write_private

__all__ = [
    "Credentials",
    "Secrets",
    "WebhookKeys",
    "load_or_generate",
    "prepare_signing",
    "signing_key",
    "trusted_keys",
    "webhook_keys",
]


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


def signing_key(home: Path) -> Path:
    """Return where the private key lies. Only the training job and people who sign read it."""
    return home / "signing-key.pem"


def trusted_keys(home: Path) -> Path:
    """Return the folder that verifiers read: public keys and revoked digests."""
    return home / "trust"


def prepare_signing(home: Path) -> None:
    """Make the signing key (mode 0600) and the folder of trust the first time; what is there stays."""
    private, trust = signing_key(home), trusted_keys(home)
    if not private.exists():
        write_private(private, generate_private_key())
    trust.mkdir(mode=0o700, exist_ok=True)
    if not any(trust.glob("*.pem")):
        public = private_key(private.read_bytes()).public_key()
        if not (trust / REVOKED_FILE).exists():
            write_private(trust / REVOKED_FILE, "")
        write_private(trust / f"{key_id(public)}.pem", public_pem(public))


@dataclass(frozen=True)
class WebhookKeys:
    """``secret`` signs what MLflow sends; ``encryption_key`` (Fernet) is what MLflow keeps it under in its database."""

    secret: str
    encryption_key: str


def webhook_keys(home: Path) -> WebhookKeys:
    """Return the webhook's keys under ``home``, making them (mode 0600) the first time."""
    path = home / "webhook.json"
    if path.exists():
        try:
            return WebhookKeys(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise StackError(f"{path} cannot be read ({error}); remove it, and new keys are made") from error
    made = WebhookKeys(secrets.token_hex(32), base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    write_private(path, json.dumps(asdict(made), indent=2))
    return made
