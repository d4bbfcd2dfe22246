from __future__ import annotations

import configparser

from infra.backup.cluster import kept_release, with_admin_password
from infra.platform.keys import mlflow_secret


def test_of_a_model_release_stays_what_was_asked_for_and_where_it_stands() -> None:
    found = {
        "apiVersion": "ferryman.dev/v1alpha1",
        "kind": "ModelRelease",
        "metadata": {
            "name": "sentiment",
            "namespace": "tenant-a",
            "uid": "u",
            "resourceVersion": "7",
            "labels": {"ferryman.dev/model": "sentiment", "argocd.argoproj.io/instance": "x"},
            "annotations": {"ferryman.dev/pause": "true", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        },
        "spec": {"model": "sentiment"},
        "status": {"phase": "Stable"},
    }
    kept = kept_release(found)
    assert kept["metadata"] == {
        "name": "sentiment",
        "namespace": "tenant-a",
        "labels": {"ferryman.dev/model": "sentiment"},
        "annotations": {"ferryman.dev/pause": "true"},
    }
    assert (kept["spec"], kept["status"]) == (found["spec"], found["status"])


def test_the_administrators_password_changes_and_the_databases_stays() -> None:
    here, backed_up = mlflow_secret(), mlflow_secret()
    before, after = configparser.ConfigParser(), configparser.ConfigParser()
    before.read_string(here["basic_auth.ini"])
    after.read_string(with_admin_password(here["basic_auth.ini"], backed_up["admin-password"]))
    assert after["mlflow"]["admin_password"] == backed_up["admin-password"]
    assert after["mlflow"]["database_uri"] == before["mlflow"]["database_uri"]
    assert before["mlflow"].keys() == after["mlflow"].keys()
