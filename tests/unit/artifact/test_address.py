from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifact import AddressError, PublishedArtifact, Reason


@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
    st.integers(1, 10**9 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_an_address_round_trips(model: str, version: int, digest: bytes) -> None:
    place = PublishedArtifact.of(model, version, digest.hex())
    assert PublishedArtifact.parse(place.uri) == place
    assert place.prefix.endswith("/")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "s3://released/sentiment/1-0123456789ab",
        "s3://released/sentiment/0-0123456789ab/",
        "s3://released/sentiment/1-0123456789AB/",
        "s3://released/sentiment/1-0123456789ab/x/",
        "s3://released/../mlflow/1-0123456789ab/",
        "s3://mlflow/sentiment/1-0123456789ab/",
        "s3://released/sentiment/1-0123456789ab/\n",
        "gs://released/sentiment/1-0123456789ab/",
    ],
)
def test_anything_else_is_refused(uri: str) -> None:
    with pytest.raises(AddressError, match="not a published artifact") as refused:
        PublishedArtifact.parse(uri)
    assert refused.value.reason == Reason.OUTSIDE_RELEASED
