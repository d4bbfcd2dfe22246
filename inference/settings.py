"""What a predictor is told at start: by flag, or by the variable of the same meaning."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settings"]

# RFC 1123, as Kubernetes has it for namespaces: a tenant is one, and its name goes into a response header.
_TENANT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

# What is in flight gets 15 s more: together below the 30 s after which Kubernetes kills.
_LONGEST_LAME_DUCK = 10


@dataclass(frozen=True)
class Settings:
    """One predictor's settings; ``model_dir`` is None when the predictor is to download its artifact itself."""

    storage_uri: str
    tenant: str
    model_dir: Path | None
    host: str
    http_port: int
    grpc_port: int
    lame_duck: float
    jwks: str | None

    @classmethod
    def parse(cls, arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Settings:
        """Read flags, then variables, then defaults.

        Raises:
            SystemExit: 2 with a usage line and a sentence, or 0 after ``--help``.
        """
        parser = _parser(environment)
        chosen = parser.parse_args(arguments)
        if not chosen.storage_uri:
            parser.error("--storage-uri (or STORAGE_URI) is missing: which artifact is to be served?")
        if not chosen.tenant:
            parser.error("--tenant (or FERRYMAN_TENANT) is missing: for whom is it to be served?")
        return cls(**vars(chosen))


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inference", description="Serve one published artifact for one tenant.", allow_abbrev=False
    )
    parser.add_argument(
        "--storage-uri",
        default=environment.get("STORAGE_URI"),
        help="s3://released/<model>/<version>-<digest12>/: names the model, version and digest (or STORAGE_URI)",
    )
    parser.add_argument(
        "--tenant",
        type=_tenant,
        default=environment.get("FERRYMAN_TENANT") or None,
        help="whose predictor this is; named in every answer (or FERRYMAN_TENANT)",
    )
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=environment.get("FERRYMAN_MODEL_DIR") or None,
        help="a folder that holds the artifact already; without it, it is downloaded (or FERRYMAN_MODEL_DIR)",
    )
    parser.add_argument(
        "--host",
        default=environment.get("FERRYMAN_HOST", "127.0.0.1"),
        help="the address that REST and gRPC listen on (or FERRYMAN_HOST; now: %(default)s)",
    )
    for name, port in (("http", "8080"), ("grpc", "8081")):
        parser.add_argument(
            f"--{name}-port",
            type=_port,
            default=environment.get(f"FERRYMAN_{name.upper()}_PORT", port),
            help=f"(or FERRYMAN_{name.upper()}_PORT; now: %(default)s)",
        )
    parser.add_argument(
        "--lame-duck",
        type=_seconds,
        default=environment.get("FERRYMAN_LAME_DUCK", "2"),
        help="seconds between SIGTERM and the ports' closing, in which requests are still answered "
        "(or FERRYMAN_LAME_DUCK; now: %(default)s)",
    )
    parser.add_argument(
        "--jwks",
        default=environment.get("FERRYMAN_JWKS") or None,
        help="a file or URL with the public keys of who issues tokens for this tenant; without it, everybody may ask "
        "(or FERRYMAN_JWKS)",
    )
    return parser


def _seconds(given: str) -> float:
    if not re.fullmatch(r"\d{1,2}(\.\d+)?", given) or float(given) > _LONGEST_LAME_DUCK:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number of seconds (0 to {_LONGEST_LAME_DUCK})")
    return float(given)


def _tenant(given: str) -> str:
    if not _TENANT.fullmatch(given):
        raise argparse.ArgumentTypeError(f"{given!r} is not a namespace's name (a-z, 0-9 and -, at most 63)")
    return given


def _port(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= 65535:
        raise argparse.ArgumentTypeError(f"{given!r} is not a port (1 to 65535)")
    return int(given)
