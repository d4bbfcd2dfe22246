"""The Terraform code: its form, what it refuses, and the EKS environment applied to an AWS on loopback.

By Terraform, and again by OpenTofu. Each finds its provider as it is configured on this machine; where one of them, or
the provider, is not to be had, its tests are skipped and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import eventually, free_ports
from schemas import fault

from artifact import PublishedArtifact, Statement, Trust, tree_digest, verify_signed
from infra.local.secret import prepare_signing, signing_key, trusted_keys
from infra.platform.manifests import ROOT
from infra.platform.object_store import reader_policy
from infra.platform.tenant import TENANTS
from registry.publish import _copy
from registry.signing import SigningKey, sign_folder
from registry.storage import s3_client

HERE = Path(__file__).parent
LOCK = ROOT / "requirements" / "terraform.txt"
NOT_TO_BE_HAD = (
    "Failed to query available provider packages",
    "Failed to install provider",
    "could not query provider",
)
SERVICES = ("ec2", "eks", "events", "iam", "kms", "logs", "s3", "sqs", "sts")
ACCOUNT = "123456789012"
BUCKET = f"ferryman-{ACCOUNT}-eu-central-1"
# Moto gives a launch template's tags back as one of its specifications, so its next version is always due, and with it
# the nodes'.
MOTO = {"module.eks.aws_launch_template.node": ["update"], "module.eks.aws_eks_node_group.system": ["update"]}

Document = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """Terraform or OpenTofu."""

    name: str

    def __call__(self, place: Path, *arguments: str, good: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [self.name, f"-chdir={place}", *arguments],
            env={**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_ARGS": "-no-color"},
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        if arguments[0] == "init" and any(words in done.stderr for words in NOT_TO_BE_HAD):
            pytest.skip(f"NOT RUN: {self.name} finds no provider hashicorp/aws here: {done.stderr.strip()[-300:]}")
        assert done.returncode in good, done.stdout + done.stderr
        return done.stdout

    def lock(self) -> tuple[str, ...]:
        """How `init` is held to the lock file, whose hashes are those of Terraform's registry."""
        return ("-lockfile=readonly",) if self.name == "terraform" else ()


@pytest.fixture(scope="module", params=["terraform", "tofu"])
def program(request: pytest.FixtureRequest) -> Program:
    if shutil.which(request.param) is None:
        pytest.skip(f"NOT RUN: {request.param} is not on PATH")
    return Program(request.param)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, program: Program) -> Path:
    """A copy, so that nothing that a program writes lies in the repository. Returns its environments."""
    copy = tmp_path_factory.mktemp(program.name)
    without = shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*", "*.auto.tfvars")
    for folder in ("infra", "kserve"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=without)
    return copy / "infra" / "terraform" / "environments"


@pytest.fixture(scope="module")
def eks(tree: Path, program: Program) -> Path:
    program(tree / "eks", "init", "-backend=false", "-input=false", *program.lock())
    return tree / "eks"


