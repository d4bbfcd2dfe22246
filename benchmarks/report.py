# ruff: noqa: E501 # the page is written as it is read
"""The page and the plot that come of a benchmark's numbers."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

__all__ = ["write"]

Pick = Callable[[dict[str, Any]], float | None]
_MEASURES: list[tuple[str, str, Pick]] = [
    ("1 short text, requests/s", ",.0f", lambda run: run["short"]["throughput"]),
    ("1 long text, requests/s", ",.0f", lambda run: run["long"]["throughput"]),
    ("batch of 64, requests/s", ",.0f", lambda run: run["batch"]["throughput"]),
    ("gRPC, requests/s", ",.0f", lambda run: run.get("grpc", {}).get("throughput")),
    ("CPU per 1,000 requests, s", ".3f", lambda run: run["cpu_s_per_1000"]),
    ("cold start, s", ".2f", lambda run: run["cold_start_s"]),
    ("memory idle, MiB", ".0f", lambda run: run["memory_idle_mib"]),
    ("memory loaded, MiB", ".0f", lambda run: run["memory_loaded_mib"]),
]
_OURS, _STOCK, _ECHO = "ferryman", "kserve", "echo"
_LIMITS = {"kserve-noop", _ECHO}


def write(results: dict[str, Any], folder: Path) -> None:
    """Write README.md and throughput.svg for a benchmark's results."""
    (folder / "README.md").write_text(_page(results))
    _plot(results, folder / "throughput.svg")


def _values(server: dict[str, Any], pick: Pick) -> list[float]:
    return [value for run in server["runs"] if (value := pick(run)) is not None]


def _cell(server: dict[str, Any], pick: Pick, form: str) -> str:
    values = _values(server, pick)
    if not values:
        return "-"
    middle = f"{statistics.median(values):{form}}"
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}} to {max(values):{form}})"


def _middle(results: dict[str, Any], name: str, pick: Pick) -> float | None:
    server = results["servers"].get(name)
    values = _values(server, pick) if server else []
    return statistics.median(values) if values else None


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _page(results: dict[str, Any]) -> str:
    machine, servers = results["machine"], results["servers"]
    rates = sorted({int(rate) for server in servers.values() for run in server["runs"] for rate in run["open"]})
    batch = results["batch"]
    texts = results["texts"]
    measured = [
        [server["title"], *(_cell(server, pick, form) for _, form, pick in _MEASURES)] for server in servers.values()
    ]
    latency = [[server["title"], *(_latency(server, str(rate)) for rate in rates)] for server in servers.values()]
    versions = [
        f"- {server['title']}: {', '.join(f'{name} {found}' for name, found in server['versions'].items())}"
        for server in servers.values()
    ]
    return f"""# Benchmarks

Made by `make bench` on {results["made"][:10]}: {machine["cpu"]}, {machine["cores"]} cores, {machine["memory_gib"]} GiB, {machine["system"]}, Python {machine["python"]};
load average of the quarter of an hour before the end: {machine["load_before"]}. The server has core 0, its callers core 1. Median of {results["runs"]} run(s), smallest and largest in brackets;
every run starts every server anew. All serve the same artifact, the default model; a short text has {texts["short"]["characters"]} characters, the long one {texts["long"]["characters"]}, the batch
{texts["batch"]["texts"]} texts of about {texts["batch"]["characters"] // texts["batch"]["texts"]}. Throughput: 16 connections, {results["seconds"]} s. Memory: pages resident, shared ones divided among the processes.

![Throughput and latency](throughput.svg)

{_table(["server", *(title for title, _, _ in _MEASURES)], measured)}

Latency at a given rate, open loop, p50 / p95 / p99 in ms; requests that failed or never came back in brackets. A latency counts from the moment at which its request was due. Rates more
than a fifth above a server's throughput are not tried.

{_table(["server", *(f"{rate:,}/s" for rate in rates)], latency)}

## Ratios

{_table(["measure", "ratio", "goal"], _ratios(results))}

A batch of {texts["batch"]["texts"]} inside one process: scikit-learn {1000 * batch["scikit_learn_s"]:.2f} ms, Ferryman {1000 * batch["ferryman_s"]:.2f} ms; largest difference of a probability {batch["largest_difference"]:.1g}.
Explanations beside SHAP's LinearExplainer over a zero background: largest difference of a contribution {results["shap_difference"]:.1g}.

{_hostile(results["hostile"])}

{_crowded(results["health_under_overload"])}

## Settings

One process, one core, access logs off. `kserve.Model` has latency logging off; MLServer infers in its own process (`parallel_workers` 0), as it advises for one core; BentoML, LitServe and
FastAPI as their first pages show them, without adaptive batching; `mlflow models serve` with one worker. Each has an environment of its own from a lock in `benchmarks/peers`.

{chr(10).join(versions)}

The numbers: [results.json](results.json).
"""


