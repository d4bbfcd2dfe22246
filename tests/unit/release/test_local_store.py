from __future__ import annotations

import logging
from pathlib import Path

import pytest

from infra.local.settings import Settings
from release.platforms.local.leader import AnotherLeadsError, leading
from release.platforms.local.specs import generate
from release.platforms.local.store import LocalStore
from release.status import Phase, ReleaseStatus, Transition
from release.store import StoreError

STATUS = ReleaseStatus(
    phase=Phase.VERIFYING,
    target=7,
    history=(Transition(number=1, time=1.5, phase=Phase.VERIFYING, version=7, reason="AliasMoved", message="moved"),),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path)
    made.prepare()
    generate(made.release_specs)
    return made


def test_a_status_is_there_after_a_restart(settings: Settings) -> None:
    store = LocalStore(settings)
    store.save(store.releases()[0], STATUS)
    assert [each.status for each in LocalStore(settings).releases()] == [STATUS, ReleaseStatus()]


def test_while_the_specs_are_wrong_the_last_good_ones_go_on_after_a_restart_too(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    store = LocalStore(settings)
    good = store.releases()
    for release in good:
        store.save(release, STATUS)
    settings.release_specs.write_text(settings.release_specs.read_text().replace("blueGreen", "purple"))
    with caplog.at_level(logging.ERROR):
        assert [each.spec for each in store.releases()] == [each.spec for each in good]
        assert [each.spec for each in LocalStore(settings).releases()] == [each.spec for each in good]
    assert "tenant-a.strategy.purple" in caplog.text


def test_an_edited_spec_is_taken_up(settings: Settings) -> None:
    store = LocalStore(settings)
    assert store.releases()[0].spec.strategy.keep_previous == 600
    settings.release_specs.write_text(settings.release_specs.read_text().replace("10m", "1h30m"))
    assert store.releases()[0].spec.strategy.keep_previous == 5400


def test_requests_add_up_and_reach_the_controller(settings: Settings) -> None:
    release = LocalStore(settings).releases()[1]
    LocalStore(settings).ask(release, pause=True)
    LocalStore(settings).ask(release, abort="x")
    asked = LocalStore(settings).releases()[1].requests
    assert (asked.pause, asked.abort, asked.resume) == (True, "x", None)


def test_a_status_that_cannot_be_read_is_named_and_not_replaced(settings: Settings) -> None:
    path = settings.releases / "tenant-a.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"tenant-a\.json"):
        LocalStore(settings).releases()
    assert path.read_text() == "{"


def test_one_controller_leads_at_a_time_and_the_other_says_which(settings: Settings) -> None:
    with leading(settings.home), pytest.raises(AnotherLeadsError, match=r"process \d+"), leading(settings.home):
        pass
    with leading(settings.home):
        pass
