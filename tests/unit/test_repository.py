"""What must hold for the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_folder_kserve_does_not_hide_the_package() -> None:
    # A process of its own: KServe and Triton's client declare the same protobuf symbols.
    code = "import kserve; print(kserve.Model.__module__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "kserve.model"


def test_the_locks_hold_names_versions_and_hashes_but_no_addresses() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in lock.read_text(), lock.name
        assert "--hash=sha256:" in lock.read_text(), lock.name


def test_every_workflow_step_pins_its_action_by_commit() -> None:
    uses = re.findall(r"uses: (\S+)", "".join(f.read_text() for f in (ROOT / ".github/workflows").glob("*.yml")))
    assert uses
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use) for use in uses)


def test_every_make_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^\.PHONY: (\S+)", makefile, re.MULTILINE):
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), target
