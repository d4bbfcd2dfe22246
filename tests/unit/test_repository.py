"""What must hold for the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.images.build import ours

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_the_folder_kserve_does_not_hide_the_package() -> None:
    # A process of its own: KServe and Triton's client declare the same protobuf symbols.
    code = "import kserve; print(kserve.Model.__module__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "kserve.model"


def test_the_locks_hold_names_versions_and_hashes_but_no_addresses() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in lock.read_text(), lock.name
        assert "--hash=sha256:" in lock.read_text(), lock.name


def test_every_action_is_pinned_by_commit_with_its_version_beside_it() -> None:
    lines = [line for file in WORKFLOWS for line in file.read_text().splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        here = r"\./\.github/workflows/\w+\.yml"
        assert re.search(rf"uses: ({here}|[\w/-]+@[0-9a-f]{{40}} # v\d+\.\d+\.\d+$)", line), line


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_every_step_that_runs_something_calls_a_make_target_that_exists(file: Path) -> None:
    targets = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for job in yaml.safe_load(file.read_text())["jobs"].values():
        for step in job.get("steps", []):
            if "run" in step:
                make, target = step["run"].split(" ")
                assert make == "make"
                assert target in targets


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_nothing_and_its_jobs_what_they_say(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"], name
    # GitHub's own token, made for the run, is the only secret: everything else is let in by its identity.
    assert set(re.findall(r"secrets\.(\w+)", file.read_text())) <= {"GITHUB_TOKEN"}


def test_the_workflow_of_images_builds_each_image_of_ours_from_its_dockerfile() -> None:
    built = yaml.safe_load((ROOT / ".github/workflows/images.yml").read_text())["jobs"]["image"]["strategy"]["matrix"]
    rows = {row["name"]: (row["file"], row["target"]) for row in built["include"]}
    assert rows == {name: (image.dockerfile, image.target or name) for name, image in ours().items()}


class _Strict(yaml.CSafeLoader):
    """YAML forbids a key twice in one mapping; the parser takes the last one, those of others refuse the file."""


def _once(loader: _Strict, node: yaml.MappingNode) -> dict[object, object]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = {str(key) for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"twice: {', '.join(twice)}", node.start_mark)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _once)


def test_no_yaml_file_holds_a_key_twice() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.yaml", "*.yml"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split():
        with (ROOT / name).open() as file:
            list(yaml.load_all(file, Loader=_Strict))


def test_every_make_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^\.PHONY: (\S+)", makefile, re.MULTILINE):
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), target


def test_no_make_target_asks_for_a_variable_that_nobody_set() -> None:
    # Recipes run with -u: a name without a default would end them.
    assert re.findall(r"\$\$\{?[A-Z_]+\b(?!:-)", (ROOT / "Makefile").read_text()) == []
