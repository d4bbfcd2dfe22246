"""Ferryman's predictor beside every other server, on the same artifact: `make bench` (20 minutes on a quiet machine).

Each server runs on core 0 in its own environment, made from its lock; callers run on core 1. A run starts every server
anew. The results are written to docs/benchmarks: a page, a plot and the numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import model
import numpy as np
import pandas as pd
import psutil
import report
from explanations import largest_difference
from hostile import attack
from load import health_under_overload, saturate
from processes import Running, started
from servers import Server, servers

from inference.recognise import recognise
from inference.skops_file import read

_ROOT = Path(__file__).parents[1]
_PEERS = Path(__file__).parent / "peers"
_RATES = (200, 500, 1_000, 2_000, 5_000)
_SECONDS = 3
_SHORT = "A quiet, moving film that stays with you long after the credits roll!!"
_BATCH_SECONDS = 1.0
_HOSTILE = 100_000


def main() -> int:
    """Measure, and write what was measured."""
    chosen = _parser().parse_args()
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 1
    if (os.cpu_count() or 1) < 2:
        print("two cores are needed: one for the server, one for its callers", file=sys.stderr)
        return 1
    home = Path(os.environ.get("FERRYMAN_HOME", _ROOT / ".ferryman")) / "bench"
    folder = model.ensure(home / "model")
    found = servers(folder, home, Path(sys.prefix))
    wanted = [each for each in found if not chosen.only or each.name in chosen.only]
    for each in wanted:
        _prepare(each, home, folder)
    shap = home / "shap" / "venv"
    _install("shap", shap)
    texts = _texts()
    runs: dict[str, list[dict[str, Any]]] = {each.name: [] for each in wanted}
    for run in range(chosen.runs):
        for each in wanted:
            print(f"run {run + 1} of {chosen.runs}: {each.title} …", file=sys.stderr, flush=True)
            log = home / f"{each.name}.log"
            with started(each, folder, log) as running:
                runs[each.name].append(_measure(each, running, texts, (folder, home, Path(sys.prefix))))
    ours = next((each for each in wanted if each.name == "ferryman"), None)
    attacked = crowded = None
    if ours:
        print(f"{_HOSTILE:,} hostile requests …", file=sys.stderr, flush=True)
        with started(ours, folder, home / "hostile.log") as running:
            crowded = health_under_overload(ours, _SHORT, _SECONDS)
            attacked = attack(running, _HOSTILE)
    results = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "runs": chosen.runs,
        "seconds": _SECONDS,
        "texts": {name: {"texts": len(each), "characters": sum(map(len, each))} for name, each in texts.items()},
        "batch": _batch(folder, texts["batch"]),
        "shap_difference": largest_difference(folder, shap / "bin" / "python", texts["batch"]),
        "hostile": attacked,
        "health_under_overload": crowded,
        "servers": {
            each.name: {"title": each.title, "versions": _versions(each), "runs": runs[each.name]} for each in wanted
        },
    }
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, chosen.output)
    print(f"written: {chosen.output}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="how often every server is started and measured")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="measure this server; repeatable")
    parser.add_argument("--output", type=Path, default=_ROOT / "docs" / "benchmarks", help="where results are written")
    return parser


def _install(name: str, venv: Path) -> None:
    """Make a peer's environment from its lock."""
    lock, made = _PEERS / name / "requirements.txt", venv / "made"
    if made.is_file() and made.read_text() == lock.read_text():
        return
    print(f"installing {name} …", file=sys.stderr, flush=True)
    uv = str(Path(sys.prefix) / "bin" / "uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)], check=True)
    command = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", str(lock)]
    subprocess.run(command, check=True, env={**os.environ, "VIRTUAL_ENV": str(venv)})
    made.write_text(lock.read_text())


def _prepare(server: Server, home: Path, folder: Path) -> None:
    """Make a server's environment, and MLServer's copy of the model: its runtime reads joblib files."""
    if server.venv != Path(sys.prefix):
        _install(server.venv.parent.name, server.venv)
    if server.name == "mlserver":
        place = home / "mlserver" / "model"
        place.mkdir(exist_ok=True)
        code = f"import joblib, skops.io; joblib.dump(skops.io.load({str(folder / 'model.skops')!r}), 'model.joblib')"
        subprocess.run([str(server.venv / "bin" / "python"), "-c", code], check=True, cwd=place)
        settings = {"name": "sentiment", "implementation": "mlserver_sklearn.SKLearnModel"}
        (place / "model-settings.json").write_text(json.dumps({**settings, "parameters": {"uri": "model.joblib"}}))


def _texts() -> dict[str, list[str]]:
    reviews = [text for text in model.load(None).frame["text"].tolist() if text]
    long = min(reviews, key=lambda text: abs(len(text) - 4_000))
    batch = sorted(reviews, key=lambda text: abs(len(text) - len(_SHORT)))[:64]
    return {"short": [_SHORT], "long": [long], "batch": batch}


def _measure(
    server: Server, running: Running, texts: dict[str, list[str]], places: tuple[Path, Path, Path]
) -> dict[str, Any]:
    measured: dict[str, Any] = {"cold_start_s": running.cold_start, "memory_idle_mib": running.memory()}
    saturate(server, texts["short"], 1)
    before = running.cpu()
    rate, count = saturate(server, texts["short"], _SECONDS)
    measured["cpu_s_per_1000"] = 1000 * (running.cpu() - before) / max(count, 1)
    measured["short"] = rate.__dict__
    for name in ("long", "batch"):
        measured[name] = saturate(server, texts[name], _SECONDS - 1)[0].__dict__
    measured["open"] = {}
    for each in _RATES:
        # Far above what a server can do there is only a queue to measure.
        if each <= 1.2 * rate.throughput:
            measured["open"][str(each)] = _apart("open", server, each, texts["short"][0], places)
    if server.rpc:
        measured["grpc"] = _apart("rpc", server, 0, texts["short"][0], places)
    measured["memory_loaded_mib"] = running.memory()
    return measured


def _apart(kind: str, server: Server, rate: int, text: str, places: tuple[Path, Path, Path]) -> Any:
    asked = json.dumps([kind, server.name, rate, _SECONDS, text, *map(str, places)])
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "load.py"), asked], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _batch(folder: Path, texts: list[str]) -> dict[str, float]:
    """Return the seconds that a batch takes inside one process: scikit-learn's own call, and ours."""
    theirs, ours = model.pipeline(folder), recognise(read(folder / "model.skops"))
    table = pd.DataFrame({"text": texts})
    difference = np.abs(theirs.predict_proba(table)[:, 1] - [share for _, share in ours.score(texts).probabilities])
    timed = {
        "scikit_learn_s": lambda: theirs.predict_proba(table),
        "ferryman_s": lambda: ours.score(texts),
    }
    found = {"largest_difference": float(difference.max())}
    for name, call in timed.items():
        taken = []
        begun = time.perf_counter()
        while time.perf_counter() - begun < _BATCH_SECONDS:
            at = time.perf_counter()
            call()
            taken.append(time.perf_counter() - at)
        found[name] = statistics.median(taken)
    return found


def _machine() -> dict[str, Any]:
    names = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[2], 2),
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.is_file() else []


def _versions(server: Server) -> dict[str, str]:
    places = [str(each) for each in server.venv.glob("lib/python3*/site-packages")]
    held = {each.name.lower(): each.version for each in distributions(path=places)}
    return {name: held[name] for name in server.packages if name in held}


if __name__ == "__main__":
    sys.exit(main())
