from __future__ import annotations

import logging
import threading

import pytest

from release.platforms.base import PlatformError
from release.workers import Complaints, Workers


def test_work_of_one_key_never_overlaps_and_of_another_goes_on() -> None:
    ended = threading.Semaphore(0)
    workers = Workers("test", 4, ended.release)
    gate, begun = threading.Event(), []
    workers.start("slow", lambda: (begun.append("slow"), gate.wait(10))[0])
    workers.start("slow", lambda: begun.append("again"))
    workers.start("other", lambda: begun.append("other"))
    assert ended.acquire(timeout=10)
    assert sorted(begun) == ["other", "slow"]
    gate.set()
    assert ended.acquire(timeout=10)
    workers.start("slow", lambda: begun.append("later"))
    assert ended.acquire(timeout=10)
    assert begun[-1] == "later"


def test_work_that_fails_is_said_and_may_be_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Semaphore(0)
    workers = Workers("test", 1, ended.release)

    def fails() -> None:
        raise PlatformError("the machine is full")

    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            workers.start(("tenant-a", 7), fails)
            assert ended.acquire(timeout=10)
    assert caplog.text.count("tenant-a 7: the machine is full") == 1


def test_a_trouble_is_said_once_until_it_ended(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints()
    with caplog.at_level(logging.WARNING):
        complaints.say("s3", "down")
        complaints.say("s3", "down")
        complaints.end("s3")
        complaints.say("s3", "down")
    assert caplog.messages == ["down", "down"]
