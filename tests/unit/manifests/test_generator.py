"""Writing a tenant, and putting a cluster's images and domain into manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.platform.cluster import Cluster
from infra.platform.errors import PlatformError
from infra.platform.keys import held_secret
from infra.platform.manifests import read_images, registry_of, substitute
from infra.platform.object_store import reader_policy
from infra.platform.tenant import write_overlay


@pytest.mark.parametrize("name", ["Tenant", "-a", "a-", "a" * 41, "a/b", "..", "", "kube-x", "mlflow", "argocd", "a.b"])
def test_a_name_that_cannot_be_a_tenants_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlatformError, match="cannot be a tenant's name"):
        write_overlay(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_overlay_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    assert write_overlay("tenant-c", tmp_path)
    file = tmp_path / "tenant-c" / "kustomization.yaml"
    file.write_text(file.read_text() + "# changed by hand\n")
    assert not write_overlay("tenant-c", tmp_path)
    assert file.read_text().endswith("# changed by hand\n")


def test_images_and_domain_are_put_in_wherever_they_stand() -> None:
    found = [
        {
            "kind": "A",
            "spec": {
                "containers": [{"image": "predictor"}],
                "hostnames": ["tenant-a.example.com", "*.example.com"],
                "note": "see example.com/path",
            },
        }
    ]
    made = substitute(found, {"predictor": "registry/predictor@sha256:1"}, "models.test")
    assert made[0]["spec"]["containers"][0]["image"] == "registry/predictor@sha256:1"
    assert made[0]["spec"]["hostnames"] == ["tenant-a.models.test", "*.models.test"]
    assert made[0]["spec"]["note"] == "see example.com/path"
    assert found[0]["spec"]["hostnames"][0] == "tenant-a.example.com", "the argument was changed"


def test_an_image_without_a_reference_is_named() -> None:
    with pytest.raises(PlatformError, match="image mlflow: no reference given"):
        substitute([{"spec": {"image": "mlflow"}}], {"predictor": "x"}, "example.com")


@pytest.mark.parametrize("reference", ["", "predictor", "registry/predictor:latest"])
def test_tenants_images_need_a_registry_and_a_digest(reference: str) -> None:
    with pytest.raises(PlatformError, match="image predictor"):
        registry_of({"predictor": reference})


def test_the_registry_is_the_predictors_with_its_path() -> None:
    assert registry_of({"predictor": "registry:5000/team/predictor@sha256:1"}) == "registry:5000/team"


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}'])
def test_a_file_that_names_no_images_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "images.json"
    file.write_text(text)
    with pytest.raises(PlatformError, match=r"images\.json"):
        read_images(file)


def test_a_credential_that_is_not_there_is_named_and_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "kubectl"
    stand_in.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/verbs\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(stand_in))
    with pytest.raises(PlatformError, match="there is no Secret s3-reader in tenant-c"):
        held_secret(Cluster(), "tenant-c", "s3-reader")
    assert (tmp_path / "verbs").read_text() == "get\n"


def test_a_reader_may_get_and_list_the_models_that_it_follows() -> None:
    get, listing = reader_policy(["sentiment", "topic"])["Statement"]
    assert get["Action"] == ["s3:GetObject"]
    assert get["Resource"] == ["arn:aws:s3:::released/sentiment/*", "arn:aws:s3:::released/topic/*"]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["sentiment/*", "topic/*"]}}
