"""Every image: built on a Debian made from packages, run by runc as a cluster runs it, and what it holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.config import Config
from container import TMP, Container, Image
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from artifact import PublishedArtifact, Statement, tree_digest
from infra.images.build import ours
from infra.local.object_store import ObjectStore, object_store
from infra.local.ports import free_port
from infra.local.secret import load_or_generate, prepare_signing, signing_key, trusted_keys
from infra.local.settings import Settings
from registry.signing import SigningKey, sign_folder

# In bytes. The predictor's is a promise (docs/predictor.md); the others' notice that something large came in unasked.
LARGEST = {"predictor": 600e6, "initializer": 600e6, "training": 2000e6, "release": 2000e6, "mlflow": 2000e6}


@pytest.fixture(scope="module", params=sorted(ours()))
def named(built: Callable[[str], Image], request: pytest.FixtureRequest) -> tuple[str, Image]:
    return request.param, built(request.param)


def size(root: Path) -> int:
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir() or path.is_symlink())


def inside(image: Image, bundle: Path, *command: str, **variables: str) -> str:
    """Return what a command prints that runs in a container of its own."""
    with Container(image, bundle, command, environment=variables) as container:
        assert container.wait(300) == 0, container.log
        return container.log


def test_nothing_can_be_written_built_or_installed_in_it(named: tuple[str, Image], open_tmp_path: Path) -> None:
    _, image = named
    user, _ = map(int, image.config["User"].split(":"))
    assert user > 0
    found = {path.name for folder in ("bin", "usr/bin", "usr/local/bin") for path in (image.root / folder).glob("*")}
    assert not found & {"pip", "pip3", "gcc", "cc", "g++", "make", "ld", "curl", "wget"}
    assert not [path for path in (image.root / "opt").rglob("*") if path.lstat().st_uid == user]
    # Only what is not the image: what a cluster mounts.
    script = "find / -xdev -writable -not -type l -not -path '/proc/*' 2>/dev/null | head -3; touch /opt/x 2>&1 || true"
    said = inside(image, open_tmp_path / "bundle", "sh", "-c", script)
    assert "Read-only file system" in said
    assert not [line for line in said.splitlines() if line.startswith("/opt") or line.startswith("/usr")]


def test_every_module_of_ours_is_compiled_and_finds_what_it_imports(
    named: tuple[str, Image], open_tmp_path: Path
) -> None:
    name, image = named
    ours_in_it = [
        path for source in ours()[name].sources for path in (image.root / "opt/ferryman" / source).rglob("*.py")
    ]
    assert bool(ours_in_it) == bool(ours()[name].sources)
    assert not [path for path in ours_in_it if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))]
    # Two images share the folder `inference`, but not its packages: what they start from it is tried by other tests.
    packages = [source for source in ours()[name].sources if source != "inference"]
    script = (
        "import importlib, pkgutil, sys\n"
        "for name in sys.argv[1:]:\n"
        "    for found in pkgutil.walk_packages([f'/opt/ferryman/{name}'], f'{name}.'):\n"
        "        if not found.name.endswith('__main__'): importlib.import_module(found.name)\n"
    )
    inside(image, open_tmp_path / "bundle", "python3", "-c", script, *packages)


def test_the_list_names_what_is_installed_and_nothing_else(named: tuple[str, Image], open_tmp_path: Path) -> None:
    _, image = named
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(image.document)) is None
    listed = {
        (part["purl"].split(":")[1].split("/")[0], part["name"], part["version"])
        for part in image.document["components"]
    }
    script = (
        "from importlib.metadata import distributions\n"
        "for found in distributions(): print('pypi', found.metadata['Name'], found.version)\n"
    )
    python = inside(image, open_tmp_path / "python", "python3", "-c", script)
    debian = inside(
        image, open_tmp_path / "debian", "dpkg-query", "--show", "--showformat=deb ${Package} ${Version}\\n"
    )
    installed = {tuple(line.split()) for line in (python + debian).splitlines()}
    normal = {
        (kind, re.sub(r"[-_.]+", "-", name).lower() if kind == "pypi" else name, version)
        for kind, name, version in installed
    }
    assert listed == normal
    assert {"python3.11", "libc6"} <= {name for kind, name, _ in listed if kind == "deb"}


def test_it_is_no_larger_than_the_pages_say(named: tuple[str, Image]) -> None:
    name, image = named
    measured = size(image.root)
    print(f"\n{name}: {measured / 1e6:.0f} MB, {len(image.document['components'])} components")
    assert measured < LARGEST[name]


@pytest.fixture
def keys(open_tmp_path: Path) -> Path:
    home = open_tmp_path / "keys"
    home.mkdir(mode=0o755)
    prepare_signing(home)
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return home


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    for name in ("AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "s3"
    home.mkdir()
    made = object_store(Settings(home=home, s3_port=free_port()), load_or_generate(home))
    assert made.program
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            made.program.command,
            env={**os.environ, **made.program.environment},
            cwd=made.program.folder,
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(300):
            try:
                httpx.get(made.endpoint, trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        made.prepare()
        yield made
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_initializer_brings_what_was_signed_and_refuses_one_altered_byte(
    built: Callable[[str], Image], open_tmp_path: Path, keys: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRYMAN_SIGNING_KEY", str(signing_key(keys)))
    folder = open_tmp_path / "model"
    folder.mkdir()
    (folder / "model.skops").write_bytes(b"weights")
    place = PublishedArtifact.of("sentiment", 7, tree_digest(folder))
    statement = Statement("sentiment", 7, tree_digest(folder), True, "as measured", {"accuracy": 0.9}, None)
    sign_folder(folder, statement, SigningKey.from_environment())
    s3 = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.publisher.access_key,
        aws_secret_access_key=store.publisher.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    for path in folder.rglob("*"):
        if path.is_file():
            s3.upload_file(str(path), "released", place.prefix + str(path.relative_to(folder)))
    image = built("initializer")

    def bring(uri: str, name: str) -> tuple[int, str]:
        command = [*image.entrypoint, uri, f"{TMP}/model"]
        variables = store.environment(store.reader) | {"FERRYMAN_TRUSTED_KEYS": "/etc/trust"}
        with Container(
            image, open_tmp_path / name, command, environment=variables, mounts={"/etc/trust": trusted_keys(keys)}
        ) as container:
            return container.wait(120), container.log

    assert bring(place.uri, "well") == (
        0,
        f"verified {place.uri}: sha256 {statement.digest}, signed with {SigningKey.from_environment().id}\n",
    )
    s3.put_object(Bucket="released", Key=f"{place.prefix}model.skops", Body=b"Weights")
    code, said = bring(place.uri, "altered")
    assert code == 1
    assert said.startswith("refused: ")
    assert bring("s3://mlflow/1/model/", "elsewhere")[0] == 2


def test_the_training_image_trains_gates_signs_and_registers_at_the_mlflow_image(
    built: Callable[[str], Image], open_tmp_path: Path, keys: Path
) -> None:
    mlflow, training, port = built("mlflow"), built("training"), free_port()
    url = f"http://127.0.0.1:{port}"
    serve = [*mlflow.entrypoint, "server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    serve += ["--backend-store-uri=sqlite:////tmp/mlflow.db", "--artifacts-destination=/tmp/artifacts"]
    variables = {
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "FERRYMAN_SIGNING_KEY": "/keys/signing-key.pem",
        "FERRYMAN_TRUSTED_KEYS": "/keys/trust",
    }
    assert (signing_key(keys).name, trusted_keys(keys).name) == ("signing-key.pem", "trust")
    with Container(mlflow, open_tmp_path / "mlflow", serve, environment={"MLFLOW_DISABLE_TELEMETRY": "true"}) as server:
        server.answers(f"{url}/health")
        command = [*training.entrypoint, "--sample=4000"]
        with Container(
            training, open_tmp_path / "training", command, environment=variables, mounts={"/keys": keys}
        ) as job:
            assert job.wait(600) == 0, job.log
            assert "sentiment version 1" in job.log
        query = f"{url}/api/2.0/mlflow/model-versions/get"
        version = httpx.get(query, params={"name": "sentiment", "version": "1"}, trust_env=False).json()[
            "model_version"
        ]
        assert version["status"] == "READY"
        assert server.terminate() == 0


def test_the_controllers_image_says_in_one_line_that_it_is_in_no_cluster(
    built: Callable[[str], Image], open_tmp_path: Path
) -> None:
    image = built("release")
    with Container(image, open_tmp_path / "bundle", image.entrypoint) as container:
        assert container.wait(120) == 1
        assert len(container.log.splitlines()) == 1, container.log
