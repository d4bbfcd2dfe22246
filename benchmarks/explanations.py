"""Ferryman's explanations beside SHAP's LinearExplainer over a zero background, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from inference.recognise import recognise
from inference.skops_file import read

__all__ = ["largest_difference"]


def largest_difference(folder: Path, python: Path, texts: Sequence[str]) -> float:
    """Return the largest difference of a contribution or bias, each text's in order of size."""
    peers = Path(__file__).parent / "peers"
    with tempfile.TemporaryDirectory() as scratch:
        asked, answered = Path(scratch) / "texts.json", Path(scratch) / "values.json"
        asked.write_text(json.dumps(list(texts)))
        environment = {**os.environ, "PYTHONPATH": str(peers), "BENCH_MODEL": str(folder)}
        command = [str(python), str(peers / "shap" / "explain.py"), str(asked), str(answered)]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        theirs = json.loads(answered.read_text())
    model = recognise(read(folder / "model.skops"))
    largest = 0.0
    for explained, values in zip(model.explain(texts), theirs, strict=True):
        ours = sorted(token["contribution"] for token in explained["tokens"])
        pairs = zip(ours, sorted(values["values"]), strict=True)
        differences = [abs(one - other) for one, other in pairs]
        largest = max(largest, abs(explained["bias"] - values["bias"]), *differences)
    return largest
