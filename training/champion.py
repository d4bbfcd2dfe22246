"""The model that is released now, as the yardstick for the next."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.artifacts import load_text
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from artifact import ArtifactError
from artifact.model import load_pipeline
from registry.client import CHAMPION, Registry
from training.profile import DataProfile, ProfileError

__all__ = ["PROFILE_FILE", "Champion", "find"]

PROFILE_FILE = "data_profile.json"


@dataclass(frozen=True)
class Champion:
    """A registered version and the profile of the data that it learned from, where its run kept one."""

    version: int
    profile: DataProfile | None
    _registry: Registry

    def score(self, model: str, frame: pd.DataFrame) -> NDArray[np.float64] | None:
        """Return its probabilities of label 1 for n rows, or None when its artifact cannot be loaded."""
        with tempfile.TemporaryDirectory(prefix="ferryman-champion-") as scratch:
            try:
                folder = self._registry.download(self._registry.get(model, self.version), Path(scratch))
                pipeline = load_pipeline(folder)
            except ArtifactError:
                return None
        return np.asarray(pipeline.predict_proba(frame[["text"]])[:, 1], dtype=np.float64)


def find(registry: Registry, model: str) -> Champion | None:
    """Return the champion, or None before there is one."""
    version = registry.by_alias(model, CHAMPION)
    if version is None:
        return None
    try:
        profile = DataProfile.from_json(load_text(f"runs:/{version.run_id}/{PROFILE_FILE}"))
    except (MlflowException, ProfileError, OSError):
        profile = None
    return Champion(version.version, profile, registry)
