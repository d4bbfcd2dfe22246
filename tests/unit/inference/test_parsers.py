"""The parsers under arbitrary input: they answer with texts or with a refusal, and raise nothing else."""

from __future__ import annotations

import json
import struct
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from inference import seed, tensors, v1, v2
from inference.errors import RequestError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(st.binary())
def test_arbitrary_bytes_are_refused_or_read(body: bytes) -> None:
    for parse in (v1.texts, seed.text, lambda raw: v2.parse(raw, None), lambda raw: tensors.byte_elements(raw, "x")):
        with suppress(RequestError):
            parse(body)


@given(JSON)
def test_arbitrary_json_in_every_field_is_refused_or_read(value: object) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["x"], "parameters": {}}
    bodies = [{"instances": value}, {"instances": [value]}, {"text": value}, {"inputs": value}, {"inputs": [value]}]
    bodies += [{"inputs": [{**tensor, key: value}]} for key in tensor]
    bodies += [{"inputs": [tensor], key: value} for key in ("id", "outputs", "parameters")]
    for document in bodies:
        raw = json.dumps(document).encode()
        for parse in (v1.texts, seed.text, lambda body: v2.parse(body, None)):
            with suppress(RequestError):
                parse(raw)


@given(st.lists(ENCODABLE, min_size=1, max_size=20))
def test_bytes_tensors_round_trip(texts: list[str]) -> None:
    raw = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
    assert tensors.byte_elements(raw, "x") == texts


@given(st.lists(ENCODABLE, min_size=1, max_size=20), st.booleans())
def test_json_and_binary_requests_read_the_same(texts: list[str], column: bool) -> None:
    shape = [len(texts), 1] if column else [len(texts)]
    tensor = {"name": "text", "datatype": "BYTES", "shape": shape}
    plain = v2.parse(json.dumps({"inputs": [{**tensor, "data": texts}]}).encode(), None)
    raw = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": len(raw)}}]}).encode()
    assert plain == v2.parse(head + raw, str(len(head)))
