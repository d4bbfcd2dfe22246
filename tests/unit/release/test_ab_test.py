"""The report of an A/B test: what a person decides by."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from world import World, a_spec, serving

from release.ab_test import ab_test_report, awaits_decision
from release.store import Release


def release_of(world: World) -> Release:
    return Release("tenant-a", "tenant-a", world.spec, world.status)


def asked(errors: float = 0.0) -> World:
    """A world that waits for somebody to decide on version 8."""
    world = serving(7, a_spec(strategy={"canary": {"steps": [{"weight": 20, "pause": "indefinite"}]}}))
    world.model(8).errors = errors
    world.name(8)
    for _ in range(20):
        world.tick()
        if awaits_decision(release_of(world)):
            return world
    raise AssertionError(world.status)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_report_has_effect_interval_and_samples_of_every_measure() -> None:
    world = asked(errors=0.004)
    world.run(10)
    files = ab_test_report(release_of(world), world.now)
    document = json.loads(files["tenant-a-v8.json"])
    trial = world.status.canary
    assert trial is not None
    assert document["samples"]["canary"] == sum(step.canary.requests for step in trial.measured.steps) > 0
    assert document["samples"]["stable"] == pytest.approx(4 * document["samples"]["canary"])
    assert {each["name"] for each in document["measures"]} == {"errors", "latencyP95", "predictions"}
    errors = next(each for each in document["measures"] if each["name"] == "errors")
    assert errors["effect"] == pytest.approx(0.005, abs=0.002)
    assert errors["lower"] < errors["effect"] < errors["upper"] < 0.02


def test_the_page_says_what_to_decide_and_needs_no_network() -> None:
    world = asked()
    world.run(10)
    text = ab_test_report(release_of(world), world.now)["tenant-a-v8.html"]
    page = Page(text)
    said = " ".join(" ".join(page.words).split())
    assert "awaits a decision" in said
    assert "python -m release resume tenant-a" in said
    assert page.tags.count("svg") == 3
    assert "http" not in text
    assert "script" not in page.tags


def test_more_requests_narrow_the_interval() -> None:
    world = asked()
    world.run(2)
    first = json.loads(ab_test_report(release_of(world), world.now)["tenant-a-v8.json"])
    world.run(50)
    later = json.loads(ab_test_report(release_of(world), world.now)["tenant-a-v8.json"])
    for before, after in zip(first["measures"], later["measures"], strict=True):
        assert after["upper"] - after["lower"] < before["upper"] - before["lower"]


def test_a_step_with_an_end_asks_nobody() -> None:
    world = serving()
    world.name(8)
    world.run(4)
    assert not awaits_decision(release_of(world))
