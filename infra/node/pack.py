"""Building images with buildah and pushing them to the rig's registry, from which they are pulled by digest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.node import images, sandbox
from infra.node.addresses import REGISTRY, REGISTRY_NAME
from infra.node.build import size
from infra.node.errors import NodeError
from infra.node.images import REPOSITORY, Image
from infra.node.layout import Layout

__all__ = ["Packer", "debian", "forget", "references"]

# Twice what the images of one day take when they are unpacked.
_LARGEST_UNPACKED = 6 * 2**30


def references(layout: Layout) -> dict[str, str]:
    """Image name -> reference by digest, of every image that was pushed."""
    return dict(json.loads(layout.images.read_text())) if layout.images.exists() else {}


def debian(packages: Sequence[str], archive: Path) -> None:
    """Write the files of a minimal Debian with these packages. Root, for it runs their scripts.

    Raises:
        NodeError: what mmdebstrap says of a failure.
    """
    # In mounts of its own, so that an end by force leaves none behind.
    command = ["unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "locale", "man")]
    _run([*command, f"--include={','.join(packages)}", images.DEBIAN, str(archive)])


def forget(layout: Layout) -> None:
    """Delete images that were replaced. The node must not run."""
    if layout.registry.exists():
        collect = [layout.binary("registry", "registry"), "garbage-collect", "--delete-untagged"]
        _run([*collect, str(layout.state / "registry.yaml")])
    # Which layers are still of use only containerd knows; what is deleted too much is pulled again in a minute.
    if size(layout.containerd) > _LARGEST_UNPACKED:
        shutil.rmtree(layout.containerd)


class Packer:
    """Builds what is missing. It works among the node's processes (``pid``), so that its mounts end with the node."""

    def __init__(self, layout: Layout, pid: int, say: Callable[[str], None]) -> None:
        self._layout = layout
        self._pid = pid
        self._say = say
        self._work = layout.cache / "packing"
        self._keys_file = layout.cache / "image-keys.json"
        self._keys: dict[str, str] = json.loads(self._keys_file.read_text()) if self._keys_file.exists() else {}
        self._references = references(layout)
        self._writing = threading.Lock()

    def pack(self) -> None:
        """Build and push every image whose inputs changed; ours side by side, for each keeps one core busy."""
        rows = images.load()
        for image in rows:
            if not image.dockerfile:
                self._pack_anew(image)
        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            for done in [pool.submit(self._pack_with_packages, image) for image in rows if image.dockerfile]:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
        shutil.rmtree(self._work, ignore_errors=True)

    def _pack_with_packages(self, image: Image) -> None:
        self._pack_anew(images.packages_image(image))
        self._pack_anew(image)

    def _pack_anew(self, image: Image) -> None:
        key = self._key(image)
        if self._keys.get(image.name) == key:
            return
        start = time.monotonic()
        reference = self._pack(image)
        with self._writing:
            self._references[image.name] = reference
            self._layout.images.write_text(json.dumps(self._references, indent=2) + "\n")
            self._keys[image.name] = key
            self._keys_file.write_text(json.dumps(self._keys))
        self._say(f"image  {image.name} took {time.monotonic() - start:.0f} s")

    def _key(self, image: Image) -> str:
        program = ""
        if image.program:
            with self._program(image).open("rb") as file:
                program = hashlib.file_digest(file, "sha256").hexdigest()
        elif image.component:
            program = (self._layout.component(image.component) / "key").read_text()
        return images.key(image, program, self._references.get(images.base(image), ""))

    def _program(self, image: Image) -> Path:
        if image.program:
            found = shutil.which(image.program, path=f"{sys.prefix}/bin:{os.environ['PATH']}")
            if not found:
                raise NodeError(f"the program {image.program} is not on PATH")
            return Path(found)
        return Path(self._layout.binary(image.component, image.name))

    def _pack(self, image: Image) -> str:
        context = self._work / image.name
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir(parents=True)
        if image.component or image.program:
            shutil.copy(self._program(image), context / (image.program or image.name))
        elif image.debian:
            debian(image.debian, context / "root.tar")
        elif image.dockerfile:
            for source in image.sources:
                shutil.copytree(REPOSITORY / source, context / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            self._python_packages(image, context / "packages")
        file = REPOSITORY / image.dockerfile
        if not image.dockerfile:
            file = context / "Containerfile"
            file.write_text(images.containerfile(image))
        arguments = [f"--file={file}"]
        if image.packages:
            arguments += [f"--build-arg={each}={self._pulled('python')}" for each in ("BASE_IMAGE", "BUILD_IMAGE")]
        if image.dockerfile:
            packages = images.base(image)
            arguments += [f"--build-context={packages}=container-image://{self._pulled(packages)}"]
        arguments += [f"--target={image.target}"] if image.target else []
        self._buildah(
            "build", "--isolation=chroot", "--tls-verify=false", *arguments, f"--tag={image.name}", str(context)
        )
        digest = self._work / f"{image.name}.digest"
        self._buildah(
            "push", "--tls-verify=false", "--format=oci", "--compression-format=zstd", "--compression-level=1",
            f"--digestfile={digest}", image.name, f"docker://{REGISTRY}/{image.name}",
        )  # fmt: skip
        self._buildah("rmi", "--force", image.name)
        shutil.rmtree(context)
        return f"{REGISTRY_NAME}/{image.name}@{digest.read_text().strip()}"

    def _pulled(self, name: str) -> str:
        return self._references[name].replace(REGISTRY_NAME, REGISTRY)

    def _python_packages(self, image: Image, target: Path) -> None:
        """Install the locked packages of an extra, for the Python of the image `python`."""
        uv = [
            str(Path(sys.prefix) / "bin" / "uv"),
            "pip",
            "install",
            "--quiet",
            f"--python-version={images.PYTHON}",
            "--compile-bytecode",
        ]
        project = ["--requirements", str(REPOSITORY / "pyproject.toml"), "--extra", image.packages]
        lock = ["--constraints", str(REPOSITORY / "requirements" / "lock.txt")]
        _run([*uv, *project, *lock, "--target", str(target)])
        for path in [found for pattern in image.left_out for found in target.glob(pattern)]:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _buildah(self, *arguments: str) -> None:
        store = [f"--root={self._work}/store", f"--runroot={self._work}/run", "--storage-driver=overlay"]
        _run(sandbox.enter(self._pid, ["buildah", *store, *arguments]))


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NodeError(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout).strip()[-3000:]}")
