from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from release.crd import definition, main
from release.spec import ReleaseSpec
from release.status import CanaryStatus, ReleaseStatus

SPEC = {
    "model": "sentiment",
    "route": {"hostnames": ["tenant-a.example.com"], "parentRefs": [{"name": "gateway", "namespace": "gateway"}]},
    "strategy": {"canary": {"steps": [{"weight": 5, "pause": "60s"}, {"weight": 50, "pause": "indefinite"}]}},
}


def schema(part: str) -> dict[str, Any]:
    version = definition()["spec"]["versions"][0]
    return dict(version["schema"]["openAPIV3Schema"]["properties"][part])


def below(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
        for each in found.values():
            yield from below(each)


def test_what_the_controller_writes_is_what_the_definition_allows() -> None:
    status = ReleaseStatus(
        canary=CanaryStatus(version=8, digest="a" * 64, storage_uri="s3://released/sentiment/8-a/", since=1, started=1)
    )
    Draft4Validator(schema("status")).validate(status.model_dump(by_alias=True, mode="json", exclude_none=True))


def test_a_spec_with_everything_filled_in_is_allowed_as_it_was_written() -> None:
    filled = ReleaseSpec.model_validate(SPEC).model_dump(by_alias=True, mode="json", exclude_none=True)
    for spec in (SPEC, filled):
        Draft4Validator(schema("spec")).validate(spec)


@pytest.mark.parametrize(
    ("field", "value"),
    [("pause", "soon"), ("pause", 60), ("weight", 0), ("weight", 100), ("weight", "5")],
)
def test_a_step_with_a_wrong_value_is_refused(field: str, value: object) -> None:
    step = {"weight": 5, "pause": "60s", field: value}
    wrong = {**SPEC, "strategy": {"canary": {"steps": [step]}}}
    assert not Draft4Validator(schema("spec")).is_valid(wrong)


def test_the_schema_is_structural() -> None:
    for part in ("spec", "status"):
        for each in below(schema(part)):
            assert not {"$ref", "anyOf", "$defs", "const"} & each.keys()
            assert not ("properties" in each and "additionalProperties" in each)


def test_the_definition_that_people_apply_is_the_one_that_the_code_makes(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    applied = Path(__file__).parents[3] / "infra" / "platform" / "release" / "crd.yaml"
    assert capsys.readouterr().out == applied.read_text(), "run: make generate"
