"""What Argo CD would apply is what the installer applies: every object once, in an order that works, and no secret."""

from __future__ import annotations

import base64
import fnmatch
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from schemas import EXTERNAL_SECRETS, fault, module, of_others

from infra.gitops.__main__ import main
from infra.gitops.argo import MANAGER, Application, applications, apply, in_order, rendered, root_objects
from infra.gitops.configure import configure
from infra.gitops.credentials import entry, write_credentials
from infra.node import components
from infra.platform.cluster import Cluster
from infra.platform.credentials import Credential, platform_credentials, tenant_credential
from infra.platform.errors import PlatformError
from infra.platform.install import platform_objects
from infra.platform.manifests import ROOT, build, substitute
from infra.platform.tenant import RESERVED, tenants, write_overlay

Object = dict[str, Any]

IMAGES = {
    name: f"registry.test:5000/team/{name}@sha256:{number:064x}"
    for number, name in enumerate(json.loads((ROOT / "infra/kind/images.json").read_text()))
}
DOMAIN, REPOSITORY, REVISION = "models.test", "https://git.test/team/ferryman.git", "v1.2.3"
CLUSTER_WIDE = {
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "GatewayClass",
    "ClusterServingRuntime",
    "ClusterStorageContainer",
    "ClusterSecretStore",
}

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")
needs_go = pytest.mark.skipif(
    shutil.which("go") is None, reason="NOT CHECKED: the CRDs come from Go modules, and go is not on PATH"
)


