"""Where images are, and from what they start."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.images import base
from infra.images.__main__ import main
from infra.images.build import Builder, collect, note, ours, upstream
from infra.images.engine import Engine
from infra.images.errors import ImageError
from infra.node.images import REPOSITORY, packages_image
from infra.node.images import base as packages_stage
from infra.platform.manifests import read_images, registry_of

DIGEST = f"sha256:{'a' * 64}"


def test_what_was_noted_joins_what_others_build_in_the_file_that_a_platform_is_installed_from(tmp_path: Path) -> None:
    for name in ours():
        note(tmp_path, name, f"registry.example.com:5000/team/{name}:latest@{DIGEST}")
    images = read_images(collect(tmp_path))
    assert images.keys() == ours().keys() | upstream().keys()
    assert images["predictor"] == f"registry.example.com:5000/team/predictor@{DIGEST}"
    assert registry_of(images) == "registry.example.com:5000/team"


def test_a_tag_alone_is_left_as_it_is(tmp_path: Path) -> None:
    note(tmp_path, "mlflow", "localhost/ferryman/mlflow:0.1.0")
    assert json.loads(collect(tmp_path).read_text())["mlflow"] == "localhost/ferryman/mlflow:0.1.0"


def test_a_name_that_is_no_image_of_ours_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"image postgresql: not one of predictor, initializer, .*mlflow"):
        Builder(Engine("none"), tmp_path, print).build(["postgresql"])
    with pytest.raises(ImageError, match="image predicter: not one of"):
        note(tmp_path, "predicter", "x")


def test_the_command_says_what_is_wrong_in_one_line_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path), "references", "predicter", "x"]) == 1
    assert capsys.readouterr().err.startswith("image predicter: not one of")


def test_every_dockerfile_starts_from_the_one_pinned_base() -> None:
    assert re.fullmatch(r"docker\.io/library/python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base.pinned())
    for file in base.dockerfiles():
        text = file.read_text()
        assert base.with_base(text, base.pinned()) == text, "due: make generate"
        assert base.pinned() in text
        stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        named = re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE)
        assert set(stages) <= {"${BASE_IMAGE}", "${BUILD_IMAGE}", *named}
    assert base.with_base("ARG BASE_IMAGE=a\nARG B=${BASE_IMAGE}\n", "c") == "ARG BASE_IMAGE=c\nARG B=${BASE_IMAGE}\n"


@pytest.mark.parametrize("name", ours())
def test_a_dockerfile_has_the_stages_and_copies_the_folders_that_the_table_names_and_ends_as_nobody(name: str) -> None:
    image = ours()[name]
    text = (REPOSITORY / image.dockerfile).read_text()
    stages = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL))
    assert packages_stage(image) == packages_image(image).name
    assert packages_stage(image) in stages
    assert f"--extra={image.packages} " in text
    final = stages[image.target or list(stages)[-1]]
    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == ["65532:65532"]
    assert "RUN" not in final
    assert set(re.findall(r"^COPY (\w+) /opt", stages.get("code", ""), re.MULTILINE)) == set(image.sources)


def test_the_context_holds_what_the_dockerfiles_copy() -> None:
    let_in = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for file in base.dockerfiles():
        for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", file.read_text(), re.MULTILINE):
            assert {path.split("/")[0] for path in copied.split()} <= let_in, file
