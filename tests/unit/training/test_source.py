from __future__ import annotations

import socket
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.source import DEFAULT_SOURCE, DataError, load


def write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "data.csv"


def test_the_default_data_is_two_sources_with_as_many_rows_of_each_label() -> None:
    table = load(None)
    assert table.name == DEFAULT_SOURCE
    assert list(table.frame.columns) == ["text", "label", "source"]
    assert table.frame.dtypes.astype(str).to_dict() == {"text": "object", "label": "Int64", "source": "object"}
    counts = table.frame.groupby(["source", "label"]).size()
    assert counts.to_dict() == {
        ("imdb", 0): 12500,
        ("imdb", 1): 12500,
        ("rotten_tomatoes", 0): 4265,
        ("rotten_tomatoes", 1): 4265,
    }


def test_a_csv_with_columns_of_other_names_is_read(csv: Path) -> None:
    write(csv, '\ufeffid,review,sentiment\n1,"Good, really\nvery good",pos\n2,Bad,neg\n')
    frame = load(str(csv), "review", "sentiment").frame
    assert frame.to_dict("list") == {
        "text": ["Good, really\nvery good", "Bad"],
        "label": [1, 0],
        "source": ["data", "data"],
    }


def test_the_files_own_source_column_is_kept_and_its_gaps_named(csv: Path) -> None:
    write(csv, "text,label,source\na,1,shop\nb,0,\n")
    assert load(str(csv)).frame["source"].tolist() == ["shop", "data"]


def test_words_that_mean_null_elsewhere_are_texts_and_only_an_empty_field_is_null(csv: Path) -> None:
    write(csv, "text,label\nNA,1\nNone,0\nnull,1\n,0\n5,1\n")
    assert load(str(csv)).frame["text"].tolist() == ["NA", "None", "null", None, "5"]


def test_parquet_and_csv_of_the_same_rows_have_the_same_digest(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["good", "bad", None], "label": [True, False, True], "source": ["x", "y", None]})
    frame.to_csv(tmp_path / "d.csv", index=False)
    frame.to_parquet(tmp_path / "d.parquet")
    from_csv, from_parquet = load(str(tmp_path / "d.csv")), load(str(tmp_path / "d.parquet"))
    pd.testing.assert_frame_equal(from_csv.frame, from_parquet.frame)
    assert from_csv.digest == from_parquet.digest


def test_parquet_with_a_dictionary_of_texts_and_an_index_of_its_own_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["good", "bad"], "label": [1.0, None]}, index=[5, 6]).astype({"text": "category"})
    frame.to_parquet(tmp_path / "d.parquet")
    read = load(str(tmp_path / "d.parquet")).frame
    assert read["text"].tolist() == ["good", "bad"]
    assert read["label"].isna().tolist() == [False, True]
    assert read.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    "other",
    ["text,label\na,1\nb,1\n", "text,label\nb,0\na,1\n", "text,label,source\na,1,x\nb,0,x\n", "text,label\n,1\nb,0\n"],
)
def test_the_digest_changes_with_any_label_order_source_or_text(csv: Path, other: str) -> None:
    first = load(write(csv, "text,label\na,1\nb,0\n")).digest
    assert load(write(csv, other)).digest != first


def test_text_cannot_be_moved_between_columns_without_changing_the_digest(csv: Path) -> None:
    first = load(write(csv, "text,label,source\na,1,bc\n")).digest
    assert load(write(csv, "text,label,source\nab,1,c\n")).digest != first


@pytest.mark.parametrize(("missing", "role"), [("text", "text"), ("label", "label")])
def test_a_missing_column_is_named_together_with_those_present(csv: Path, missing: str, role: str) -> None:
    columns = {"text": "review" if missing == "text" else "text", "label": "stars" if missing == "label" else "label"}
    write(csv, f"{columns['text']},{columns['label']}\na,1\n")
    with pytest.raises(DataError, match=f"no {role} column '{missing}'; the columns are {', '.join(columns.values())}"):
        load(str(csv))


