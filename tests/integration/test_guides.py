"""A reader who types what the guides say, from the first to the last, on a stack that was just released."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import SAMPLE, Stack
from guides import EXECUTED_BY, ROOT, Command, blocks, found_in_order, guides

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

_ENDED = "-- ended with"
# The reader's ports and folders, and those of this stack.
_SERVERS = {"127.0.0.1:8080": "gateway", "127.0.0.1:8090": "controller", "127.0.0.1:5000": "mlflow"}


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """What `make demo` leaves, from fewer rows."""
    stack = Stack(tmp_path_factory.mktemp("laptop") / "home")
    try:
        for command in (("infra.local", "up"), ("training", "--sample", SAMPLE), ("registry", "promote")):
            done = stack.run(*command)
            assert done.returncode == 0, done.stderr
        waited = stack.run("release", "wait")
        assert waited.returncode == 0, waited.stderr
        yield stack
    finally:
        stack.run("infra.local", "down")


EXECUTED = [page for page in guides() if any(EXECUTED_BY in block.named for block in blocks(page))]


@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.stem)
def test_the_commands_of_a_guide_print_what_it_shows(laptop: Stack, tmp_path: Path, page: Path) -> None:
    instead = {name: getattr(laptop, server).removeprefix("http://") for name, server in _SERVERS.items()}
    instead |= {".ferryman/": f"{laptop.home}/", "/tmp/": f"{tmp_path}/"}  # noqa: S108

    def here(text: str) -> str:
        return re.sub("|".join(map(re.escape, instead)), lambda found: instead[found[0]], text)

    commands = [
        Command(here(command.typed), tuple(map(here, command.shown)))
        for block in blocks(page)
        if EXECUTED_BY in block.named
        for command in block.commands
    ]
    environment = {key: value for key, value in laptop.environment.items() if not key.startswith("MAKE")}
    # One shell for the page: what a command sets holds for the next. It stops where one fails.
    after = f"code=$?; echo; echo {_ENDED} $code; [ $code = 0 ] || exit 0"
    script = "".join(f"{command.typed}\n{after}\n" for command in commands)
    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=ROOT,
        env={**environment, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    printed = re.split(rf"^{_ENDED} (\d+)\n", done.stdout, flags=re.MULTILINE)
    for number, command in enumerate(commands):
        said, code = printed[2 * number : 2 * number + 2]
        assert code == "0", f"$ {command.typed}\n{said}"
        missing = found_in_order(command.shown, said)
        assert missing is None, f"$ {command.typed}\nshown: {missing}\nprinted:\n{said}"