def _hostile(attacked: dict[str, Any] | None) -> str:
    if attacked is None:
        return "Hostile requests: not sent."
    codes = ", ".join(f"{count:,} x {code}" for code, count in attacked["codes"].items())
    memory = (
        f"{attacked['memory_before_mib']:.0f} MiB after the first tenth, {attacked['memory_after_mib']:.0f} at the end"
    )
    faults = "none was the predictor's fault" if not attacked["faults"] else f"FAULTS: {attacked['faults']}"
    return f"{attacked['requests']:,} broken requests over REST and gRPC: {faults}; {codes}; memory {memory}."


def _crowded(crowded: dict[str, float] | None) -> str:
    if crowded is None:
        return "Health under overload: not asked."
    waits = ", ".join(f"{name} {crowded[name]:.1f}" for name in ("p50", "p99", "largest"))
    return f"Readiness while 1,000 connections ask as fast as they can ({crowded['throughput']:,.0f} answers/s), in ms: {waits}."


def _latency(server: dict[str, Any], rate: str) -> str:
    runs = [run["open"][rate] for run in server["runs"] if rate in run["open"]]
    if not runs:
        return "-"
    shown = " / ".join(f"{statistics.median(run[name] for run in runs):.2f}" for name in ("p50", "p95", "p99"))
    errors = sum(run["errors"] for run in runs)
    return f"{shown} ({errors})" if errors else shown


def _ratios(results: dict[str, Any]) -> list[list[str]]:
    def ratio(title: str, pick: Pick, other: str, goal: str) -> list[str]:
        ours, theirs = _middle(results, _OURS, pick), _middle(results, other, pick)
        return [title, "not measured" if not ours or not theirs else f"{ours / theirs:.2f}", goal]

    by_title = {title: pick for title, _, pick in _MEASURES}
    rows = [
        ratio(f"short text, Ferryman : {server['title']}", by_title["1 short text, requests/s"], name, "≥ 20")
        for name, server in results["servers"].items()
        if name not in _LIMITS | {_OURS}
    ]

    def p99(run: dict[str, Any]) -> float | None:
        return run["open"].get("1000", {}).get("p99")

    return [
        *rows,
        ratio("short text, Ferryman : echo", by_title["1 short text, requests/s"], _ECHO, "≥ 0.6"),
        ratio("p99 at 1,000/s, Ferryman : echo", p99, _ECHO, "≤ 2"),
        ratio("gRPC, Ferryman : stock", by_title["gRPC, requests/s"], _STOCK, "≥ 3"),
        ratio("cold start, Ferryman : stock", by_title["cold start, s"], _STOCK, "≤ 0.7"),
        ratio("memory loaded, Ferryman : stock", by_title["memory loaded, MiB"], _STOCK, "≤ 0.7"),
    ]


def _plot(results: dict[str, Any], file: Path) -> None:
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    bars, lines = figure.subplots(1, 2)
    servers = list(results["servers"].values())
    values = [statistics.median(run["short"]["throughput"] for run in server["runs"]) for server in servers]
    places = range(len(servers))
    drawn = bars.barh(places, values, color=["#c44e52" if name == _OURS else "#8c8c8c" for name in results["servers"]])
    bars.bar_label(drawn, [f"{value:,.0f}" for value in values], padding=3)
    bars.set_yticks(places, [server["title"] for server in servers])
    bars.invert_yaxis()
    bars.set_xscale("log")
    bars.set_xlabel("requests/s, one short text (log)")
    bars.margins(x=0.2)
    for server in servers:
        rates = sorted({int(rate) for run in server["runs"] for rate in run["open"]})
        p99 = [
            statistics.median(run["open"][str(r)]["p99"] for run in server["runs"] if str(r) in run["open"])
            for r in rates
        ]
        lines.plot(rates, p99, marker="o", label=server["title"])
    if lines.lines and any(len(line.get_xdata()) for line in lines.lines):
        lines.set_xscale("log")
        lines.set_yscale("log")
    lines.set_xlabel("requests/s sent (log)")
    lines.set_ylabel("p99, ms (log)")
    lines.legend(fontsize=7)
    figure.savefig(file, metadata={"Date": None})
