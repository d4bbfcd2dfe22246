"""`python -m training`: train, check, gate and register a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job and return its exit code.

    0: registered, whether the gate passed or not. 2: the data cannot be used, nothing was registered.
    3: MLflow or the object store does not answer, or there is no key to sign with.
    """
    chosen = _parser().parse_args(arguments)
    console = Console(stderr=True)
    from artifact.names import MODEL
    from registry.client import Registry, RegistryError, RegistryUnreachableError
    from registry.publish import refusal
    from registry.signing import SigningError

    try:
        if chosen.if_none_registered:
            held = next((version for version in Registry().versions(MODEL) if refusal(version) is None), None)
            if held is not None:
                print(f"{MODEL} version {held.version} is registered and signed; nothing to train.")
                return 0
        return _train(chosen, console)
    except RegistryUnreachableError as error:
        print(
            f"{error}\nNothing was registered that may be released. "
            "See what is down with: make status; start it with: make up",
            file=sys.stderr,
        )
        return 3
    except (RegistryError, SigningError) as error:
        print(error, file=sys.stderr)
        return 3


def _train(chosen: argparse.Namespace, console: Console) -> int:
    from training.checks import SuiteError
    from training.source import DataError
    from training.train import ChecksFailedError, Settings, TrainingResult, train

    def summary(result: TrainingResult) -> Table:
        table = Table("measure", "value", title=f"{settings.model} version {result.version}")
        for name in ("accuracy", "ece"):
            table.add_row(name, f"{result.metrics[name]:.4f}")
        for name, found in result.slices.items():
            table.add_row(f"accuracy on {name}", f"{found['accuracy']:.4f}  ({found['rows']:.0f} rows)")
        verdict = "[green]passed[/green]" if result.gate.passed else "[red]not passed[/red]"
        table.add_row("gate", f"{verdict}: {result.gate.reason}")
        table.add_row("time", ", ".join(f"{name} {taken:.1f} s" for name, taken in result.seconds.items()))
        return table

    settings = Settings(chosen.data, chosen.text_column, chosen.label_column, chosen.sample)
    try:
        result = train(settings, console)
    except (DataError, SuiteError, ChecksFailedError) as error:
        print(error, file=sys.stderr)
        return 2
    Console().print(summary(result))
    print(f"Run: {result.run_url}")
    if not result.gate.passed:
        print("The version is registered, but cannot be promoted: the gate did not pass.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Train, check, gate and register a model.")
    parser.add_argument("--data", help="CSV or Parquet, local or s3://bucket/key; without it, the default reviews")
    parser.add_argument("--text-column", default="text", help="default: %(default)s")
    parser.add_argument("--label-column", default="label", help="default: %(default)s")
    parser.add_argument("--sample", type=_rows, help="only so many rows, for a quick try")
    parser.add_argument("--if-none-registered", action="store_true", help="do nothing when a signed version is there")
    return parser


def _rows(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
