"""What whoever writes to MLflow can and cannot do: the real MLflow and S3, real keys."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from conftest import Stack
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from artifact import PublishedArtifact, Reason, RefusedError, Trust, verify_signed
from artifact.reference import MEASURES, Distribution, Reference
from registry import keys
from registry.__main__ import main
from registry.client import RegisteredVersion, Registry
from registry.gate import GateResult
from registry.publish import Publication, PublishRefusedError, publish
from registry.signing import SigningError, SigningKey, sign_again, sign_passed
from registry.storage import s3_client
from training import tracking
from training.__main__ import main as training

PASSED = GateResult(True, "above every floor", {"accuracy": 0.9})
UNMEASURED = Reference(dict.fromkeys(MEASURES, Distribution([], [0])))


@dataclass
class Publisher:
    """The gate and the publisher of the stack, and the hands of whoever may write to MLflow."""

    key: SigningKey
    trusted: Path
    registry: Registry
    client: MlflowClient
    s3: Any
    scratch: Path

    def register(self, model: str, content: str = "weights", *, passed: bool = True) -> RegisteredVersion:
        """Register a version as the training job does; one that passed is signed."""
        folder = Path(self.scratch / f"{model}-{content}-{len(list(self.scratch.iterdir()))}")
        folder.mkdir()
        (folder / "model.skops").write_text(content)
        (folder / "MLmodel").write_text("flavors: {}")
        experiment = self.client.get_experiment_by_name("Default").experiment_id
        logged = self.client.create_logged_model(experiment, "model")
        self.client.log_model_artifacts(logged.model_id, str(folder))
        self.client.finalize_logged_model(logged.model_id, "READY")
        with suppress(MlflowException):
            self.client.create_registered_model(model)
        made = self.client.create_model_version(model, logged.model_uri, model_id=logged.model_id)
        version = self.registry.get(model, int(made.version))
        if passed:
            sign_passed(self.registry, version, folder, PASSED, self.key)
        return self.registry.get(model, version.version)

    def publish(self, version: RegisteredVersion) -> Publication:
        return publish(self.registry, self.s3, version, Trust.load(self.trusted))

    def refused(self, version: RegisteredVersion) -> Reason:
        with pytest.raises(PublishRefusedError) as caught:
            self.publish(version)
        assert self.released(version) == []
        return caught.value.reason

    def released(self, version: RegisteredVersion) -> list[str]:
        prefix = f"{version.model}/{version.version}-"
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket="released", Prefix=prefix).get("Contents", [])]

    def write(self, version: RegisteredVersion, name: str, body: bytes) -> None:
        """Write into MLflow's artifact store."""
        uri = self.client.get_model_version_download_uri(version.model, str(version.version))
        self.s3.put_object(Bucket="mlflow", Key=f"{uri.removeprefix('mlflow-artifacts:/')}/{name}", Body=body)

    def initialize(self, place: PublishedArtifact, folder: Path) -> Path:
        """Download what is published, as a pod does."""
        for each in self.s3.list_objects_v2(Bucket="released", Prefix=place.prefix)["Contents"]:
            path = folder / each["Key"].removeprefix(place.prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.s3.download_file("released", each["Key"], str(path))
        return folder


@pytest.fixture
def publisher(released: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """The stack's own services, with a copy of its keys: a revocation here must not reach its tenants.

    Version 1 is the one that the tenants serve, for who comes later.
    """
    for line in (released.home / "env").read_text().splitlines():
        name, _, value = line.removeprefix(': "${').partition(":=")
        monkeypatch.setenv(name, value.partition("}")[0])
    trusted = shutil.copytree(released.home / "trust", tmp_path / "trust")
    key = Path(shutil.copy(released.home / "signing-key.pem", tmp_path / "key.pem"))
    monkeypatch.setenv("FERRYMAN_SIGNING_KEY", str(key))
    (tmp_path / "scratch").mkdir()
    return Publisher(
        SigningKey.from_environment(),
        trusted,
        Registry(),
        MlflowClient(released.mlflow, released.mlflow),
        s3_client(),
        tmp_path / "scratch",
    )


def test_what_is_published_is_what_was_verified_and_a_second_time_nothing_is_written(
    publisher: Publisher, tmp_path: Path
) -> None:
    version = publisher.register("published")
    published = publisher.publish(version)
    assert published.digest.startswith(published.place.digest12)
    before = publisher.s3.list_objects_v2(Bucket="released", Prefix=published.place.prefix)["Contents"]
    assert publisher.publish(version) == published
    after = publisher.s3.list_objects_v2(Bucket="released", Prefix=published.place.prefix)["Contents"]
    assert [(each["Key"], each["LastModified"]) for each in after] == [(e["Key"], e["LastModified"]) for e in before]
    folder = publisher.initialize(published.place, tmp_path / "pod")
    assert verify_signed(folder, published.place, Trust.load(publisher.trusted)).statement.digest == published.digest


def test_forged_tags_release_nothing(publisher: Publisher) -> None:
    version = publisher.register("forged", passed=False)
    assert publisher.refused(version) == Reason.GATE_NOT_PASSED
    publisher.registry.set_tags("forged", version.version, {"gate.passed": "true"})
    assert publisher.refused(publisher.registry.get("forged", version.version)) == Reason.UNSIGNED
    publisher.registry.set_tags("forged", version.version, {"signature.key": publisher.key.id})
    assert publisher.refused(publisher.registry.get("forged", version.version)) == Reason.UNSIGNED


def test_one_altered_byte_in_mlflow_is_refused(publisher: Publisher) -> None:
    version = publisher.register("altered", "weights")
    publisher.write(version, "model.skops", b"weightz")
    assert publisher.refused(version) == Reason.ALTERED


def test_the_signature_of_another_model_or_version_is_refused(publisher: Publisher) -> None:
    good = publisher.register("other")
    for model, reason in (("other", Reason.WRONG_VERSION), ("another", Reason.WRONG_MODEL)):
        with suppress(MlflowException):
            publisher.client.create_registered_model(model)
        source = publisher.client.get_model_version("other", str(good.version)).source
        made = publisher.client.create_model_version(model, source, model_id=source.removeprefix("models:/"))
        publisher.registry.set_tags(model, int(made.version), {"signature.key": publisher.key.id})
        version = publisher.registry.get(model, int(made.version))
        assert publisher.refused(version) == reason
        with pytest.raises(SigningError, match="share one logged model"):
            sign_again(publisher.registry, version, publisher.key, Trust.load(publisher.trusted), "please")
    assert publisher.publish(good).place.version == good.version


def test_an_older_signed_version_may_come_back_until_its_digest_is_revoked(publisher: Publisher) -> None:
    old, new = publisher.register("older", "old"), publisher.register("older", "new")
    publisher.client.set_registered_model_alias("older", "champion", str(old.version))
    target = publisher.registry.by_alias("older", "champion")
    assert target is not None
    digest = publisher.publish(target).digest
    keys.revoke(publisher.trusted, digest, "leaks names")
    with pytest.raises(PublishRefusedError, match="leaks names") as refused:
        publisher.publish(target)
    assert refused.value.reason == Reason.REVOKED
    with pytest.raises(SigningError, match="revoked"):
        sign_again(publisher.registry, target, publisher.key, Trust.load(publisher.trusted), "please")
    assert publisher.publish(new).place.version == new.version


def test_the_publisher_never_overwrites_and_a_pod_refuses_what_somebody_else_wrote_there(
    publisher: Publisher, tmp_path: Path
) -> None:
    version = publisher.register("taken", "weights")
    published = publisher.publish(version)
    key = f"{published.place.prefix}model.skops"
    publisher.s3.put_object(Bucket="released", Key=key, Body=b"evil")
    with pytest.raises(PublishRefusedError, match="holds other bytes") as refused:
        publisher.publish(version)
    assert refused.value.reason == Reason.PLACE_TAKEN
    assert publisher.s3.get_object(Bucket="released", Key=key)["Body"].read() == b"evil"
    folder = publisher.initialize(published.place, tmp_path / "pod")
    with pytest.raises(RefusedError) as altered:
        verify_signed(folder, published.place, Trust.load(publisher.trusted))
    assert altered.value.reason == Reason.ALTERED


def test_after_a_rotation_a_published_version_gets_a_signature_that_outlives_the_old_key(
    publisher: Publisher, tmp_path: Path
) -> None:
    version = publisher.register("rotated")
    published = publisher.publish(version)
    new = replace(publisher.key, id=keys.rotate(publisher.key, publisher.trusted))
    trust = Trust.load(publisher.trusted)
    assert new.id in sign_again(publisher.registry, version, new, trust, None)
    assert "already" in sign_again(publisher.registry, version, new, trust, None)
    assert publisher.publish(version) == published
    keys.drop(new, publisher.trusted, publisher.key.id)
    folder = publisher.initialize(published.place, tmp_path / "pod")
    assert verify_signed(folder, published.place, Trust.load(publisher.trusted)).keys == (new.id,)


def test_the_gate_signs_what_it_measured_even_if_mlflow_was_written_to_meanwhile(publisher: Publisher) -> None:
    train = pd.DataFrame({"text": ["a film"]})
    pipeline = make_pipeline(FunctionTransformer())
    with tracking.run("swapped") as run:
        uri = run.log_model(pipeline, train, UNMEASURED)
        logged = publisher.client.get_logged_model(uri.removeprefix("models:/"))
        key = f"{logged.artifact_location.removeprefix('mlflow-artifacts:/')}/model.skops"
        original = publisher.s3.get_object(Bucket="mlflow", Key=key)["Body"].read()
        publisher.s3.put_object(Bucket="mlflow", Key=key, Body=b"evil")
        number = run.register(publisher.registry, uri, {}, {"accuracy": 0.9}, PASSED, key=publisher.key)
    version = publisher.registry.get("swapped", number)
    assert publisher.refused(version) == Reason.ALTERED
    publisher.s3.put_object(Bucket="mlflow", Key=key, Body=original)
    assert publisher.publish(version).place.version == number


def test_a_version_that_failed_the_gate_is_not_signed(publisher: Publisher) -> None:
    failed = GateResult(False, "accuracy 0.5 is below 0.7", {})
    version = publisher.register("failed", passed=False)
    with pytest.raises(SigningError, match="did not pass the gate"):
        sign_passed(publisher.registry, version, publisher.scratch, failed, publisher.key)
    with tracking.run("failed") as run:
        uri = run.log_model(make_pipeline(FunctionTransformer()), pd.DataFrame({"text": ["a film"]}), UNMEASURED)
        number = run.register(publisher.registry, uri, {}, {"accuracy": 0.5}, failed, key=publisher.key)
    assert publisher.refused(publisher.registry.get("failed", number)) == Reason.GATE_NOT_PASSED


def test_people_sign_with_a_reason_that_is_recorded_and_not_without(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    version = str(publisher.register("sentiment", passed=False).version)

    def registry(*arguments: str) -> tuple[int, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = registry("promote", "--version", version)
    assert (code, "did not pass the gate" in said) == (1, True)
    publisher.registry.set_tags("sentiment", int(version), {"gate.passed": "true", "signature.key": "0" * 16})
    code, said = registry("promote", "--version", version)
    assert (code, "is not signed" in said) == (1, True)
    code, said = registry("sign", "--version", version)
    assert (code, "--override REASON" in said) == (1, True)
    assert registry("sign", "--version", version, "--override", "a hand-made model")[0] == 0
    code, said = registry("verify", "--version", version)
    assert (code, "override  a hand-made model" in said) == (0, True)
    assert publisher.registry.get("sentiment", int(version)).tags["signature.override"] == "a hand-made model"
    assert "signed by hand: a hand-made model" in registry("list")[1]


def test_without_a_key_training_stops_before_it_begins(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FERRYMAN_SIGNING_KEY")
    assert training([]) == 3
    assert "FERRYMAN_SIGNING_KEY is not set" in capsys.readouterr().err


def test_a_version_may_not_point_into_another_tenants_artifacts(publisher: Publisher) -> None:
    publisher.register("pointing")
    with pytest.raises(MlflowException):
        publisher.client.create_model_version("pointing", "s3://released/sentiment/")


def test_no_server_knows_where_the_private_key_lies(stack: Stack) -> None:
    release = psutil.Process(stack.pid("release")).environ()
    assert Path(release["FERRYMAN_TRUSTED_KEYS"]) == stack.home / "trust"
    assert "FERRYMAN_SIGNING_KEY" not in release