@pytest.fixture(scope="module")
def tools() -> Path:
    """An environment with moto and checkov, from their lock. Returns its programs' folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ferryman" / "terraform-tools"
    made = cache / "made"
    if not (made.exists() and made.read_text() == LOCK.read_text()):
        uv = str(Path(sys.prefix) / "bin" / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(cache)], check=True)
        command = [uv, "pip", "sync", "--quiet", "--require-hashes", str(LOCK)]
        subprocess.run(command, check=True, env={**os.environ, "VIRTUAL_ENV": str(cache)})
        made.write_text(LOCK.read_text())
    return cache / "bin"


def test_every_file_is_formatted(program: Program) -> None:
    program(ROOT / "infra" / "terraform", "fmt", "-check", "-recursive")


def test_the_default_tenants_are_those_that_have_files() -> None:
    variables = (ROOT / "infra" / "terraform" / "environments" / "eks" / "variables.tf").read_text()
    for tenant in sorted(path.parent.name for path in TENANTS.glob("*/kustomization.yaml")):
        assert f'{tenant} = ["sentiment"]' in variables


def test_kind_makes_the_cluster_first_and_then_the_platform_in_it(tree: Path, program: Program) -> None:
    program(tree / "kind", "init", "-input=false")
    program(tree / "kind", "validate")
    program(tree / "kind", "plan", "-input=false", "-out=plan")
    plan = json.loads(program(tree / "kind", "show", "-json", "plan"))
    made = {each["address"]: each["change"]["actions"] for each in plan["resource_changes"]}
    first, second = "module.cluster.terraform_data.this", "module.platform.terraform_data.this"
    assert made == {first: ["create"], second: ["create"]}
    calls = plan["configuration"]["root_module"]["module_calls"]["platform"]["expressions"]
    assert calls["images"]["references"][0] == "module.cluster.images"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_what_is_wrong_is_refused_and_plans_say_what_they_should(eks: Path, program: Program) -> None:
    program(eks, "validate")
    assert "6 passed, 0 failed" in program(eks, "test")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_checkov_finds_nothing_that_is_not_waived_with_a_reason(tools: Path) -> None:
    done = subprocess.run(
        [
            *(str(tools / "checkov"), "--directory", str(ROOT / "infra" / "terraform"), "--framework", "terraform"),
            *("--compact", "--quiet", "--skip-download", "--output", "json"),
        ],
        env={**os.environ, "BC_SKIP_MAPPING": "TRUE"},
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
    )
    summary = json.loads(done.stdout)["summary"]
    assert (summary["failed"], summary["parsing_errors"]) == (0, 0), done.stdout
    assert summary["passed"] > 200


@dataclass(frozen=True)
class Applied:
    """What came of an apply: resources by address, outputs, and what a second plan would change."""

    resources: dict[str, Document]
    outputs: Document
    again: dict[str, list[str]]

    def policy(self, role: str) -> list[Document]:
        """The statements of a role's own policy."""
        found = self.resources[f"{role}.aws_iam_role_policy.this[0]"]["policy"]
        return list(json.loads(found)["Statement"])

    def manifests(self) -> dict[tuple[str, str], Document]:
        found = yaml.safe_load_all(self.outputs["manifests"]["value"])
        return {(each["kind"], each["metadata"]["name"]): each for each in found if each}


def _resources(module: Document) -> Iterator[tuple[str, Document]]:
    for found in module.get("resources", ()):
        if found["mode"] == "managed":
            yield found["address"], found["values"]
    for child in module.get("child_modules", ()):
        yield from _resources(child)


