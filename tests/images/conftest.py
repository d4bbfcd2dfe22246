"""The images, built as `make images DEBIAN=1` does; what that has built already is taken from the engine's store."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from container import Image

from artifact.version import VERSION
from infra.images.build import Builder
from infra.images.engine import Engine, run

TOOLS = ("buildah", "mmdebstrap", "runc", "unshare")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() != 0 or not all(map(shutil.which, TOOLS)):
        reason = pytest.mark.skip(reason=f"needs root and {', '.join(TOOLS)}")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(reason)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Image]]:
    """Return the image of a name, building it the first time."""
    builder = Builder(Engine("buildah"), tmp_path_factory.mktemp("images"), print)
    held: dict[str, Image] = {}
    with ExitStack() as mounted:

        def image(name: str) -> Image:
            if name not in held:
                builder.build([name], from_debian=True)
                tag = f"localhost/ferryman/{name}:{VERSION}"
                config = json.loads(run(["buildah", "inspect", "--type=image", tag]))["OCIv1"]["config"]
                document = json.loads((builder.folder / f"{name}.cdx.json").read_text())
                held[name] = Image(mounted.enter_context(builder.engine.files(tag)), config, document)
            return held[name]

        yield image


@pytest.fixture
def open_tmp_path(tmp_path: Path) -> Path:
    """A folder that the user of a container can look into, who is none of this machine's."""
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    return tmp_path