def copied(folder: Path) -> Path:
    for part in ("infra/gitops", "infra/platform", "kserve"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as somebody has it who configured it."""
    root = copied(tmp_path_factory.mktemp("repository"))
    configure(IMAGES, DOMAIN, REPOSITORY, REVISION, root)
    return root


@pytest.fixture(scope="module")
def ours(repository: Path) -> dict[str, list[Object]]:
    """What each Application applies that needs nothing but this repository."""
    return {each.name: rendered(each, repository) for each in local(repository) if each.name != "kserve"}


@pytest.fixture(scope="module")
def kserve(repository: Path) -> list[Object]:
    """What the Application of KServe applies; its release comes from the Go module instead of from GitHub."""
    folder = repository / "infra/gitops/kserve"
    file = folder / "kustomization.yaml"
    [remote] = re.findall(r"https://github\.com/kserve/kserve//(\S+)\?ref=(\S+)", file.read_text())
    here = os.path.relpath(module("github.com/kserve/kserve", remote[1]) / remote[0], folder)
    file.write_text(re.sub(r"https://github\.com/kserve/kserve//\S+", here, file.read_text()))
    return in_order(build(folder))


@pytest.fixture(scope="module")
def upstream() -> dict[str, list[Object]]:
    """What the Applications apply that come from others' repositories: from the Go modules, which are those, by tag."""
    made = {}
    for each in applications():
        source = each.spec["source"]
        if not each.local and "chart" not in source:
            name = source["repoURL"].removeprefix("https://github.com/")
            served = "sigs.k8s.io/gateway-api" if each.name == "gateway-api" else f"github.com/{name}"
            made[each.name] = in_order(of_others(module(served, source["targetRevision"]) / source["path"]))
    return made


def local(root: Path) -> list[Application]:
    return [each for each in applications(root) if each.local]


def key(found: Object) -> tuple[str, str, str, str]:
    metadata = found["metadata"]
    group = found["apiVersion"].rpartition("/")[0]
    return group, found["kind"], metadata.get("namespace", ""), metadata["name"]


def bare(found: Object) -> Object:
    """The object without what is said to Argo CD alone."""
    metadata = dict(found["metadata"])
    notes = {name: text for name, text in metadata.pop("annotations", {}).items() if "argocd.argoproj.io" not in name}
    return {**found, "metadata": metadata | ({"annotations": notes} if notes else {})}


def installed() -> list[Object]:
    """Everything that `python -m infra.platform install` applies."""
    objects = platform_objects(IMAGES, DOMAIN)
    for name in tenants():
        objects += substitute(build(ROOT / "kserve/tenants" / name), {}, DOMAIN)
    return objects


def values(found: Any, name: str) -> Iterator[Any]:
    if isinstance(found, dict):
        for each, part in found.items():
            if each == name:
                yield part
            yield from values(part, name)
    elif isinstance(found, list):
        for part in found:
            yield from values(part, name)


@needs_go
def test_everything_that_the_installer_applies_is_in_exactly_one_application_and_the_same(
    ours: dict[str, list[Object]], kserve: list[Object]
) -> None:
    everything = [found for objects in ours.values() for found in objects] + kserve
    assert [each for each, times in Counter(map(key, everything)).items() if times > 1] == []
    applied = {key(found): bare(found) for found in everything}
    settings = ("", "ConfigMap", "kserve", "inferenceservice-config")
    for found in installed():
        if key(found) == settings:
            # KServe's own, of which three keys are ours.
            assert found["data"].items() <= applied[settings]["data"].items()
        else:
            assert applied[key(found)] == found
    # And nothing else, but where credentials come from.
    more = {key(found)[:2] for objects in ours.values() for found in objects} - {key(each)[:2] for each in installed()}
    assert more == {("external-secrets.io", "ClusterSecretStore"), ("external-secrets.io", "ExternalSecret")}


@needs_go
def test_kserve_is_the_release_that_the_node_runs_by_tag(kserve: list[Object]) -> None:
    versions = {each.name: each.version for each in components.load()}
    [deployment] = [found for found in kserve if found["kind"] == "Deployment"]
    [manager] = [each for each in deployment["spec"]["template"]["spec"]["containers"] if each["name"] == "manager"]
    assert manager["image"] == f"kserve/kserve-controller:{versions['kserve']}"


def test_the_versions_of_others_are_those_that_the_node_runs_or_the_tests_read() -> None:
    versions = {each.name: each.version for each in components.load()}
    pinned = {each.name: each.spec["source"]["targetRevision"] for each in applications() if not each.local}
    assert pinned["gateway-api"] == versions["gateway-api"]
    assert pinned["prometheus-operator"] == versions["prometheus-operator"]
    assert f"v{pinned['external-secrets']}" == EXTERNAL_SECRETS[1]


@needs_go
def test_every_namespace_and_every_kind_is_there_before_what_needs_it(
    repository: Path, ours: dict[str, list[Object]], kserve: list[Object], upstream: dict[str, list[Object]]
) -> None:
    """An Application starts when the wave before it is healthy, so the order of waves is the order of objects."""
    objects = ours | upstream | {"kserve": kserve}
    # Charts, which nothing here can render, are taken for the kinds that they bring.
    charts = {"cert-manager": "cert-manager.io", "external-secrets": "external-secrets.io"}
    namespaces = {"default", "kube-system", "argocd"}
    served = {"", "apps", "batch", "policy", "argoproj.io", "apiextensions.k8s.io"}
    served |= {f"{each}.k8s.io" for each in ("rbac.authorization", "networking", "admissionregistration")}
    unordered: list[str] = []
    ordered = applications(repository)
    for wave in sorted({each.wave for each in ordered}):
        before = set(served)
        for each in (other for other in ordered if other.wave == wave):
            if "chart" in each.spec["source"]:
                served.add(charts[each.name])
                continue
            namespaces.add(each.spec["destination"].get("namespace", ""))
            known = set(before)
            for found in objects[each.name]:
                group, kind, namespace, name = key(found)
                if group not in known:
                    unordered.append(f"{each.name}: {kind} {name} before its kind")
                if namespace and namespace not in namespaces:
                    unordered.append(f"{each.name}: {kind} {name} before namespace {namespace}")
                if kind == "Namespace":
                    namespaces.add(name)
                if kind == "CustomResourceDefinition":
                    known.add(found["spec"]["group"])
                    served.add(found["spec"]["group"])
    assert {each.name for each in ordered} == {*objects, *charts}
    assert unordered == []


def test_within_the_platform_credentials_come_after_namespaces_and_before_workloads(
    ours: dict[str, list[Object]],
) -> None:
    kinds = [found["kind"] for found in ours["platform"]]
    last = max(at for at, kind in enumerate(kinds) if kind == "Namespace")
    secrets = [at for at, kind in enumerate(kinds) if kind in ("ClusterSecretStore", "ExternalSecret")]
    assert last < min(secrets)
    assert max(secrets) < min(at for at, kind in enumerate(kinds) if kind in ("Deployment", "StatefulSet", "CronJob"))


def test_no_object_carries_a_credential(ours: dict[str, list[Object]]) -> None:
    secrets = {key(found)[2:]: found for objects in ours.values() for found in objects if found["kind"] == "Secret"}
    # Two files of settings that prometheus-operator reads from Secrets only; both lie open beside their kustomization.
    settings = {("monitoring", "kubelet"): "kubelet.yaml", ("monitoring", "alertmanager-routing"): "routing.yaml"}
    assert set(secrets) == set(settings)
    for place, file in settings.items():
        [text] = [base64.b64decode(value).decode() for value in secrets[place]["data"].values()]
        assert text == (ROOT / "infra/platform/monitoring" / file).read_text()
    made = [each for each in credentials() if not each.name.startswith("gateway-tls")]
    secret = {value for each in made for value in each.make().values()}
    text = json.dumps(list(ours.values()))
    assert not [value for value in secret if len(value) > 20 and value in text]


def test_every_image_is_named_by_digest_once_it_is_configured(ours: dict[str, list[Object]]) -> None:
    found = list(values(list(ours.values()), "image"))
    assert sorted(set(found)) == sorted(IMAGES.values())


def test_as_it_lies_here_it_names_no_image_that_could_be_pulled() -> None:
    platform = next(each for each in local(ROOT) if each.name == "platform")
    assert set(values(rendered(platform), "image")) == set(IMAGES)


def test_git_names_no_version_and_nothing_that_the_release_controller_makes(ours: dict[str, list[Object]]) -> None:
    moving = {"InferenceService", "HTTPRoute", "HorizontalPodAutoscaler"}
    for objects in ours.values():
        for found in objects:
            assert found["kind"] not in moving
            assert found["kind"] != "ModelRelease" or not [*values(found, "storageUri"), *values(found, "version")]


def test_no_difference_is_ignored_and_every_application_is_applied_and_compared_by_the_api_server(
    repository: Path,
) -> None:
    objects = root_objects(repository)
    assert list(values(objects, "ignoreDifferences")) == []
    specs = [(found["metadata"], found["spec"]) for found in objects if found["kind"] == "Application"]
    specs += [
        (found["spec"]["template"]["metadata"], found["spec"]["template"]["spec"])
        for found in objects
        if found["kind"] == "ApplicationSet"
    ]
    assert len(specs) == 9
    for metadata, spec in specs:
        assert {"ServerSideApply=true", "FailOnSharedResource=true"} <= set(spec["syncPolicy"]["syncOptions"])
        assert metadata["annotations"]["argocd.argoproj.io/compare-options"] == "ServerSideDiff=true"


def test_repository_revision_and_domain_stand_wherever_they_are_needed(repository: Path) -> None:
    objects = root_objects(repository) + build(repository / "infra/gitops/bootstrap")
    text = json.dumps(objects)
    assert "example.com" not in text
    for each in local(repository):
        assert each.spec["source"]["repoURL"] == REPOSITORY
        assert each.spec["source"]["targetRevision"] == REVISION
    projects = [found["spec"] for found in objects if found["kind"] == "AppProject"]
    assert all(REPOSITORY in each["sourceRepos"] for each in projects)


@needs_go
def test_every_object_of_argo_cd_and_external_secrets_is_one_that_its_api_takes(
    repository: Path, ours: dict[str, list[Object]]
) -> None:
    objects = [*root_objects(repository), *build(repository / "infra/gitops/bootstrap")]
    objects += [found for every in ours.values() for found in every]
    objects += build(ROOT / "infra/gitops/secrets/stores/vault")
    assert [said for found in objects if (said := fault(found))] == []


@needs_go
def test_a_misspelt_field_is_found(repository: Path, ours: dict[str, list[Object]]) -> None:
    """The check above can fail."""
    objects = root_objects(repository) + ours["platform"]
    for kind in ("Application", "ApplicationSet", "AppProject", "ExternalSecret", "ClusterSecretStore"):
        found = next(each for each in objects if each["kind"] == kind)
        assert fault({**found, "spec": {**found["spec"], "sourcce": {}}}), kind


def test_a_project_allows_what_its_applications_apply_and_nothing_else(
    repository: Path, ours: dict[str, list[Object]]
) -> None:
    projects = {
        found["metadata"]["name"]: found["spec"] for found in root_objects(repository) if found["kind"] == "AppProject"
    }
    used: dict[str, list[Object]] = {"ferryman": root_objects(repository), "ferryman-tenants": []}
    for each in local(repository):
        used.setdefault(each.spec["project"], []).extend(ours.get(each.name, ()))
    for project in ("ferryman", "ferryman-tenants"):
        for wide, field in ((True, "clusterResourceWhitelist"), (False, "namespaceResourceWhitelist")):
            allowed = {(each["group"], each["kind"]) for each in projects[project][field]}
            applied = {key(found)[:2] for found in used[project] if (found["kind"] in CLUSTER_WIDE) == wide}
            assert allowed == applied, (project, field)
        places = {key(found)[2] for found in used[project]} - {""}
        namespaces = [each["namespace"] for each in projects[project]["destinations"]]
        allow = [each for each in namespaces if not each.startswith("!")]
        deny = [each[1:] for each in namespaces if each.startswith("!")]
        assert all(any(fnmatch.fnmatch(place, each) for each in allow) for place in places)
        assert not any(fnmatch.fnmatch(place, each) for place in places for each in deny)
        assert project != "ferryman" or places == set(allow)
        assert project != "ferryman-tenants" or {*RESERVED, "kube-*"} == set(deny)
    sources = {each.spec["source"]["repoURL"] for each in applications(repository)}
    assert set(projects["ferryman-upstream"]["sourceRepos"]) == sources


def test_the_destination_of_every_application_is_one_that_its_project_allows(repository: Path) -> None:
    """Argo CD refuses an Application that names none, whatever its objects say."""
    found = [each for each in root_objects(repository) if each["kind"] == "AppProject"]
    projects = {each["metadata"]["name"]: each["spec"] for each in found}
    for each in applications(repository):
        places = [place["namespace"] for place in projects[each.spec["project"]]["destinations"]]
        assert any(fnmatch.fnmatch(each.spec["destination"]["namespace"], place) for place in places), each.name


def test_a_new_folder_is_a_new_tenant_with_its_own_host_and_its_own_key(repository: Path, tmp_path: Path) -> None:
    root = copied(tmp_path)
    shutil.copytree(repository / "infra/gitops/cluster", root / "infra/gitops/cluster", dirs_exist_ok=True)
    write_overlay("tenant-new", root / "kserve/tenants")
    found = next(each for each in local(root) if each.name == "tenant-new")
    objects = {each["kind"]: each for each in rendered(found, root)}
    assert objects["ModelRelease"]["spec"]["route"]["hostnames"] == [f"tenant-new.{DOMAIN}"]
    assert objects["ExternalSecret"]["spec"]["dataFrom"] == [{"extract": {"key": "ferryman/tenant-new/s3-reader"}}]
    assert {each["metadata"].get("namespace", "tenant-new") for each in objects.values()} == {"tenant-new"}


def test_a_person_confirms_before_a_namespace_a_release_a_kind_or_data_goes(ours: dict[str, list[Object]]) -> None:
    precious = {"Namespace", "ModelRelease", "CustomResourceDefinition", "StatefulSet"}
    found = [each for objects in ours.values() for each in objects if each["kind"] in precious]
    assert {each["kind"] for each in found} == precious
    for each in found:
        options = each["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
        assert options == "Prune=confirm,Delete=confirm", key(each)


def credentials() -> list[Credential]:
    return [*platform_credentials(DOMAIN), *map(tenant_credential, tenants())]


def test_every_credential_of_the_installer_comes_from_its_own_entry_of_the_store(
    ours: dict[str, list[Object]],
) -> None:
    found = {
        key(each)[2:]: each["spec"] for every in ours.values() for each in every if each["kind"] == "ExternalSecret"
    }
    assert set(found) == {(each.namespace, each.name) for each in credentials()}
    for each in credentials():
        spec = found[each.namespace, each.name]
        assert spec["dataFrom"] == [{"extract": {"key": entry(each)}}]
        template = spec.get("target", {}).get("template", {})
        assert template.get("type", "Opaque") == each.kind
        assert template.get("metadata", {}).get("annotations", {}) == each.annotations


@pytest.mark.parametrize("backend", ["aws", "vault"])
def test_a_store_serves_the_namespaces_that_have_credentials_and_the_tenants(backend: str) -> None:
    [store] = build(ROOT / "infra/gitops/secrets/stores" / backend)
    platform, tenant = store["spec"]["conditions"]
    assert set(platform["namespaces"]) == {each.namespace for each in platform_credentials(DOMAIN)}
    assert tenant["namespaceSelector"]["matchExpressions"] == [{"key": "ferryman.dev/tenant", "operator": "Exists"}]


def test_nobody_in_a_tenant_may_ask_for_a_credential() -> None:
    """The store gives to a tenant's namespace whatever its ExternalSecrets name, so only Git may write those."""
    roles = [each for each in build(ROOT / "infra/platform") if each["kind"] in ("ClusterRole", "Role")]
    assert len(roles) > 5
    groups = {group for role in roles for rule in role["rules"] for group in rule.get("apiGroups", ())}
    assert "external-secrets.io" not in groups
    assert "*" not in groups


def test_values_for_the_store_are_written_once_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "values"
    assert write_credentials(folder, DOMAIN, ["tenant-a"]) == [
        entry(each) for each in (*platform_credentials(DOMAIN), tenant_credential("tenant-a"))
    ]
    before = {file: file.read_text() for file in folder.rglob("*.json")}
    assert all(file.stat().st_mode & 0o077 == 0 for file in [folder, *folder.rglob("*")])
    assert json.loads(before[folder / "ferryman/tenant-a/s3-reader.json"])["AWS_ACCESS_KEY_ID"] == "tenant-a-reader"
    assert write_credentials(folder, DOMAIN, ["tenant-a", "tenant-b"]) == ["ferryman/tenant-b/s3-reader"]
    assert {file: file.read_text() for file in before} == before


def test_configuring_twice_writes_the_same_and_keeps_what_stands_above(tmp_path: Path) -> None:
    root = copied(tmp_path)
    files = configure(IMAGES, DOMAIN, REPOSITORY, REVISION, root)
    texts = [file.read_text() for file in files]
    assert [file.read_text() for file in configure(IMAGES, DOMAIN, REPOSITORY, REVISION, root)] == texts
    assert texts[1].startswith("#")
    assert yaml.safe_load(texts[1])["configurations"] == ["places.yaml"]


@pytest.mark.parametrize("reference", ["minio/minio:latest", "minio/minio@sha256:12", "minio"])
def test_an_image_that_is_not_named_by_digest_is_refused_and_nothing_is_written(tmp_path: Path, reference: str) -> None:
    root = copied(tmp_path)
    settings = root / "infra/gitops/cluster/cluster.env"
    before = settings.read_text()
    with pytest.raises(PlatformError, match="image minio"):
        configure({**IMAGES, "minio": reference}, DOMAIN, REPOSITORY, REVISION, root)
    assert settings.read_text() == before


def test_a_tag_beside_a_digest_says_nothing_and_goes(tmp_path: Path) -> None:
    root = copied(tmp_path)
    digest = "sha256:" + "a" * 64
    configure({**IMAGES, "minio": f"registry.test:5000/minio:v1@{digest}"}, DOMAIN, REPOSITORY, REVISION, root)
    images = yaml.safe_load((root / "infra/gitops/cluster/images/kustomization.yaml").read_text())["images"]
    assert {"name": "minio", "newName": "registry.test:5000/minio", "digest": digest} in images


def test_it_is_applied_by_the_api_server_under_argo_cds_name_and_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "kubectl"
    stand_in.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/given\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(stand_in))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant-a"}}
    apply(Cluster(), [namespace])
    arguments = (tmp_path / "arguments").read_text().split()
    assert {"apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}"} <= set(arguments)
    assert yaml.safe_load((tmp_path / "given").read_text()) == namespace


def test_an_application_that_is_not_ours_is_answered_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "gateway-api"]) == 1
    assert "there are: kserve, platform, policies, tenant-a, tenant-b" in capsys.readouterr().err
    assert main(["render", "policies"]) == 0
    assert "kind: ValidatingAdmissionPolicy" in capsys.readouterr().out
