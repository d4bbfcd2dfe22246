"""The real stack: S3, MLflow, gateway, training, release, predictors."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import boto3
import psutil
import pytest
from conftest import (
    TENANTS,
    Stack,
    assert_reads_what_is_released_and_nothing_else,
    eventually,
    free_ports,
    suspended,
    under_load,
)
from mlflow import MlflowClient

from artifact.names import REFERENCE_FILE
from artifact.reference import Reference
from training.source import load

pytestmark = pytest.mark.timeout(400)


def register_again(stack: Stack) -> int:
    done = stack.run("training", "--sample", "4000")
    assert done.returncode == 0, done.stdout + done.stderr
    return max(int(version.version) for version in client(stack).search_model_versions("name = 'sentiment'"))


def client(stack: Stack) -> MlflowClient:
    return MlflowClient(stack.mlflow, stack.mlflow)


def s3(stack: Stack) -> boto3.client:
    values = dict(line.split(":=", 1) for line in (stack.home / "env").read_text().splitlines())
    keys = {name.split("{")[1]: value.split("}")[0] for name, value in values.items()}
    return boto3.client(
        "s3",
        endpoint_url=keys["AWS_ENDPOINT_URL"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )


def test_both_tenants_answer_over_every_protocol(released: Stack) -> None:
    done = released.run("infra.local", "call", "a great and moving film")
    assert done.returncode == 0, done.stdout
    for protocol in ("V1 REST", "V2 REST", "V2 gRPC"):
        assert done.stdout.count(protocol) == len(TENANTS)
    assert done.stdout.count("positive") == 6


def test_the_registered_version_says_what_passed_the_gate(released: Stack) -> None:
    version = client(released).get_model_version("sentiment", "1")
    assert version.tags["gate.passed"] == "true"
    assert len(version.tags["artifact.digest"]) == len(version.tags["parameters.digest"]) == 64
    eventually(
        lambda: all(f"ferryman.{t}" in client(released).get_model_version("sentiment", "1").tags for t in TENANTS)
    )


def test_the_published_artifact_holds_what_drift_is_measured_against(released: Stack) -> None:
    store = s3(released)
    # Other tests may have put altered copies beside it.
    key = next(
        each["Key"]
        for each in store.list_objects_v2(Bucket="released", Prefix="sentiment/1-")["Contents"]
        if each["Key"].endswith(f"/{REFERENCE_FILE}")
    )
    # A sixth of the rows was held out: enough for a predictor to compare with.
    assert Reference.from_json(store.get_object(Bucket="released", Key=key)["Body"].read().decode()).texts > 500


def test_the_same_data_train_the_same_parameters(released: Stack) -> None:
    version = register_again(released)
    first, second = (client(released).get_model_version("sentiment", str(each)).tags for each in (1, version))
    assert first["parameters.digest"] == second["parameters.digest"]


def test_moving_the_alias_under_load_fails_no_request(released: Stack) -> None:
    version = str(register_again(released))
    with under_load(released) as answers:
        client(released).set_registered_model_alias("sentiment", "champion", version)
        eventually(lambda: all(released.served(tenant) == version for tenant in TENANTS))
        eventually(lambda: all(released.status(tenant)["phase"] == "Stable" for tenant in TENANTS))
    for tenant in TENANTS:
        codes = {code for code, _ in answers[tenant]}
        versions = {served for _, served in answers[tenant]}
        assert codes == {200}, tenant
        assert version in versions
        assert len(versions) == 2


def test_a_version_that_did_not_pass_the_gate_is_neither_promoted_nor_released(released: Stack, tmp_path: Path) -> None:
    shuffled = tmp_path / "shuffled.parquet"
    reviews = load(None).frame.sample(4000, random_state=0)
    reviews.assign(label=reviews["label"].sample(frac=1, random_state=1).to_numpy()).to_parquet(shuffled)
    done = released.run("training", "--data", str(shuffled))
    assert done.returncode == 0, done.stderr
    assert "not passed" in done.stdout
    version = max(int(each.version) for each in client(released).search_model_versions("name = 'sentiment'"))
    promoted = released.run("registry", "promote", "--version", str(version))
    assert (promoted.returncode, "did not pass the gate" in promoted.stderr) == (1, True)
    before = released.served("tenant-a")
    champion = client(released).get_model_version_by_alias("sentiment", "champion").version
    client(released).set_registered_model_alias("sentiment", "champion", str(version))
    try:
        eventually(lambda: released.status("tenant-a")["phase"] == "Rejected")
        assert "did not pass the gate" in str(released.status("tenant-a")["message"])
        assert released.served("tenant-a") == before
        eventually(
            lambda: (
                "rejected" in client(released).get_model_version("sentiment", str(version)).tags["ferryman.tenant-a"]
            )
        )
    finally:
        client(released).set_registered_model_alias("sentiment", "champion", champion)
    eventually(lambda: released.status("tenant-a")["phase"] == "Stable")


@pytest.mark.slow
def test_an_artifact_that_was_altered_after_it_was_signed_is_refused(released: Stack) -> None:
    version = register_again(released)
    # Whichever champion other tests have left, what is refused here must be the altered bytes.
    signed = released.run("registry", "sign", "--version", str(version), "--override", "a test")
    assert signed.returncode == 0, signed.stderr
    uri = client(released).get_model_version_download_uri("sentiment", str(version))
    prefix = uri.removeprefix("mlflow-artifacts:/")
    s3(released).put_object(Bucket="mlflow", Key=f"{prefix}/requirements.txt", Body=b"altered")
    champion = client(released).get_model_version_by_alias("sentiment", "champion").version
    client(released).set_registered_model_alias("sentiment", "champion", str(version))
    try:
        eventually(lambda: "is not what was signed" in str(released.status("tenant-b")["message"]))
        assert released.served("tenant-b") == champion
    finally:
        client(released).set_registered_model_alias("sentiment", "champion", champion)
    eventually(lambda: released.status("tenant-b")["phase"] == "Stable")


def test_bad_data_stops_the_job_with_a_report_and_registers_nothing(released: Stack, tmp_path: Path) -> None:
    def versions() -> int:
        return len(client(released).search_model_versions("name = 'sentiment'"))

    blank = tmp_path / "blank.csv"
    blank.write_text("text,label\n" + "\n".join(f'"{"" if i % 2 else f"film {i}"}",{i % 2}' for i in range(3000)))
    before = versions()
    done = released.run("training", "--data", str(blank))
    assert done.returncode == 2, done.stderr
    assert "critical" in done.stderr
    assert versions() == before
    experiment = client(released).get_experiment_by_name("sentiment").experiment_id
    run = client(released).search_runs([experiment], order_by=["attributes.start_time DESC"], max_results=1)[0]
    assert run.info.status == "FAILED"
    report = released.home.parent / "report"
    report.mkdir()
    page = Path(client(released).download_artifacts(run.info.run_id, "data_checks.html", str(report))).read_text()
    assert "<html" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_missing_column_is_named(released: Stack, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("review,label\ngood,1\n")
    done = released.run("training", "--data", str(tmp_path / "x.csv"))
    assert (done.returncode, "text" in done.stderr, "review" in done.stderr) == (2, True, True)
    assert "Traceback" not in done.stderr


def test_the_predictors_keys_read_what_is_released_and_nothing_else(released: Stack) -> None:
    environment = psutil.Process(next(p.pid for p in psutil.process_iter() if is_predictor(p, released))).environ()
    reader = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    assert_reads_what_is_released_and_nothing_else(reader)


def supervised(process: psutil.Process, stack: Stack) -> bool:
    try:
        return process.environ().get("FERRYMAN_SUPERVISED") == str(stack.home)
    except psutil.Error:
        return False


def is_predictor(process: psutil.Process, stack: Stack) -> bool:
    return supervised(process, stack) and "inference" in process.cmdline()


def test_everything_listens_on_loopback_only(released: Stack) -> None:
    ours = {process.pid for process in psutil.process_iter() if supervised(process, released)}
    listening = [
        each for each in psutil.net_connections("inet") if each.pid in ours and each.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 10
    # Go reports IPv4 on a dual-stack socket in its mapped form.
    assert {each.laddr.ip.removeprefix("::ffff:") for each in listening} <= {"127.0.0.1", "::1"}


def test_a_second_up_changes_nothing(released: Stack) -> None:
    before = released.pid("mlflow")
    again = released.run("infra.local", "up")
    assert (again.returncode, "Already running." in again.stdout) == (0, True), again.stderr
    assert released.pid("mlflow") == before


def test_tenants_go_on_answering_while_mlflow_and_s3_are_down(released: Stack) -> None:
    version = released.served("tenant-a")
    for name in ("mlflow", "s3"):
        with suspended(released, name):
            for tenant in TENANTS:
                assert released.served(tenant) == version, name
    eventually(lambda: released.run("infra.local", "status").returncode == 0)


def test_a_predictor_that_is_killed_comes_back(released: Stack) -> None:
    name = next(
        row for row in released.run("infra.local", "status").stdout.split() if row.startswith("predictor-tenant-a")
    )
    os.kill(released.pid(name), signal.SIGKILL)
    eventually(lambda: released.served("tenant-a"))


@pytest.mark.slow
def test_data_and_tenants_survive_down_and_up_even_after_the_supervisor_was_killed(released: Stack) -> None:
    version = released.served("tenant-b")
    supervisor = psutil.Process(psutil.Process(released.pid("gateway")).ppid())
    supervisor.kill()
    supervisor.wait(10)
    up = released.run("infra.local", "up")
    assert (up.returncode, "left behind" in up.stdout) == (0, True), up.stderr
    eventually(lambda: all(released.served(tenant) == version for tenant in TENANTS))
    assert released.run("infra.local", "down").returncode == 0
    assert released.run("infra.local", "down").stdout.startswith("Nothing was running.")
    assert released.run("infra.local", "up").returncode == 0
    eventually(lambda: all(released.served(tenant) == version for tenant in TENANTS))


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    other = Stack(tmp_path / "home")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(other.environment["FERRYMAN_MLFLOW_PORT"])))
        taken.listen()
        up = other.run("infra.local", "up")
    assert up.returncode == 1
    for part in ("mlflow", "is taken by", "FERRYMAN_MLFLOW_PORT="):
        assert part in up.stderr


@pytest.mark.slow
def test_a_server_that_dies_at_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    other = Stack(tmp_path / "home")
    up = other.run("infra.local", "up", MLFLOW_BACKEND_STORE_URI="nonsense://x")
    try:
        assert (up.returncode, "mlflow ended at start" in up.stderr) == (1, True), up.stderr
    finally:
        assert other.run("infra.local", "down").returncode == 0


def test_without_a_registry_training_says_what_to_do(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    other = Stack(tmp_path / "home")
    done = other.run("training", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{port}")
    assert (done.returncode, "make up" in done.stderr, "Traceback" in done.stderr) == (3, True, False)
