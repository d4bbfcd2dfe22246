"""The predictor's image: built on a Debian made from packages, and run by runc as a cluster runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import Pipeline

from artifact import PublishedArtifact, tree_digest
from artifact.names import MODEL_FILE
from infra.local.ports import free_port
from infra.node import images
from infra.node.layout import Layout
from infra.node.pack import Packer

TOOLS = ("buildah", "mmdebstrap", "runc", "unshare")
pytestmark = [
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root and {', '.join(TOOLS)}"
    ),
]
REPOSITORY = images.REPOSITORY
MEMORY = 320 * 2**20


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build the image as the node's rig does, but into a store of this test's."""
    work = tmp_path_factory.mktemp("image")
    rows = {image.name: image for image in images.load()}
    packer = Packer(Layout(work), os.getpid(), print)
    store = [f"--root={work}/store", f"--runroot={work}/run", "--storage-driver=overlay"]

    def buildah(*arguments: str) -> str:
        done = subprocess.run(["buildah", *store, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    base, context = work / "base", work / "context"
    base.mkdir()
    packer._debian(rows["python"], base / "root.tar")
    (base / "Containerfile").write_text(images.containerfile(rows["python"]))
    buildah("build", "--isolation=chroot", f"--file={base}/Containerfile", "--tag=base", str(base))
    packer._python_packages(images.packages_image(rows["predictor"]), context / "packages")
    for source in rows["predictor"].sources:
        shutil.copytree(REPOSITORY / source, context / source, ignore=shutil.ignore_patterns("__pycache__"))
    file = REPOSITORY / rows["predictor"].dockerfile
    arguments = ["--isolation=chroot", "--pull=never", "--build-arg=BASE=localhost/base", "--target=predictor"]
    buildah("build", *arguments, f"--file={file}", "--tag=predictor", str(context))
    container = buildah("from", "--pull=never", "predictor")
    try:
        yield Path(buildah("mount", container))
    finally:
        buildah("rm", container)
        shutil.rmtree(work)


class Container:
    """The image under runc: read-only, as nobody's user, without capabilities, half a core and some memory."""

    def __init__(self, built: Path, folder: Path, bundle: Path) -> None:
        self._name = f"ferryman-test-{os.getpid()}-{folder.parent.name}"
        self._bundle = bundle
        http, grpc = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http}"
        uri = PublishedArtifact.of("sentiment", 7, tree_digest(folder)).uri
        bundle.mkdir()
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        spec = json.loads((bundle / "config.json").read_text())
        spec["root"] = {"path": str(built), "readonly": True}
        spec["process"] |= {
            "terminal": False,
            "user": {"uid": 65532, "gid": 65532},
            "cwd": "/opt/ferryman",
            "env": [
                "PATH=/usr/bin:/bin",
                "PYTHONPATH=/opt/ferryman:/opt/ferryman/packages",
                "PYTHONDONTWRITEBYTECODE=1",
                f"FERRYMAN_HTTP_PORT={http}",
                f"FERRYMAN_GRPC_PORT={grpc}",
            ],
            "args": ["python3", "-m", "inference", "--storage-uri", uri, "--tenant", "tenant-a"],
            "capabilities": {},
            "noNewPrivileges": True,
        }
        spec["process"]["args"] += ["--model-dir", "/mnt/model", "--lame-duck", "0"]
        bind = {"type": "bind", "source": str(folder), "destination": "/mnt/model", "options": ["bind", "ro"]}
        spec["mounts"] = [*spec["mounts"], bind]
        # The callers are outside: its network is this machine's loopback.
        spec["linux"]["namespaces"] = [each for each in spec["linux"]["namespaces"] if each["type"] != "network"]
        spec["linux"]["resources"] |= {"memory": {"limit": MEMORY}, "cpu": {"quota": 50_000, "period": 100_000}}
        spec["linux"]["cgroupsPath"] = f"/{self._name}"
        (bundle / "config.json").write_text(json.dumps(spec))

    def __enter__(self) -> Container:
        with (self._bundle / "log").open("wb") as log:
            command = ["runc", "run", "--bundle", str(self._bundle), self._name]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/ready", trust_env=False).status_code == 200:
                    return self
            except httpx.HTTPError:
                time.sleep(0.2)
        self.__exit__()
        raise AssertionError((self._bundle / "log").read_text())

    def __exit__(self, *_: object) -> None:
        subprocess.run(["runc", "delete", "--force", self._name], check=False, capture_output=True)
        self._process.wait(timeout=30)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["runc", "exec", self._name, *command], capture_output=True, text=True, check=False)

    def memory(self) -> int:
        state = json.loads(subprocess.run(["runc", "state", self._name], capture_output=True, check=True).stdout)
        return int(psutil.Process(state["pid"]).memory_info().rss)

    def terminate(self) -> int:
        subprocess.run(["runc", "kill", self._name, "TERM"], check=True)
        return self._process.wait(timeout=60)


@pytest.fixture(params=[LogisticRegression, BernoulliNB], ids=["recognised", "scikit-learn's own"])
def container(built: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Container]:
    texts = ["a good film", "a great film", "a bad film", "an awful film"]
    columns = ColumnTransformer([("text", HashingVectorizer(n_features=2**12, alternate_sign=False), "text")])
    made = Pipeline([("features", columns), ("classifier", request.param())])
    folder = tmp_path / "model"
    folder.mkdir()
    skops.io.dump(made.fit(pd.DataFrame({"text": texts}), [1, 1, 0, 0]), folder / MODEL_FILE)
    # The user of the container is none of this machine's.
    for path in (tmp_path, *tmp_path.parents[:2], folder):
        path.chmod(0o755)
    with Container(built, folder, tmp_path / "bundle") as running:
        yield running


def test_it_answers_inside_its_limits_and_ends_by_sigterm(container: Container) -> None:
    def ask(instances: list[str]) -> httpx.Response:
        url = f"{container.url}/v1/models/sentiment:predict"
        return httpx.post(url, json={"instances": instances}, timeout=60, trust_env=False)

    assert ask(["a great film"]).json()["predictions"][0]["label"] == "positive"
    assert ask(["good bad " * 100] * 1000).status_code == 200
    assert container.memory() < MEMORY
    limit = container.run("cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max").stdout
    assert str(MEMORY) in limit
    assert container.terminate() == 0


def test_nothing_can_be_written_built_or_installed_in_it(built: Path) -> None:
    found = {path.name for folder in ("bin", "usr/bin", "usr/local/bin") for path in (built / folder).glob("*")}
    assert not found & {"pip", "pip3", "gcc", "cc", "g++", "make", "ld", "curl", "wget"}
    packages = {path.name for path in (built / "opt/ferryman/packages").iterdir()}
    assert not packages & {"pip", "setuptools", "grpc_tools", "kubernetes", "bin"}
    writable = [path for path in (built / "opt").rglob("*") if path.stat().st_uid == 65532]
    assert not writable


def test_every_module_is_compiled(built: Path) -> None:
    ours = [path for part in ("artifact", "inference") for path in (built / "opt/ferryman" / part).rglob("*.py")]
    assert ours
    assert not [path for path in ours if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))]


def test_it_is_below_600_megabytes(built: Path) -> None:
    def size(root: Path) -> int:
        return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir() or path.is_symlink())

    assert size(built) < 600_000_000
