from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from training import provenance
from training.vectorise import fit_features, hash_texts

TEXTS = ["a good film", "a bad film", "good", "bad"]


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file in a folder of its own that stands for the training code."""
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "code.py"))
    (tmp_path / "code.py").write_text("one = 1\n")
    return tmp_path / "code.py"


@pytest.fixture
def committed(code: Path) -> Path:
    git(code.parent, "init", "--quiet")
    git(code.parent, "add", "code.py")
    git(code.parent, "commit", "--quiet", "--message", "one")
    return code


def test_a_clean_checkout_is_named_by_its_commit(committed: Path) -> None:
    found = provenance.commit()
    assert re.fullmatch("[0-9a-f]{40}", found.sha)
    assert not found.dirty


def test_a_changed_file_makes_it_dirty_and_a_new_one_does_not(committed: Path) -> None:
    (committed.parent / "notes.txt").write_text("mine\n")
    assert not provenance.commit().dirty
    committed.write_text("one = 2\n")
    assert provenance.commit().dirty


def test_code_outside_a_checkout_has_an_unknown_commit(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(code.parent.parent))
    assert provenance.commit() == provenance.Commit("unknown", dirty=False)


def test_a_machine_without_git_has_an_unknown_commit(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert shutil.which("git") is None
    assert provenance.commit().sha == "unknown"


def test_the_environment_lists_each_distribution_once() -> None:
    lines = provenance.environment().splitlines()
    assert len(lines) == len(set(lines))
    assert all(re.fullmatch(r"\S+==\S+", line) for line in lines)
    assert set(provenance.requirements()) <= set(lines)


def test_the_digest_changes_with_every_part_of_the_model() -> None:
    made, rows = fit_features(hash_texts(TEXTS, lambda _: None))
    pipeline = Pipeline([("features", made), ("classifier", LogisticRegression().fit(rows, [1, 0, 1, 0]))])
    seen = {provenance.parameters_digest(pipeline)}
    pipeline[-1].intercept_ = np.nextafter(pipeline[-1].intercept_, np.inf)
    seen.add(provenance.parameters_digest(pipeline))
    weight = pipeline[-1].coef_[0, rows.indices[0]]
    pipeline[-1].coef_[0, rows.indices[0]] = np.nextafter(weight, np.inf)
    seen.add(provenance.parameters_digest(pipeline))
    made.named_transformers_["text"]["tfidf"].idf_ *= 2
    seen.add(provenance.parameters_digest(pipeline))
    made.named_transformers_["text"]["hash"].set_params(ngram_range=(1, 1))
    seen.add(provenance.parameters_digest(pipeline))
    assert len(seen) == 5


def test_the_digest_of_a_second_fit_is_the_same() -> None:
    made, rows = fit_features(hash_texts(TEXTS, lambda _: None))
    pipeline = Pipeline([("features", made), ("classifier", LogisticRegression().fit(rows, [1, 0, 1, 0]))])
    again = clone(pipeline).fit(pd.DataFrame({"text": TEXTS}), [1, 0, 1, 0])
    assert provenance.parameters_digest(again) == provenance.parameters_digest(pipeline)
