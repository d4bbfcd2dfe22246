from __future__ import annotations

import importlib.resources
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from training.checks import CheckReport, Finding, SuiteError, check_raw, check_split, engine, render_html, render_table
from training.checks.engine import SUITES, validate
from training.normalise import deduplicate, with_key
from training.profile import profile
from training.source import load
from training.split import split

HOSTILE = "<script>alert(1)</script> [red]x[/red] \x1b[31m \u202e"


def words(rows: int, seed: int = 7) -> pd.DataFrame:
    """Rows of five to forty made-up words, half of them of each label, none repeated."""
    random = np.random.default_rng(seed)
    texts = [" ".join(f"w{word}" for word in random.integers(0, 9999, size)) for size in random.integers(5, 40, rows)]
    return pd.DataFrame(
        {
            "text": pd.Series(texts, dtype=object),
            "label": pd.array([at % 2 for at in range(rows)], dtype="Int64"),
            "source": "data",
        }
    )


def failed(report: CheckReport) -> dict[str, Finding]:
    return {finding.expectation: finding for finding in report.critical}


def one(report: CheckReport, sentence: str) -> Finding:
    found = [finding for finding in report.critical + report.warnings if finding.expectation.startswith(sentence)]
    assert len(found) == 1, [finding.expectation for finding in report.findings if not finding.passed]
    return found[0]


def slip(**changed: object) -> str:
    stated = {
        "type": "expect_column_to_exist",
        "severity": "critical",
        "description": "There is a text.",
        "kwargs": {"column": "text"},
    }
    return json.dumps({"expectations": [stated | changed]})


@pytest.fixture(scope="module")
def default() -> pd.DataFrame:
    return with_key(load(None).frame)


def test_the_default_data_passes_without_a_failure_or_a_warning(default: pd.DataFrame) -> None:
    divided = split(deduplicate(default))
    for report in (check_raw(default), check_split(divided, profile(divided))):
        assert report.success
        assert report.warnings == []


def test_a_thousand_rows_are_let_through_with_a_warning() -> None:
    raw = check_raw(words(1000))
    divided = check_split(split(deduplicate(words(1000))), None)
    assert raw.success
    assert [finding.observed for finding in raw.warnings] == ["1,000"]
    assert divided.success
    assert divided.statistics["drift"] == "not measured: there is no champion yet"


def test_three_rows_stop_the_job() -> None:
    report = check_raw(words(3))
    assert not report.success
    assert one(report, "There are at least 500 rows").observed == "3"


def test_a_table_without_rows_stops_the_job_and_does_not_break_the_checks() -> None:
    assert not check_raw(words(3).iloc[:0]).success


@pytest.mark.parametrize("column", ["text", "label", "source"])
def test_a_missing_column_stops_the_job_and_does_not_break_the_checks(column: str) -> None:
    report = check_raw(words(600).drop(columns=column))
    assert "The table has the columns text, label and source." in failed(report)
    assert any(finding.observed.startswith("could not be measured: ") for finding in report.critical)


def test_missing_and_blank_texts_stop_the_job_and_their_rows_are_named() -> None:
    frame = words(600)
    frame.loc[[5, 17], "text"] = None
    frame.loc[[9], "text"] = " \t\u200b\ufeff "
    report = check_raw(frame)
    assert set(failed(report)) == {"Every row has a text.", "No text is blank."}
    missing, blank = one(report, "Every row has a text."), one(report, "No text is blank.")
    assert missing.examples == ((5, "null"), (17, "null"))
    assert missing.observed == "2 of 600 rows fail (0.33%)"
    assert blank.examples == ((9, r"' \t\u200b\ufeff '"),)
    assert (blank.suite, blank.column, blank.severity, blank.passed) == ("raw", "text", "critical", False)


def test_a_column_of_numbers_in_place_of_texts_stops_the_job() -> None:
    frame = words(600).assign(text=[str(number) for number in range(600)])
    assert one(check_raw(frame), "At least half of the texts hold a letter").column == "text"


def test_texts_that_are_not_strings_stop_the_job() -> None:
    assert "Every text is a string." in failed(check_raw(words(600).assign(text=pd.Series(range(600), dtype=object))))


