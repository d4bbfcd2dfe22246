"""Great Expectations as a function: a table and a suite's name in, findings out."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from training.checks.findings import Finding

__all__ = ["SUITES", "SuiteError", "validate"]

SUITES = ("raw", "split", "drift")
"""The suites in ``training/checks/suites``, one JSON file each, in the form of Great Expectations' own suites."""

_FOLDER = importlib.resources.files(__package__) / "suites"
_EXAMPLES = 5
_EXAMPLE_LENGTH = 80
# The columns that stand for a text: an example of these shows the text.
_OF_TEXT = {"key", "labels_of_text", "length", "sides_of_text"}


class SuiteError(ValueError):
    """A suite's file is not a suite that Great Expectations takes."""


def validate(frame: pd.DataFrame, suite: str, parameters: Mapping[str, object] | None = None) -> list[Finding]:
    """Validate the frame, and return a finding for each expectation of the suite, in the file's order.

    Args:
        frame: one row a text, with a unique index, which the examples name.
        suite: one of :data:`SUITES`.
        parameters: values for the suite's ``{"$PARAMETER": name}``.

    Raises:
        SuiteError: see there.
    """
    # The import takes seconds: whoever only asks for help does not wait for it.
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    stated = _read(suite)
    words = _words(stated)
    expectations = [_expectation(suite, at, each) for at, each in enumerate(stated)]
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("pandas")
        .add_dataframe_asset("table")
        .add_batch_definition_whole_dataframe("all")
        # A batch is hashed whole, and kept until the next one: it gets the columns that the suite speaks of.
        .get_batch({"dataframe": frame[[column for column in frame if column in words]]})
    )
    outcome = batch.validate(
        gx.ExpectationSuite(name=suite, expectations=expectations),
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES},
        expectation_parameters=dict(parameters or {}),
    )
    described: list[Any] = [result.to_json_dict() for result in outcome.results]
    results = {each["expectation_config"]["meta"]["position"]: each for each in described}
    return [_finding(frame, suite, each, results[at]) for at, each in enumerate(stated)]


def _read(suite: str) -> list[dict[str, Any]]:
    try:
        read = json.loads(_FOLDER.joinpath(f"{suite}.json").read_text(encoding="utf-8"))
        expectations: list[dict[str, Any]] = read["expectations"]
    except (ValueError, KeyError, TypeError) as error:
        raise SuiteError(f"suites/{suite}.json: not a suite: {error!r}") from error
    return expectations


def _words(stated: object) -> set[str]:
    """Return every string in a suite, at any depth."""
    if isinstance(stated, str):
        return {stated}
    values = stated.values() if isinstance(stated, Mapping) else stated if isinstance(stated, list) else ()
    return {word for value in values for word in _words(value)}


def _expectation(suite: str, position: int, stated: Mapping[str, Any]) -> Any:
    """Build one expectation. A suite made from dictionaries would log those it does not know, and leave them out."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    if missing := {"type", "description", "severity", "kwargs"} - set(stated):
        raise SuiteError(f"suites/{suite}.json: expectation {position + 1}: there is no {', '.join(sorted(missing))}")
    try:
        # Results come back in another order; the position restores it.
        return ExpectationConfiguration(**stated, meta={"position": position}).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError, KeyError) as error:
        raise SuiteError(f"suites/{suite}.json: expectation {position + 1}: {error}") from error


def _finding(frame: pd.DataFrame, suite: str, stated: Mapping[str, Any], result: Mapping[str, Any]) -> Finding:
    column = stated["kwargs"].get("column", "table")
    shown = "text" if column in _OF_TEXT and "text" in frame else column
    indices = [] if result["success"] else result["result"].get("partial_unexpected_index_list") or []
    return Finding(
        suite=suite,
        expectation=stated["description"],
        column=column,
        severity=stated["severity"],
        passed=bool(result["success"]),
        observed=_observed(result),
        expected=_expected(stated["kwargs"]),
        examples=tuple((int(index), _printable(frame.at[index, shown])) for index in indices[:_EXAMPLES]),
    )


def _observed(result: Mapping[str, Any]) -> str:
    measured = result["result"]
    raised = _exception(result.get("exception_info") or {})
    if raised:
        return f"could not be measured: {raised}"
    if "partial_missing_list" in measured:
        found = {word: measured[f"partial_{word}_list"] for word in ("missing", "unexpected")}
        return ", ".join(f"{word} {values}" for word, values in found.items() if values) or "as expected"
    if measured.get("observed_value") is not None:
        value = measured["observed_value"]
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    if "element_count" in measured:
        looked_at = measured["element_count"] - measured.get("missing_count", 0)
        share = measured["unexpected_count"] / looked_at if looked_at else 0.0
        return f"{measured['unexpected_count']:,} of {looked_at:,} rows fail ({share:.2%})"
    return "as expected" if result["success"] else "no finite value"


def _exception(information: Mapping[str, Any]) -> str:
    """Return the message of the first exception; Great Expectations keeps one, or one a metric."""
    raised = [information, *(each for each in information.values() if isinstance(each, Mapping))]
    messages = [str(each["exception_message"]) for each in raised if each.get("exception_message")]
    return messages[0].strip().splitlines()[0][:200] if messages else ""


def _expected(kwargs: Mapping[str, Any]) -> str:
    stated = {name: value for name, value in kwargs.items() if name not in ("column", "row_condition")}
    return ", ".join(f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in stated.items())


def _printable(value: object) -> str:
    """Return the value, shortened, with control and direction characters escaped: texts are hostile."""
    if value is None or value is pd.NA:
        return "null"
    if not isinstance(value, str):
        return str(value)
    return repr(value if len(value) <= _EXAMPLE_LENGTH else value[: _EXAMPLE_LENGTH - 1] + "…")