@contextmanager
def aws_on_loopback(tools: Path, port: int) -> Iterator[None]:
    with subprocess.Popen(
        [str(tools / "python"), str(HERE / "terraform" / "aws.py"), str(port)],
        env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            eventually(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None, seconds=120)
            yield
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def applied(eks: Path, tools: Path, program: Program) -> Applied:
    """The EKS environment, made in moto, with a pool of GPU nodes and an open API server."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    override = {
        "terraform": {"backend": {"local": {}}},
        "provider": {
            "aws": {
                "region": "${var.region}",
                "access_key": "test",
                "secret_key": "test",
                "skip_credentials_validation": True,
                "skip_metadata_api_check": True,
                "s3_use_path_style": True,
                "endpoints": [dict.fromkeys(SERVICES, url)],
            }
        },
    }
    (eks / "loopback_override.tf.json").write_text(json.dumps(override))
    asked = {
        "region": "eu-central-1",
        "admins": [f"arn:aws:iam::{ACCOUNT}:role/platform"],
        "api_cidrs": ["203.0.113.7/32"],
        "gpu_limit": 2,
        "tags": {"team": "search"},
    }
    (eks / "asked.auto.tfvars.json").write_text(json.dumps(asked))
    with aws_on_loopback(tools, port):
        program(eks, "init", "-reconfigure", "-input=false")
        program(eks, "apply", "-input=false", "-auto-approve")
        state = json.loads(program(eks, "show", "-json"))["values"]
        program(eks, "plan", "-input=false", "-out=again", "-detailed-exitcode", good=(0, 2))
        again = json.loads(program(eks, "show", "-json", "again"))
    changes = {
        each["address"]: each["change"]["actions"] for each in again["resource_changes"] if each["mode"] == "managed"
    }
    return Applied(
        dict(_resources(state["root_module"])),
        state["outputs"],
        {address: actions for address, actions in changes.items() if actions != ["no-op"]},
    )


def _one(resources: dict[str, Document], kind: str) -> Document:
    [found] = [values for address, values in resources.items() if f".{kind}." in address]
    return found


slow = pytest.mark.slow
long = pytest.mark.timeout(1800)


@slow
@long
def test_a_second_plan_changes_nothing_but_what_moto_forgets(applied: Applied) -> None:
    assert {address: actions for address, actions in applied.again.items() if MOTO.get(address) != actions} == {}


@slow
@long
def test_a_tenant_reads_the_published_artifacts_of_its_models_and_nothing_else(applied: Applied) -> None:
    allowed = [each for each in applied.policy('module.storage.module.reader["tenant-a"]') if each["Sid"] != "Decrypt"]
    # MinIO's user of a tenant may the same, in a bucket of its own name.
    minio = json.dumps(reader_policy(["sentiment"])["Statement"]).replace(
        "arn:aws:s3:::released/", f"arn:aws:s3:::{BUCKET}/released/"
    )
    expected = json.loads(
        minio.replace('"arn:aws:s3:::released"', f'"arn:aws:s3:::{BUCKET}"').replace(
            '"sentiment/*"', '"released/sentiment/*"'
        )
    )
    assert [_plain(each) for each in allowed] == [_plain(each) for each in expected]
    trust = json.loads(
        applied.resources['module.storage.module.reader["tenant-a"].aws_iam_role.this']["assume_role_policy"]
    )
    assert trust["Statement"][0]["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-name": "ferryman",
        "aws:RequestTag/kubernetes-namespace": "tenant-a",
        "aws:RequestTag/kubernetes-service-account": "predictor",
    }


def _plain(statement: Document) -> Document:
    """A statement with a list wherever one word may stand alone."""
    made = {key: [value] if isinstance(value, str) else value for key, value in statement.items() if key != "Sid"}
    for test in made.get("Condition", {}).values():
        test |= {key: [value] if isinstance(value, str) else value for key, value in test.items()}
    return made


@slow
@long
def test_nobody_in_the_cluster_may_delete_a_published_artifact(applied: Applied) -> None:
    for role in ("publisher", "registry"):
        for each in applied.policy(f"module.storage.module.{role}"):
            deletes = any("Delete" in action or "*" in action for action in _plain(each)["Action"])
            assert not deletes or _plain(each)["Resource"] == [f"arn:aws:s3:::{BUCKET}/mlflow/*"]


@slow
@long
def test_the_bucket_is_versioned_encrypted_closed_and_reached_over_tls_only(applied: Applied) -> None:
    found = applied.resources
    assert _one(found, "aws_s3_bucket_versioning")["versioning_configuration"][0]["status"] == "Enabled"
    block = _one(found, "aws_s3_bucket_public_access_block")
    assert all(block[key] for key in block if key.startswith(("block_", "ignore_", "restrict_")))
    [denied] = json.loads(_one(found, "aws_s3_bucket_policy")["policy"])["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    rule = _one(found, "aws_s3_bucket_server_side_encryption_configuration")["rule"][0]
    assert (
        rule["apply_server_side_encryption_by_default"][0]["kms_master_key_id"]
        == found["module.storage.aws_kms_key.this"]["arn"]
    )
    assert all(found[f"module.{name}.aws_kms_key.this"]["enable_key_rotation"] for name in ("storage", "eks"))


@slow
@long
def test_the_api_server_is_open_to_the_given_addresses_and_its_secrets_are_encrypted(applied: Applied) -> None:
    cluster = applied.resources["module.eks.aws_eks_cluster.this"]
    assert cluster["vpc_config"][0]["public_access_cidrs"] == ["203.0.113.7/32"]
    assert cluster["vpc_config"][0]["endpoint_private_access"]
    assert cluster["encryption_config"][0]["resources"] == ["secrets"]
    assert len(cluster["enabled_cluster_log_types"]) == 5
    assert cluster["access_config"][0]["bootstrap_cluster_creator_admin_permissions"] is False


@slow
@long
def test_nodes_are_private_and_their_metadata_is_out_of_a_pods_reach(applied: Applied) -> None:
    private = {values["id"] for address, values in applied.resources.items() if ".aws_subnet.private" in address}
    assert set(applied.resources["module.eks.aws_eks_node_group.system"]["subnet_ids"]) == private
    options = applied.resources["module.eks.aws_launch_template.node"]["metadata_options"][0]
    assert (options["http_tokens"], options["http_put_response_hop_limit"]) == ("required", 1)
    node_class = applied.manifests()["EC2NodeClass", "default"]["spec"]
    assert node_class["metadataOptions"] == {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    assert {each["id"] for each in node_class["subnetSelectorTerms"]} == private


@slow
@long
def test_a_gpu_node_comes_for_who_asks_for_a_gpu_up_to_the_limit_and_goes_when_empty(applied: Applied) -> None:
    spec = applied.manifests()["NodePool", "gpu"]["spec"]
    assert spec["limits"] == {"nvidia.com/gpu": "2"}
    assert spec["template"]["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    assert spec["disruption"]["consolidationPolicy"] == "WhenEmpty"


@slow
@long
def test_karpenter_ends_and_starts_only_what_has_this_clusters_tags(applied: Applied) -> None:
    changing = [
        each
        for each in applied.policy("module.karpenter.module.controller")
        if each["Sid"] in ("StartFromOwnTemplate", "StartTagged", "TagAtStart", "TagLater", "EndOwn")
    ]
    assert len(changing) == 5
    for each in changing:
        assert "kubernetes.io/cluster/ferryman" in json.dumps(each["Condition"]), each["Sid"]
    everywhere = [
        each["Sid"] for each in applied.policy("module.karpenter.module.controller") if each["Resource"] == "*"
    ]
    assert sorted(everywhere) == ["See", "SeePricesAndProfiles"]


@slow
@long
def test_everything_that_takes_tags_has_ours(applied: Applied) -> None:
    ours = {"project": "ferryman", "environment": "ferryman", "managed-by": "terraform", "team": "search"}
    tagged = {address: values["tags_all"] for address, values in applied.resources.items() if "tags_all" in values}
    assert len(tagged) > 40
    assert [address for address, tags in tagged.items() if not ours.items() <= (tags or {}).items()] == []


@slow
@long
def test_the_manifests_are_what_kubernetes_and_karpenter_take(applied: Applied) -> None:
    found = applied.manifests()
    assert {kind for kind, _ in found} == {"StorageClass", "EC2NodeClass", "NodePool"}
    assert [said for said in map(fault, found.values()) if said] == []


@slow
@long
def test_the_next_commands_name_what_was_made(applied: Applied) -> None:
    said = applied.outputs["next"]["value"]
    assert f"--s3 {BUCKET} --s3-region eu-central-1 --s3-cidrs " in said
    assert "interruptionQueue=ferryman-karpenter" in said
    assert applied.outputs["bucket"]["value"] == BUCKET


@slow
@long
def test_the_publisher_and_a_pod_use_one_bucket_as_the_roles_have_it(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [port] = free_ports(1)
    prepare_signing(tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.skops").write_bytes(b"weights")
    place = PublishedArtifact.of("sentiment", 7, tree_digest(folder))
    told = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "FERRYMAN_S3_BUCKET": BUCKET,
        "FERRYMAN_SIGNING_KEY": str(signing_key(tmp_path)),
        "FERRYMAN_TRUSTED_KEYS": str(trusted_keys(tmp_path)),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    sign_folder(
        folder, Statement("sentiment", 7, tree_digest(folder), True, "ok", {}, None), SigningKey.from_environment()
    )
    keys = verify_signed(folder, place, Trust.from_environment()).keys
    with aws_on_loopback(tools, port):
        s3 = s3_client()
        s3.create_bucket(Bucket=BUCKET)
        for _ in range(2):
            _copy(s3, folder, place, keys)
        held = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert all(key.startswith("released/sentiment/7-") for key in held)
        command = [sys.executable, "-m", "inference.initializer", place.uri, str(tmp_path / "pod")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pod" / "artifact" / "model.skops").read_bytes() == b"weights"