def test_a_file_with_another_separator_shows_the_one_column_it_has(csv: Path) -> None:
    with pytest.raises(DataError, match="the columns are text;label"):
        load(write(csv, "text;label\na;1\n"))


def test_unknown_labels_are_reported_with_the_file_and_the_column(csv: Path) -> None:
    with pytest.raises(DataError, match=r"data\.csv: column 'stars': 1 of 1 labels are not understood: '5 stars'"):
        load(write(csv, "text,stars\na,5 stars\n"), label_column="stars")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Empty CSV"),
        (b"text,label\n\xff\xfe,1\n", "UTF8"),
        (b'text,label\n"never closed,1\nb,0\n', "Expected 2 columns, got 1"),
        (b"text,label\nGreat, loved it,1\n", "Expected 2 columns, got 3: Great, loved it,1"),
        (b"text,label\na,1\nno label\n", "Expected 2 columns, got 1: no label"),
    ],
)
def test_a_broken_csv_is_the_callers_mistake(csv: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=f"data.csv: the file cannot be read: .*{said}"):
        load(write(csv, content))


def test_the_complaint_about_a_broken_csv_does_not_repeat_the_file(csv: Path) -> None:
    with pytest.raises(DataError) as raised:
        load(write(csv, 'text,label\n"never closed,1\n' + "more,0\n" * 1000))
    assert len(str(raised.value)) < 500


def test_a_table_without_rows_is_left_to_the_checks(csv: Path) -> None:
    frame = load(write(csv, "text,label\n")).frame
    assert frame.empty
    assert list(frame.columns) == ["text", "label", "source"]


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"{name}: there is no such file"):
        load(str(tmp_path / name))


@pytest.mark.parametrize("name", ["data.json", "data", "data.csv.gz"])
def test_other_kinds_of_file_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"\.csv or a \.parquet"):
        load(write(tmp_path / name, "{}"))


@pytest.mark.parametrize("address", ["s3://", "s3://bucket/", "s3://bucket/folder/", "s3://bucket/data.json"])
def test_an_object_of_another_kind_is_refused_before_it_is_downloaded(address: str) -> None:
    with pytest.raises(DataError, match=r"\.csv or a \.parquet"):
        load(address)


def test_a_file_that_only_claims_to_be_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load(write(tmp_path / "d.parquet", "text,label\na,1\n"))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"text": [1, 2], "label": [0, 1]}, "column 'text' holds int64, not text"),
        ({"text": ["a", "b"], "label": [[0], [1]]}, "column 'label' holds list"),
    ],
)
def test_parquet_columns_of_another_type_are_refused(tmp_path: Path, table: dict[str, list[object]], said: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "d.parquet")
    with pytest.raises(DataError, match=said):
        load(str(tmp_path / "d.parquet"))


def test_parquet_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([["a"], ["b"], [1]], names=["text", "text", "label"]), tmp_path / "d.parquet")
    with pytest.raises(DataError, match="more than one column 'text'"):
        load(str(tmp_path / "d.parquet"))


def test_one_column_cannot_be_both_text_and_label() -> None:
    with pytest.raises(DataError, match="both be column 'text'"):
        load("data.csv", label_column="text")


@pytest.mark.parametrize("address", ["s3://bucket.csv", "s3:///key.csv"])
def test_an_address_without_bucket_and_key_is_refused(address: str) -> None:
    with pytest.raises(DataError, match="s3://bucket/key"):
        load(address)


def test_an_object_store_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        with pytest.raises(DataError, match=r"s3://bucket/data\.csv: the object store cannot be read"):
            load("s3://bucket/data.csv")


def test_a_malformed_endpoint_is_the_callers_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", "localhost:9000")
    with pytest.raises(DataError, match="the object store cannot be read"):
        load("s3://bucket/data.csv")
