"""What an image is cached by: a change of our code rebuilds what holds our code, and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.node import images
from infra.node.images import Image


@pytest.fixture
def predictor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    monkeypatch.setattr(images, "REPOSITORY", tmp_path)
    monkeypatch.setattr(images, "_LOCK", tmp_path / "lock.txt")
    (tmp_path / "lock.txt").write_text("a==1\n")
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("1\n")
    return Image(name="predictor", packages="inference", dockerfile="Dockerfile", sources=("code",))


def keys(image: Image) -> tuple[str, str]:
    packages = images.key(images.packages_image(image), "", "python@1")
    return packages, images.key(image, "", packages)


def test_a_change_of_code_leaves_the_packages_as_they_are(predictor: Image, tmp_path: Path) -> None:
    before = keys(predictor)
    (tmp_path / "code" / "a.py").write_text("2\n")
    after = keys(predictor)
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_a_change_of_the_lock_makes_both_anew(predictor: Image, tmp_path: Path) -> None:
    before = keys(predictor)
    (tmp_path / "lock.txt").write_text("a==2\n")
    assert not set(before) & set(keys(predictor))


def test_every_image_starts_from_one_that_is_built_before_it() -> None:
    built: set[str] = set()
    for image in images.load():
        steps = [images.packages_image(image), image] if image.dockerfile else [image]
        for step in steps:
            assert images.base(step) in {"", *built}, step.name
            built.add(step.name)
