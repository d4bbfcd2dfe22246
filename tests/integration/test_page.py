"""The page in a real browser: what a person sees, hears and can reach, with releases that the board is given."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import shown_releases
import uvicorn
from browser import needs_browser, open_page
from conftest import free_ports
from playwright.sync_api import Browser, Page, expect

from release.api.app import application
from release.board import Board
from release.reasons import Reason
from release.status import Phase

REGISTRY = "http://127.0.0.1:5000"
HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


@dataclass
class Served:
    """The controller's application on a loopback port. ``stop`` and ``start`` keep the port."""

    board: Board
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        app = application(self.board, REGISTRY, lambda *_: None)
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        for _ in range(600):
            if self._server.started:
                return
            time.sleep(0.05)
        raise AssertionError("the application did not start")

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


class Ticking(Board):
    """A board whose loop goes round, until it is told to be stuck."""

    stuck = False

    @property
    def ticked(self) -> float:
        return 0.0 if self.stuck else time.monotonic()

    @ticked.setter
    def ticked(self, moment: float) -> None: ...


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served(Ticking(), free_ports(1)[0])
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_page() as first:
        assert first.context.browser is not None
        yield first.context.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of which nothing was blocked, and in which nothing went wrong."""
    opened = browser.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    yield opened
    opened.close()
    assert not wrong


def test_a_thousand_releases_fit_into_300_kilobytes_whatever_they_do(served: Served) -> None:
    shown_releases.fill(served.board, 1_000)
    assert len(httpx.get(served.url).content) < 300_000
    for number in range(1_000):
        shown_releases.put(served.board, f"tenant-{number:04d}", shown_releases.canary())
    assert len(httpx.get(served.url).content) < 300_000


def test_who_has_the_newest_page_is_told_so_in_no_bytes(served: Served) -> None:
    shown_releases.fill(served.board, 30)
    first = httpx.get(served.url)
    tag = {"If-None-Match": first.headers["etag"]}
    again = httpx.get(served.url, headers=tag)
    assert (again.status_code, again.content) == (304, b"")

    shown_releases.put(served.board, "tenant-0002", shown_releases.rejected())
    changed = httpx.get(served.url, headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    "path", ["/", "/releases/tenant-0001", "/releases/unknown", "/static/page.js", "/api/releases"]
)
def test_every_answer_forbids_what_was_not_sent_with_the_page(served: Served, path: str) -> None:
    shown_releases.fill(served.board, 2)
    headers = httpx.get(f"{served.url}{path}").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    text = httpx.get(f"{served.url}{path}").text
    assert not re.search(r"<script(?! src=\"/static/)|\sstyle=|\son\w+=", text)


def test_a_release_that_is_gone_is_a_404_with_a_way_back(served: Served) -> None:
    answer = httpx.get(f"{served.url}/releases/{HOSTILE}")
    assert answer.status_code == 404
    assert "<img" not in answer.text
    assert 'href="/"' in answer.text


@needs_browser
def test_a_person_sees_versions_weights_reasons_and_the_way_to_mlflow(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 30)
    page.goto(served.url)

    refused = page.get_by_role("region", name="Needs a person").get_by_role("article", name="tenant-0000")
    expect(refused).to_contain_text("ErrorsIncreased")
    expect(refused).to_contain_text("4.1 % of 612 requests failed")
    on_trial = page.get_by_role("region", name="In progress").get_by_role("article", name="tenant-0001")
    expect(on_trial).to_contain_text("step 2 of 3")
    link = on_trial.get_by_role("link", name="version 8 in MLflow")
    expect(link).to_have_attribute("href", f"{REGISTRY}/#/models/sentiment/versions/8")
    expect(on_trial.get_by_role("img", name="version 7 has 75 %, version 8 has 25 %")).to_be_visible()
    expect(on_trial.get_by_role("img", name=re.compile("Latency.*limit 1.30.: within the limit"))).to_be_visible()

    on_trial.get_by_role("link", name="tenant-0001").click()
    expect(page.get_by_role("heading", level=1, name="tenant-0001")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Latency"))).to_contain_text("12 ms")
    expect(page.get_by_role("row", name=re.compile("AliasMoved"))).to_contain_text("the alias champion names version 7")


@needs_browser
def test_the_page_follows_without_reload_and_leaves_the_person_where_they_were(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 60)
    page.goto(served.url)
    page.evaluate("window.neverReloaded = true")
    quiet = page.get_by_role("region", name="Quiet")
    quiet.get_by_text("Show these").first.click()
    named = quiet.get_by_role("link", name="tenant-0002", exact=True)
    named.focus()

    shown_releases.put(served.board, "tenant-0003", shown_releases.rejected())
    page.get_by_role("region", name="Needs a person").get_by_role("article", name="tenant-0003").wait_for()
    expect(named).to_be_focused()
    expect(named).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Needs a person: 7.")).to_be_visible()
    assert page.evaluate("window.neverReloaded")


@needs_browser
def test_the_page_says_when_the_controller_does_not_answer_and_when_it_does_again(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 2)
    page.goto(served.url)
    live = page.locator("#live")
    expect(live).to_have_text("Live")

    served.stop()
    expect(live).to_contain_text("The controller does not answer. What you see is of")
    expect(page.get_by_role("article", name="tenant-0001")).to_be_visible()
    served.start()
    expect(live).to_have_text("Live")


@needs_browser
def test_what_hinders_the_controller_is_an_alert(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 2)
    served.board.trouble = "the registry does not answer"
    page.goto(served.url)
    expect(page.get_by_role("alert")).to_contain_text("the registry does not answer")
    served.board.stuck = True  # type: ignore[attr-defined] # Ticking
    expect(page.get_by_role("alert")).to_contain_text("Its loop does not go round")


@needs_browser
def test_updates_can_be_paused_and_asked_for_again(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 2)
    asked: list[str] = []
    page.goto(served.url)
    page.on("request", lambda request: asked.append(request.url))
    hold = page.get_by_role("button", name="Pause updates")
    hold.click()
    expect(hold).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#live")).to_contain_text("Paused at")
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(4_500)
    assert not asked
    hold.click()
    expect(page.locator("#live")).to_have_text("Live")


@needs_browser
def test_a_hidden_tab_asks_nothing_until_it_is_looked_at(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 2)
    asked: list[str] = []
    page.goto(served.url)
    page.on("request", lambda request: asked.append(request.url))

    def see(state: str) -> None:
        page.evaluate(
            "state => { Object.defineProperty(document, 'hidden', {value: state === 'hidden', configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange')) }",
            state,
        )

    see("hidden")
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(4_500)
    assert not asked
    see("visible")
    page.wait_for_timeout(1_500)
    assert asked


@needs_browser
def test_the_filter_finds_one_tenant_among_a_thousand_and_a_reason_among_all(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 1_000)
    page.goto(served.url)
    box = page.get_by_role("searchbox", name="Show only")
    box.press_sequentially("tenant-0777")
    expect(page.locator("#found")).to_have_text("1 of 1000")
    expect(page.get_by_role("link", name="tenant-0777")).to_be_visible()
    page.wait_for_timeout(2_500)
    expect(box).to_be_focused()
    expect(page.locator("#found")).to_have_text("1 of 1000")

    box.fill("waitingforearlierwaves")
    expect(page.locator("#found")).to_have_text("14 of 1000")
    box.fill("")
    expect(page.locator("#found")).to_have_text("")
    expect(page.get_by_role("article", name="tenant-0007")).to_be_visible()


@needs_browser
def test_hostile_names_and_reasons_are_text(served: Served, page: Page) -> None:
    status = shown_releases.rejected()
    history = tuple(each.model_copy(update={"message": HOSTILE, "reason": HOSTILE}) for each in status.history)
    hostile = status.model_copy(update={"reason": HOSTILE, "message": HOSTILE, "history": history})
    shown_releases.put(served.board, HOSTILE, hostile)
    served.board.trouble = HOSTILE
    page.goto(served.url)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.get_by_role("alert")).to_contain_text(HOSTILE)
    link = page.get_by_role("link", name=HOSTILE)
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.get_by_role("cell", name=HOSTILE).first).to_be_visible()
    assert page.locator("main img, main script").count() == 0


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/releases/tenant-0001"])
def test_every_text_can_be_told_from_its_ground(served: Served, page: Page, scheme: str, path: str) -> None:
    shown_releases.fill(served.board, 60)
    served.board.trouble = "the registry does not answer"
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of its literals
    page.goto(f"{served.url}{path}")
    expect(page.locator("#live")).to_have_text("Live")
    ratios: dict[str, float] = page.evaluate(CONTRASTS)
    assert len(ratios) > 10
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}


@needs_browser
@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("path", ["/", "/releases/tenant-0001"])
def test_nothing_is_wider_than_the_window(served: Served, page: Page, width: int, path: str) -> None:
    shown_releases.fill(served.board, 60)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{served.url}{path}")
    expect(page.locator("#live")).to_have_text("Live")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@needs_browser
def test_the_keyboard_reaches_the_content_first_and_everything_has_a_name(served: Served, page: Page) -> None:
    shown_releases.fill(served.board, 30)
    page.goto(served.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the releases")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    for landmark in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    page.goto(f"{served.url}/releases/tenant-0001")
    for table in page.get_by_role("table").all():
        assert table.get_by_role("columnheader").count() > 3
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(
        "ids => new Set(ids).size === ids.length", page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    )


def test_every_phase_is_written_out_and_reasons_are_whole_words(served: Served) -> None:
    shown_releases.fill(served.board, 1)
    text = httpx.get(served.url).text
    assert all(f">{phase}</span>" in text for phase in Phase)
    assert Reason.ERRORS_INCREASED in text


CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const parts = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (color) => {
    const [r, g, b] = [...parts(color)].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (parts(color)[3] === 255) return color;
    }
    throw new Error("no ground");
  };
  const found = {};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, element = text.parentElement;
    if (!text.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(element instanceof SVGElement ? style.fill : style.color), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found[`${element.tagName} ${element.className} ${text.data.trim()}`] = ratio;
  }
  return found;
}"""
"""WCAG's contrast ratio of every visible text and its ground, computed from what the browser draws."""

NAMELESS = """() => [...document.querySelectorAll("a, button, input, svg, section, [role=region]")]
  .filter((each) => !(each.getAttribute("aria-label") || each.labels?.length
    || document.getElementById(each.getAttribute("aria-labelledby"))?.textContent.trim() || each.textContent.trim()))
  .map((each) => each.outerHTML)"""
