"""What every peer does with the model: scikit-learn on the artifact's skops file, over a table of texts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import skops.io

FOLDER = Path(os.environ["BENCH_MODEL"])


class Model:
    """The pipeline, loaded."""

    def __init__(self) -> None:
        self._pipeline = skops.io.load(FOLDER / "model.skops", trusted=[])

    def positive(self, texts: Sequence[str]) -> list[float]:
        """Return each text's probability of the second class."""
        return self._pipeline.predict_proba(pd.DataFrame({"text": list(texts)}))[:, 1].tolist()