def test_a_missing_label_stops_the_job() -> None:
    frame = words(600)
    frame.loc[3, "label"] = pd.NA
    assert one(check_raw(frame), "Every row has a label.").examples == ((3, "null"),)


def test_one_label_throughout_stops_the_job_and_says_which_is_missing() -> None:
    report = check_raw(words(600).assign(label=pd.array([1] * 600, dtype="Int64")))
    assert one(report, "Both labels occur").observed == "missing [0]"
    assert "Each label has at least 5 % of the rows." in failed(report)


def test_a_label_beyond_the_two_stops_the_job() -> None:
    frame = words(600)
    frame.loc[3, "label"] = 2
    assert one(check_raw(frame), "Both labels occur").observed == "unexpected [2]"


def test_an_uneven_class_balance_is_reported_and_does_not_stop_the_job() -> None:
    frame = words(6000).assign(label=pd.array([int(at % 5 == 0) for at in range(6000)], dtype="Int64"))
    report = check_raw(frame)
    assert report.success
    assert [finding.expectation for finding in report.warnings] == ["Each label has at least 30 % of the rows."]


def test_a_text_that_the_predictor_would_refuse_stops_the_job_and_is_shown_shortened() -> None:
    frame = words(600)
    frame.loc[8, "text"] = "long " * 20_001
    example = one(check_raw(frame), "No text is longer than 100,000").examples[0]
    assert example[0] == 8
    assert example[1].startswith("'long long")
    assert len(example[1]) < 100


def test_repeated_texts_are_reported_and_mostly_repeated_ones_stop_the_job() -> None:
    some = pd.concat([words(5000), words(5000).iloc[:500]], ignore_index=True)
    assert [finding.column for finding in check_raw(some).warnings] == ["key"]
    assert check_raw(some).statistics["repeated texts"] == "500 rows, left out"
    many = pd.concat([words(600)] * 3, ignore_index=True)
    assert "At least half of the rows hold a text that no other row repeats." in failed(check_raw(many))


def test_texts_with_both_labels_are_reported_with_their_rows() -> None:
    frame = words(600)
    frame.loc[1, "text"] = frame.loc[0, "text"].upper() + "!"
    report = check_raw(frame)
    assert report.success
    assert [index for index, _ in one(report, "No text occurs with both labels").examples] == [0, 1]
    assert report.statistics["texts with both labels"] == "2 rows, left out"


def test_a_text_on_both_sides_stops_the_job_and_is_shown() -> None:
    divided = split(deduplicate(words(1000)))
    leaked = divided[divided["split"] == "train"].iloc[[4]].assign(split="test").rename(index=lambda _: 5000)
    report = check_split(pd.concat([divided, leaked]), None)
    leak = one(report, "No text is on both sides.")
    assert leak.severity == "critical"
    assert {index for index, _ in leak.examples} == {leaked.index[0], divided[divided["split"] == "train"].index[4]}
    assert leak.examples[0][1][1:-1][:40] == leaked["text"].iloc[0][:40]


@pytest.mark.parametrize("side", ["train", "test"])
def test_a_side_without_rows_stops_the_job(side: str) -> None:
    report = check_split(split(deduplicate(words(1000))).assign(split=side), None)
    assert "Every row is on the side train or test, and both sides have rows." in failed(report)


@pytest.mark.parametrize("side", ["train", "test"])
def test_a_side_with_one_label_stops_the_job(side: str) -> None:
    divided = split(deduplicate(words(2000)))
    report = check_split(divided[(divided["split"] != side) | (divided["label"] == 1)], None)
    assert one(report, f"Both labels occur on the {side} side.").observed == "missing [0]"


def test_a_label_mix_that_differs_between_the_sides_is_reported() -> None:
    divided = split(deduplicate(words(8000)))
    surplus = divided[(divided["split"] == "test") & (divided["label"] == 1)].index[:250]
    report = check_split(divided.drop(index=surplus), None)
    assert report.success
    assert [finding.expectation[:40] for finding in report.warnings] == ["The label mix of the test side is close "]


