"""The plots: well-formed, within their frame, true to the numbers, and small."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from release.api.page.plots import Band, measure_plot, weight_plot

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314


def paths(markup: str, kind: str) -> list[str]:
    found = parsed(markup).iter(f"{SVG}path")
    return [path.attrib["d"] for path in found if kind in path.attrib["class"].split()]


def texts(markup: str) -> dict[str, float]:
    return {text.text or "": float(text.attrib["y"]) for text in parsed(markup).iter(f"{SVG}text")}


def heights(path: str) -> list[float]:
    return [float(height) for height in re.findall(r"(?:V|[\d.] )([\d.]+)", path)]


def test_a_weight_is_drawn_as_steps_and_labelled_with_its_version() -> None:
    markup = weight_plot([(0, {7: 100}), (10, {7: 95, 8: 5}), (20, {7: 95, 8: 5}), (30, {7: 75, 8: 25})], "weights")

    (canary,) = paths(markup, "newest")
    assert canary.count("V") == 2, "a weight that stays is no step"
    assert heights(canary) == sorted(heights(canary), reverse=True), "up is less in SVG"
    assert set(texts(markup)) == {"v7 75 %", "v8 25 %"}


def test_labels_of_equal_weights_do_not_cover_each_other() -> None:
    first, second = texts(weight_plot([(0, {7: 50, 8: 50}), (1, {7: 50, 8: 50})], "weights")).values()

    assert abs(first - second) >= 12


def test_a_version_that_came_and_went_is_drawn_at_zero_outside_its_time() -> None:
    markup = weight_plot([(0, {7: 100}), (1, {7: 50, 8: 50}), (2, {7: 100})], "weights")

    (canary,) = paths(markup, "newest")
    assert heights(canary)[0] == heights(canary)[-1] == 66


def test_an_effect_over_its_limit_is_drawn_above_it() -> None:
    def last_and_limit(effect: float) -> tuple[float, float]:
        markup = measure_plot([Band(0, 0.0, None, None), Band(9, effect, 0.0, 0.05)], 0.0, (0.01, "+1"), "errors")
        return heights(paths(markup, "newest")[0])[-1], heights(paths(markup, "limit")[0])[0]

    beyond, limit = last_and_limit(0.03)
    assert beyond < limit
    within, limit = last_and_limit(0.005)
    assert within > limit


def test_what_is_heard_and_written_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    markup = measure_plot([Band(0, 0.0, None, None)], 0.0, (1.0, hostile), hostile)

    assert parsed(markup).attrib["aria-label"] == hostile
    assert f"limit {hostile}" in texts(markup)


number = st.none() | st.floats(-1e9, 1e9)


@given(st.lists(st.tuples(number, number, number), min_size=1, max_size=500), st.floats(0.001, 10))
def test_any_measure_stays_within_the_frame_and_small(looks: list[tuple[float | None, ...]], limit: float) -> None:
    bands = [Band(2.0 * at, *look) for at, look in enumerate(looks)]
    markup = measure_plot(bands, 0.0, (limit, "limit"), "any")

    drawn = [path for kind in ("band", "line") for path in paths(markup, kind)]
    places = [tuple(map(float, place)) for path in drawn for place in re.findall(r"([-\d.]+) ([-\d.]+)", path)]
    assert all(0 <= x <= 300 and 0 <= y <= 72 for x, y in places)
    assert len(markup) < 4_000
