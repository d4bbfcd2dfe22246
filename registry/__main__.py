"""`python -m registry`: what the registry holds, what of it may be trusted, and moving its alias."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from artifact import ArtifactError, RefusedError, Trust, TrustError, tree_digest
from artifact.names import MODEL
from artifact.trust import TRUSTED_KEYS
from registry import keys
from registry.client import CHAMPION, RegisteredVersion, Registry, RegistryError, RegistryUnreachableError
from registry.download import verify
from registry.publish import PublishRefusedError, StorageUnreachableError, publish, refusal
from registry.signing import SigningError, SigningKey, sign_again
from registry.storage import s3_client
from registry.tags import SIGNATURE_OVERRIDE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 refused or absent, 3 MLflow or the object store is down."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except RegistryUnreachableError as error:
        print(f"{error}\nTenants go on answering. Start the stack with: make up", file=sys.stderr)
        return 3
    except StorageUnreachableError as error:
        print(error, file=sys.stderr)
        return 3
    except (RegistryError, ArtifactError, PublishRefusedError, SigningError, TrustError) as error:
        print(error, file=sys.stderr)
        return 1


def _promote(chosen: argparse.Namespace) -> int:
    registry = Registry()
    current = registry.by_alias(MODEL, CHAMPION)
    if chosen.if_none and current is not None:
        print(f"{MODEL} version {current.version} is `{CHAMPION}`.")
        return 0
    version = registry.get(MODEL, chosen.version) if chosen.version else _newest_releasable(registry)
    reason = refusal(version)
    if reason is None:
        try:
            verify(registry, version, Trust.from_environment())
        except RefusedError as error:
            reason = str(error)
    if reason:
        print(f"Not promoted: {reason}.", file=sys.stderr)
        return 1
    if current is not None and current.version == version.version:
        print(f"{MODEL} version {version.version} is `{CHAMPION}` already.")
        return 0
    registry.set_alias(MODEL, CHAMPION, version.version)
    print(f"`{CHAMPION}` moved from version {current.version if current else 'none'} to version {version.version}.")
    return 0


def _newest_releasable(registry: Registry) -> RegisteredVersion:
    versions = registry.versions(MODEL)
    if not versions:
        raise RegistryError(f"no version of {MODEL} is registered; train one with: make train")
    for version in versions:
        if refusal(version) is None:
            return version
    raise RegistryError(
        f"none of the {len(versions)} versions of {MODEL} passed the gate and is signed; see `make versions`"
    )


def _list(_: argparse.Namespace) -> int:
    registry = Registry()
    champion = registry.by_alias(MODEL, CHAMPION)
    for version in registry.versions(MODEL):
        alias = f"  <- {CHAMPION}" if champion is not None and champion.version == version.version else ""
        override = version.tags.get(SIGNATURE_OVERRIDE)
        signed = f"signed by hand: {override}" if override else "signed by the gate"
        print(f"{MODEL} v{version.version}  {refusal(version) or signed}{alias}")
    return 0


def _sign(chosen: argparse.Namespace) -> int:
    registry = Registry()
    version = registry.get(MODEL, chosen.version)
    print(sign_again(registry, version, SigningKey.from_environment(), Trust.from_environment(), chosen.override))
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    registry = Registry()
    verified = verify(registry, registry.get(MODEL, chosen.version), Trust.from_environment())
    statement = verified.statement
    print(f"{statement.model} version {statement.version} may be released.")
    print(f"digest    {statement.digest}")
    print(f"signed    with {', '.join(verified.keys)}")
    print(f"gate      {'passed' if statement.gate_passed else 'not passed'}: {statement.gate_reason}")
    if statement.override:
        print(f"override  {statement.override}")
    return 0


def _publish(chosen: argparse.Namespace) -> int:
    registry = Registry()
    published = publish(registry, s3_client(), registry.get(MODEL, chosen.version), Trust.from_environment())
    print(f"{published.place.uri}  digest {published.digest}")
    return 0


def _keys_list(_: argparse.Namespace) -> int:
    signing = SigningKey.from_environment()
    trust = Trust.load(_trusted_folder())
    for key in trust.keys:
        print(f"{key.id}  accepted{', signs now' if key.id == signing.id else ''}")
    for digest, reason in trust.revoked.items():
        print(f"{digest}  revoked: {reason}")
    return 0


def _keys_rotate(_: argparse.Namespace) -> int:
    old = SigningKey.from_environment()
    new = keys.rotate(old, _trusted_folder())
    print(f"{new} signs from now on. {old.id} stays accepted; when no tenant serves what only it has signed:")
    print(f"python -m registry keys drop {old.id}")
    return 0


def _keys_drop(chosen: argparse.Namespace) -> int:
    keys.drop(SigningKey.from_environment(), _trusted_folder(), chosen.key)
    print(f"{chosen.key} is not accepted any more.")
    return 0


def _revoke(chosen: argparse.Namespace) -> int:
    new = keys.revoke(_trusted_folder(), chosen.digest, chosen.reason)
    print(
        f"{chosen.digest} {'is revoked' if new else 'was revoked before'}: it is neither published nor started again."
    )
    return 0


def _trusted_folder() -> Path:
    folder = os.environ.get(TRUSTED_KEYS)
    if not folder:
        raise TrustError(f"{TRUSTED_KEYS} is not set: `make up` makes the folder, `. .ferryman/env` names it")
    return Path(folder)


def _digest(chosen: argparse.Namespace) -> int:
    print(tree_digest(chosen.folder))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m registry", description="The model registry, as releases see it.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str, *, within: object = commands) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = within.add_parser(name, help=text, description=text)  # type: ignore[attr-defined]
        made.set_defaults(run=run)
        return made

    promote = command("promote", _promote, f"move the alias `{CHAMPION}` to a version whose signature holds")
    promote.add_argument("--version", type=_version, help="the version; without it, the newest that is signed")
    promote.add_argument("--if-none", action="store_true", help=f"leave a `{CHAMPION}` that is there where it is")
    command("list", _list, "every version and, as far as its tags say, whether it may be released")
    command("verify", _verify, "verify a version's signature and show what was signed").add_argument(
        "--version", type=_version, required=True
    )
    sign = command(
        "sign", _sign, "sign with the current key what a trusted key has signed, or, with a reason, anything"
    )
    sign.add_argument("--version", type=_version, required=True)
    sign.add_argument("--override", metavar="REASON", type=_reason, help="sign what the gate did not; it is recorded")
    command("publish", _publish, "verify a version and copy it, or a new signature of it, to released/").add_argument(
        "--version", type=_version, required=True
    )
    command("digest", _digest, "print the digest of a model folder").add_argument("folder", type=Path)
    revoke = command("revoke", _revoke, "never publish or start the artifact of this digest again")
    revoke.add_argument("digest", help="64 hex digits")
    revoke.add_argument("reason", type=_reason)
    kept = commands.add_parser("keys", help="the keys that sign and that are accepted")
    actions = kept.add_subparsers(required=True, metavar="ACTION")
    command("list", _keys_list, "the accepted keys, the one that signs, the revoked digests", within=actions)
    command("rotate", _keys_rotate, "sign with a new key from now on; the old one stays accepted", within=actions)
    command("drop", _keys_drop, "accept a key no more", within=actions).add_argument("key", help="its id")
    return parser


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("give a reason that people will understand later")
    return " ".join(text.split())


def _version(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a version: expected 1, 2, 3 …")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