@pytest.mark.parametrize(("positive", "severities"), [(0.55, []), (0.66, ["warning"]), (0.93, ["critical", "warning"])])
def test_label_drift_is_graded_by_its_size(positive: float, severities: list[str]) -> None:
    champion = profile(words(4000))
    labels = pd.array([int(at % 100 < positive * 100) for at in range(6000)], dtype="Int64")
    report = check_split(split(deduplicate(words(6000).assign(label=labels))), champion)
    drifted = [each.severity for each in report.findings if each.suite == "drift" and not each.passed]
    assert drifted == severities


@pytest.mark.parametrize(
    ("champion", "now", "severities"),
    [
        (["imdb", "rotten_tomatoes"], ["imdb", "rotten_tomatoes"], []),
        (["imdb", "rotten_tomatoes"], ["imdb"], ["warning"]),
        (["imdb"], ["rotten_tomatoes"], ["critical", "warning"]),
    ],
)
def test_length_drift_is_graded_by_its_size(
    default: pd.DataFrame, champion: list[str], now: list[str], severities: list[str]
) -> None:
    kept = deduplicate(default)
    reference = profile(kept[kept["source"].isin(champion)])
    report = check_split(split(kept[kept["source"].isin(now)]), reference)
    drifted = [each for each in report.findings if each.suite == "drift" and not each.passed]
    assert [each.severity for each in drifted] == severities
    assert all(each.column == "length" and float(each.observed) > 0.1 for each in drifted)


def test_texts_longer_than_any_the_champion_saw_are_measured_and_not_infinite() -> None:
    long = words(1000).assign(text=[f"text {at} " + "x" * 5000 for at in range(1000)])
    report = check_split(split(deduplicate(long)), profile(words(1000)))
    drifted = [each for each in report.critical if each.suite == "drift"]
    assert [float(each.observed) > 2 for each in drifted] == [True]


@pytest.mark.parametrize("suite", SUITES)
def test_every_expectation_says_in_a_sentence_what_it_wants_and_how_severe_it_is(suite: str) -> None:
    stated = json.loads(importlib.resources.files("training.checks").joinpath(f"suites/{suite}.json").read_text())
    assert stated["name"] == suite
    for each in stated["expectations"]:
        assert each["description"].endswith((".", ")."))
        assert each["severity"] in ("critical", "warning")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a suite"),
        ('{"name": "raw"}', "not a suite"),
        (slip(type="expect_nothing"), "expectation 1: expect_nothing"),
        (slip(kwargs={"colum": "text"}), "expectation 1: .*colum"),
        (slip(severity="bad"), "expectation 1: .*severity"),
        ('{"expectations": [{"type": "expect_column_to_exist"}]}', "there is no description, kwargs, severity"),
    ],
)
def test_a_slip_in_a_suite_is_named_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    (tmp_path / "raw.json").write_text(content)
    monkeypatch.setattr(engine, "_FOLDER", tmp_path)
    with pytest.raises(SuiteError, match=rf"(?s)suites/raw\.json: .*{said}"):
        validate(words(3), "raw")


class _Loaded(HTMLParser):
    """Collects what a page would load or run, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_report() -> CheckReport:
    frame = words(600)
    frame.loc[[2, 3], "text"] = HOSTILE
    frame.loc[2, "source"] = "<img src=x onerror=alert(1)>"
    frame.loc[7, "text"] = None
    return check_raw(frame)


def test_the_page_shows_every_check_and_loads_and_runs_nothing() -> None:
    report = hostile_report()
    page = _Loaded()
    html = render_html([report, check_split(split(deduplicate(words(600))), None)])
    page.feed(html)
    assert page.links == []
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form"})
    assert not re.search(r"@import|url\(|https?://", html)
    for finding in report.findings:
        assert finding.expectation in page.text
        assert finding.observed in page.text
    assert "row 7: null" in page.text
    assert "Failed: training does not start" in page.text
    assert "alert(1)" in page.text


def test_the_terminal_table_shows_critical_failures_first_and_no_control_characters() -> None:
    out = io.StringIO()
    Console(file=out, width=200, force_terminal=False).print(render_table([hostile_report()]))
    shown = out.getvalue()
    assert shown.index("critical") < shown.index("warning")
    assert "Every row has a text." in shown
    assert "7: null" in shown
    assert "[red]x[/red]" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_great_expectations_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, training.checks; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
