"""How fast and in how much memory training runs on many rows: `python benchmarks/large_training.py --rows 1000000`.

The rows are the default data's, repeated. In each, one word in ten gives way to a word of another review with
the same label, so that every row survives deduplication and word frequencies stay natural. The stages are the
job's own, without MLflow. Memory is the sum of the resident sets of all its processes, sampled four times a second.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from training.checks import check_raw, check_split
from training.evaluate import measure
from training.memory import give_back
from training.normalise import deduplicate, with_key
from training.pipeline import fit, learning_curve
from training.source import load
from training.split import split
from training.vectorise import fit_features, hash_texts

_REPLACED = 0.1
_BLOCK = 20_000


class Watch:
    """Prints each stage's time and throughput, and the highest memory seen in it, in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._highest = 0
        self._ended = threading.Event()
        threading.Thread(target=self._sample, daemon=True).start()

    @contextmanager
    def stage(self, name: str, rows: int) -> Iterator[None]:
        """Measure one stage over so many rows."""
        self._highest, begun = 0, time.perf_counter()
        yield
        seconds = time.perf_counter() - begun
        self._highest = max(self._highest, _resident())
        self.peak = max(self.peak, self._highest)
        measured = f"{seconds:8.1f} s {rows / seconds:>10,.0f} rows/s {self._highest / 1e9:6.2f} GB"
        print(f"{name:<12} {rows:>10,} rows {measured}", flush=True)

    def end(self) -> None:
        """Stop sampling."""
        self._ended.set()

    def _sample(self) -> None:
        while not self._ended.wait(0.25):
            self._highest = max(self._highest, _resident())


def _resident() -> int:
    total = 0
    own = psutil.Process()
    for each in (own, *own.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def write_rows(path: Path, rows: int) -> None:
    """Write a Parquet file of so many perturbed rows, in blocks; the same file each time."""
    # Shuffled, or fewer rows than the default data's would have one label.
    frame = deduplicate(load(None).frame).sample(frac=1, random_state=0, ignore_index=True)
    texts, labels, sources = (frame[name].tolist() for name in ("text", "label", "source"))
    same = {label: np.flatnonzero(frame["label"] == label) for label in (0, 1)}
    chance = np.random.default_rng(0)
    schema = pa.schema([("text", pa.string()), ("label", pa.int64()), ("source", pa.string())])
    with pq.ParquetWriter(path, schema) as file:
        for first in range(0, rows, _BLOCK):
            places = [row % len(frame) for row in range(first, min(first + _BLOCK, rows))]
            made = [_perturbed(texts[at], texts[chance.choice(same[labels[at]])], chance) for at in places]
            columns = [made, [labels[at] for at in places], [sources[at] for at in places]]
            file.write_table(
                pa.table([pa.array(each, kind) for each, kind in zip(columns, schema.types, strict=True)], schema)
            )


def _perturbed(text: str, other: str, chance: np.random.Generator) -> str:
    words, donors = text.split(), other.split()
    # At least three, or short texts would meet each other again.
    for at in chance.integers(0, len(words), max(3, round(_REPLACED * len(words)))):
        words[at] = donors[chance.integers(0, len(donors))]
    return " ".join(words)


def run(path: Path, rows: int) -> None:
    """Train on the file and print what each stage took."""
    watch = Watch()
    with watch.stage("load", rows):
        table = load(str(path))
    with watch.stage("normalise", rows):
        frame = with_key(table.frame)
    with watch.stage("check table", rows):
        raw = check_raw(frame)
    with watch.stage("split", rows):
        frame = split(deduplicate(frame))
    with watch.stage("check split", len(frame)):
        sides = check_split(frame, None)
    if not (raw.success and sides.success):
        sys.exit("the perturbed rows failed a critical check")
    train = frame[frame["split"] == "train"].sort_values("key", ignore_index=True)
    test = frame[frame["split"] == "test"].reset_index(drop=True)
    del frame
    labels, test_labels = (side["label"].to_numpy(np.int64) for side in (train, test))
    give_back()
    with watch.stage("vectorise", len(train)):
        made, matrix = fit_features(hash_texts(train["text"].tolist(), lambda _: None))
    give_back()
    with watch.stage("fit", len(train)):
        pipeline = fit(made, matrix, labels)
    with watch.stage("evaluate", len(test)):
        test_matrix = pipeline[0].transform(test[["text"]])
        positive = pipeline[-1].predict_proba(test_matrix)[:, 1]
    with watch.stage("curve", len(train)):
        learning_curve(matrix, labels, test_matrix, test_labels)
    watch.end()
    found = measure(test_labels, positive)
    print(f"accuracy {found['accuracy']:.4f} on perturbed rows, calibration error {found['ece']:.4f}")
    print(f"highest memory {watch.peak / 1e9:.2f} GB on {os.cpu_count()} cores")


def main() -> None:
    """Make the rows and train on them."""
    parser = argparse.ArgumentParser(description="Training on many rows: throughput and memory.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: %(default)s")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="ferryman-benchmark-") as folder:
        path = Path(folder) / "rows.parquet"
        write_rows(path, rows)
        run(path, rows)


if __name__ == "__main__":
    main()
