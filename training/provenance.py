"""Where a model comes from: commit, environment, and a digest of what was computed."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from artifact.names import TEXT_COLUMN

__all__ = ["Commit", "commit", "environment", "parameters_digest", "requirements"]

_SERVING = ("numpy", "pandas", "scikit-learn", "scipy", "skops")


@dataclass(frozen=True)
class Commit:
    """The checkout that the code came from; ``unknown`` where there is none."""

    sha: str
    dirty: bool


def commit() -> Commit:
    """Return the commit of the code, and whether files that git tracks differ from it."""
    folder = Path(__file__).parent
    try:
        sha = _git(folder, "rev-parse", "HEAD").strip()
        return Commit(sha, bool(_git(folder, "status", "--porcelain", "--untracked-files=no")))
    except (OSError, subprocess.CalledProcessError):
        return Commit("unknown", dirty=False)


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True).stdout


def environment() -> str:
    """Return every installed distribution as ``name==version`` lines."""
    return "\n".join(sorted({f"{each.name}=={each.version}" for each in metadata.distributions()}, key=str.casefold))


def requirements() -> list[str]:
    """Return what loading the model needs, pinned to what it was fitted with."""
    return [f"{name}=={metadata.version(name)}" for name in _SERVING]


def parameters_digest(pipeline: Pipeline) -> str:
    """Return SHA-256 over the hashing, feature weights, coefficients and intercept, as 64 hex digits.

    The artifact's own files carry ids and times; this says whether two trainings computed the same model.
    """
    steps = pipeline[0].named_transformers_[TEXT_COLUMN]
    digest = hashlib.sha256(repr(sorted(steps["hash"].get_params().items())).encode())
    for values in (steps["tfidf"].idf_, pipeline[-1].coef_, pipeline[-1].intercept_):
        digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    return digest.hexdigest()
