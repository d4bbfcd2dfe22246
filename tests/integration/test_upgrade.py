"""From the release before to this code, on the same state."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SAMPLE, TENANTS, Stack, eventually
from guides import ROOT
from mlflow import MlflowClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def previous() -> str | None:
    """The newest released version that this code comes after."""
    tags = git("tag", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-version:refname", "--list", "v*").split()
    return next((tag for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)), None)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Python of the release before, in an environment of its own."""
    tag = previous()
    if tag is None:
        pytest.skip("there is no release yet: nothing to upgrade from (no tag v1.2.3 before this commit)")
    place = tmp_path_factory.mktemp("before") / tag
    git("worktree", "add", "--detach", str(place), tag)
    try:
        make = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        command = ["make", "install", f"PYTHON={sys.executable}"]
        subprocess.run(command, cwd=place, env=make, check=True, timeout=1200)
        yield place / ".venv/bin/python"
    finally:
        git("worktree", "remove", "--force", str(place))


def registered(stack: Stack) -> dict[str, Any]:
    client = MlflowClient(stack.mlflow, stack.mlflow)
    models = {each.name: each.aliases for each in client.search_registered_models()}
    versions = {(each.name, each.version): (each.source, each.tags) for each in client.search_model_versions()}
    return {"models": models, "versions": versions}


def run(stack: Stack, *arguments: str, python: str = sys.executable) -> None:
    # Each Python's own code, not what lies in the current folder.
    done = stack.run(*arguments, python=python, PYTHONSAFEPATH="1")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_upgraded_stack_keeps_versions_aliases_and_tags_and_its_tenants_answer_and_follow(
    before: Path, tmp_path: Path
) -> None:
    stack = Stack(tmp_path / "home")
    try:
        for old in (
            ("infra.local", "up"),
            ("training", "--sample", SAMPLE),
            ("registry", "promote"),
            ("release", "wait"),
        ):
            run(stack, *old, python=str(before))
        client = MlflowClient(stack.mlflow, stack.mlflow)
        eventually(
            lambda: all(f"ferryman.{name}" in client.get_model_version("sentiment", "1").tags for name in TENANTS)
        )
        held = registered(stack)
        run(stack, "infra.local", "down", python=str(before))

        run(stack, "infra.local", "up")
        eventually(lambda: all(stack.served(tenant) == "1" for tenant in TENANTS))
        assert registered(stack) == held
        run(stack, "registry", "verify", "--version", "1")
        # And what is trained from now on is released as before.
        run(stack, "training", "--sample", SAMPLE)
        run(stack, "registry", "promote", "--version", "2")
        run(stack, "release", "wait")
        assert {stack.served(tenant) for tenant in TENANTS} == {"2"}
    finally:
        stack.run("infra.local", "down")
