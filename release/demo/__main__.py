"""`python -m release.demo`: a better model arrives by itself, a broken one leaves by itself."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from artifact.names import MODEL
from infra.local.errors import StackError
from infra.local.settings import Settings
from registry.client import CHAMPION, Registry
from registry.faults import RegistryError
from release.commands import wait
from release.demo import models
from release.demo.load import Answered, load
from release.demo.strategy import by_canary
from release.demo.texts import reviews
from release.desk import local_desk
from release.store import StoreError

_FEW_ROWS = "2000"
_REASON = "a demonstration of releases"
_REST_SECONDS = 4.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Show it and return 0, or 1 when something went otherwise than it was announced."""
    argparse.ArgumentParser(
        prog="python -m release.demo",
        description="Show releases on the laptop stack: with models of its own, under load of its own. "
        "At the end the alias and the strategies are as before.",
    ).parse_args(arguments)
    try:
        return _show(Settings())
    except (RegistryError, StackError, StoreError, ValidationError) as error:
        print(error, file=sys.stderr)
        return 1


def _show(settings: Settings) -> int:
    registry = Registry()
    champion = registry.by_alias(MODEL, CHAMPION)
    if champion is None:
        print(f"No version has the alias {CHAMPION}; release one with: make demo", file=sys.stderr)
        return 1
    good, labelled = champion.version, reviews()

    _say(f"Version {good} is the better model. First a weak one: trained on {_FEW_ROWS} rows, signed by hand.")
    weak = _train_on_few(registry)
    models.sign(registry, weak, _REASON)
    broken = models.copy(registry, good, models.favouring_positive([text for text, _ in labelled]))
    models.sign(registry, broken, _REASON)
    unsigned = models.copy(registry, good)

    def move(version: int) -> int:
        registry.set_alias(MODEL, CHAMPION, version)
        return wait(local_desk(), [], None)

    acts: list[tuple[str, str, bool]] = []
    try:
        begun_as_announced = move(weak) == 0
        acts.append((f"version {weak}, weak, to begin with", "serves everybody at once", begun_as_announced))
        with by_canary(settings.release_specs) as tenants, load(settings, tenants, labelled) as answered:
            time.sleep(_REST_SECONDS)
            _say(f"The alias moves to version {good}, the better one: 5, 25, 50, 100 %.")
            acts.append((f"version {good}, better", "promoted by itself", move(good) == 0))
            _say(f"The alias moves to version {broken}, which calls nine of ten reviews positive.")
            acts.append((f"version {broken}, broken", "rolled back by itself", move(broken) == 1))
            _say(f"The alias moves to version {unsigned}, which nobody signed.")
            acts.append((f"version {unsigned}, unsigned", "refused, never started", move(unsigned) == 1))
            stayed_away = str(unsigned) not in answered.requests
    finally:
        try:
            registry.set_alias(MODEL, CHAMPION, good)
        except RegistryError as error:
            print(f"The alias {CHAMPION} was version {good}; move it back: {error}", file=sys.stderr)
    _print(acts, answered)
    return 0 if stayed_away and not answered.failed and all(held for _, _, held in acts) else 1


def _train_on_few(registry: Registry) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "training", "--sample", _FEW_ROWS], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StackError(f"training a weak model failed: {done.stderr.strip()[-500:]}")
    return registry.versions(MODEL)[0].version


def _say(sentence: str) -> None:
    Console(highlight=False, soft_wrap=True).print(f"\n[bold]{sentence}[/bold]")


def _print(acts: Sequence[tuple[str, str, bool]], answered: Answered) -> None:
    console = Console()
    table = Table("what", "what should become of it", "as announced")
    for what, expected, held in acts:
        table.add_row(what, expected, "yes" if held else "[red]NO[/red]")
    console.print(table)
    asked = Table("model version", "requests", "right")
    for version, requests in sorted(answered.requests.items(), key=lambda item: int(item[0])):
        asked.add_row(version, str(requests), f"{answered.right[version] / requests:.1%}")
    console.print(asked)
    failed = ", ".join(f"{count} x {why}" for why, count in answered.failed.items()) or "none"
    console.print(f"Requests that failed: {failed}. The history: python -m release history", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
