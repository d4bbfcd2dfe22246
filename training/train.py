"""The training job: load, check, split, fit, evaluate, gate, register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from rich.console import Console
from sklearn.pipeline import Pipeline

from artifact.names import MODEL
from registry.client import Registry
from registry.gate import GateResult, judge
from registry.signing import SigningKey
from registry.tags import DATA_DIGEST, PARAMETERS_DIGEST
from training import champion, provenance, tracking
from training.checks import CheckReport, check_raw, check_split, render_html, render_table
from training.evaluate import measure, measure_slices
from training.memory import give_back
from training.normalise import deduplicate, with_key
from training.pipeline import fit, learning_curve
from training.profile import profile
from training.progress import Stages
from training.reference import reference
from training.slices import slices
from training.source import Table, load
from training.split import split
from training.tokens import heaviest
from training.vectorise import fit_features, hash_texts

__all__ = ["ChecksFailedError", "Settings", "TrainingResult", "train"]


class ChecksFailedError(RuntimeError):
    """A critical check failed: nothing was trained, nothing registered."""


@dataclass(frozen=True)
class Settings:
    """What to train on. ``sample``: only so many rows, chosen by their text digests, for a quick try."""

    data: str | None = None
    text_column: str = "text"
    label_column: str = "label"
    sample: int | None = None
    model: str = MODEL


@dataclass(frozen=True)
class TrainingResult:
    """What came out, for the summary that a person reads."""

    version: int
    run_url: str
    metrics: dict[str, float]
    slices: dict[str, dict[str, float]]
    gate: GateResult
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Prepared:
    table: Table
    train: pd.DataFrame
    test: pd.DataFrame


def train(settings: Settings, console: Console) -> TrainingResult:
    """Run the job inside one MLflow run, which ends FAILED when anything here raises.

    Raises:
        training.source.DataError: the data cannot be read as asked.
        ChecksFailedError: a critical check failed; the table of findings is printed and the report kept with the run.
        registry.client.RegistryUnreachableError: MLflow does not answer.
        registry.signing.SigningError: there is no key to sign with.
    """
    # First of all: without a registry and a key it must not come to a run.
    registry, key = Registry(), SigningKey.from_environment()
    with tracking.run(settings.model) as run, Stages(console) as stages:
        standing = champion.find(registry, settings.model)
        prepared = _prepare(settings, standing, run, stages, console)
        pipeline, rows, learned = _fit(prepared.train, stages)
        labels = _labels(prepared.test)
        with stages.stage("evaluate", len(labels)):
            test_rows = pipeline[0].transform(prepared.test[["text"]])
            positive = np.asarray(pipeline[-1].predict_proba(test_rows)[:, 1], dtype=np.float64)
            parts = slices(prepared.test)
            metrics, by_slice = measure(labels, positive), measure_slices(labels, positive, parts)
        with stages.stage("learning curve"):
            curve = {**learning_curve(rows, learned, test_rows, labels), len(learned): metrics["accuracy"]}
            del rows
        with stages.stage("gate"):
            theirs = standing.score(settings.model, prepared.test) if standing else None
            objections = (
                [f"the champion, version {standing.version}, cannot be loaded, so nothing was compared"]
                if standing and theirs is None
                else []
            )
            gate = judge(labels, positive, metrics["ece"], theirs, parts, objections=objections)
        with stages.stage("log"):
            run.log_data(prepared.table, prepared.train, prepared.test)
            measured = reference(prepared.test["text"].tolist(), test_rows, pipeline[-1].coef_[0], positive)
            uri = run.log_model(pipeline, prepared.train, measured)
            run.log_results(uri, metrics, by_slice, gate)
            run.log_figures(labels, positive, curve, heaviest(pipeline, prepared.train["text"].tolist(), 20))
            sizes = len(prepared.train), len(prepared.test)
            run.log_card(prepared.table, metrics, by_slice, gate, rows=sizes)
        with stages.stage("register"):
            tags = {
                PARAMETERS_DIGEST: provenance.parameters_digest(pipeline),
                DATA_DIGEST: prepared.table.digest,
            }
            version = run.register(registry, uri, tags, metrics, gate, key=key)
    return TrainingResult(version, run.url, metrics, by_slice, gate, stages.seconds)


def _prepare(
    settings: Settings, standing: champion.Champion | None, run: tracking.Run, stages: Stages, console: Console
) -> _Prepared:
    with stages.stage("load"):
        table = load(settings.data, settings.text_column, settings.label_column)
        run.log_settings(table, settings.sample)
    with stages.stage("check table", len(table.frame)):
        keyed = with_key(table.frame)
        raw = check_raw(keyed)
    _stop_if_critical([raw], run, console)
    with stages.stage("split", len(table.frame)):
        rows = split(_sampled(deduplicate(keyed), settings.sample))
    with stages.stage("check split", len(rows)):
        reports = [raw, check_split(rows, standing.profile if standing else None)]
    _stop_if_critical(reports, run, console)
    run.log_text(render_html(reports), "data_checks.html")
    train_rows = rows[rows["split"] == "train"].reset_index(drop=True)
    run.log_text(profile(train_rows).to_json(), champion.PROFILE_FILE)
    warned = [report for report in reports if report.warnings]
    if warned:
        console.print(render_table(warned))
    return _Prepared(table, train_rows, rows[rows["split"] == "test"].reset_index(drop=True))


def _sampled(rows: pd.DataFrame, sample: int | None) -> pd.DataFrame:
    """Take rows by the digest of their text, from its end: the split goes by its beginning."""
    if sample is None or sample >= len(rows):
        return rows
    return rows.loc[rows["key"].str[::-1].sort_values().index[:sample]].sort_index()


def _stop_if_critical(reports: Sequence[CheckReport], run: tracking.Run, console: Console) -> None:
    if all(report.success for report in reports):
        return
    run.log_text(render_html(reports), "data_checks.html")
    console.print(render_table(reports))
    failed = sum(len(report.critical) for report in reports)
    raise ChecksFailedError(
        f"{failed} critical {'check' if failed == 1 else 'checks'} failed: nothing was trained or registered. "
        f"The report is with the run: {run.url}"
    )


def _fit(table: pd.DataFrame, stages: Stages) -> tuple[Pipeline, sp.csr_matrix, NDArray[np.int64]]:
    # In the order of their digests: the same rows give the same model, however the file lists them.
    table = table.sort_values("key", ignore_index=True)
    labels = _labels(table)
    give_back()
    with stages.stage("vectorise", len(table)) as advance:
        made, rows = fit_features(hash_texts(table["text"].tolist(), advance))
    give_back()
    with stages.stage("fit", len(table)):
        return fit(made, rows, labels), rows, labels


def _labels(rows: pd.DataFrame) -> NDArray[np.int64]:
    return rows["label"].to_numpy(np.int64)
