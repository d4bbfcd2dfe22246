"""Docker, podman or buildah: whichever of them works here."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.images.errors import ImageError
from infra.images.sbom import NEEDED

__all__ = ["Engine", "keep", "run"]


def run(command: Sequence[str]) -> str:
    """Return what a command printed.

    Raises:
        ImageError: it failed; the message is the end of what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"{' '.join(command[:3])} … failed:\n{(done.stderr or done.stdout).strip()[-3000:]}")
    return done.stdout.strip()


def keep(archive: tarfile.TarFile, folder: Path) -> None:
    """Extract of an image's files only what a list of contents is made from."""
    for member in archive:
        if member.isfile() and NEEDED.fullmatch(member.name.removeprefix("./")):
            archive.extract(member, folder, set_attrs=False, filter="data")


@dataclass(frozen=True)
class Engine:
    """One of the three programs; their commands differ in few words."""

    program: str

    @classmethod
    def find(cls) -> Engine:
        """Return the first that is on PATH and answers: for Docker, whose engine runs.

        Raises:
            ImageError: there is none.
        """
        for program in ("docker", "podman", "buildah"):
            if (
                shutil.which(program)
                and not subprocess.run([program, "info"], capture_output=True, check=False).returncode
            ):
                return cls(program)
        raise ImageError("Docker with its engine running, podman or buildah is needed to build images; none answers")

    def build(self, file: Path, context: Path, tag: str, *arguments: str) -> None:
        """Build a Dockerfile into the engine's own store."""
        command = [self.program, "build", f"--file={file}", f"--tag={tag}", *arguments, str(context)]
        if self.program == "buildah":
            # As a cluster's node would, so without a runtime; a mirror's certificate may be among the machine's own.
            certificates = "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"
            command[2:2] = ["--isolation=chroot", "--layers", "--pull=missing", certificates]
        run(command)

    def has(self, tag: str) -> bool:
        """Whether the store holds an image of this name."""
        command = [self.program, "inspect", "--type=image", tag]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def push(self, tag: str, target: str) -> str:
        """Push an image and return its reference by digest."""
        if self.program == "docker":
            run([self.program, "tag", tag, target])
            run([self.program, "push", target])
            digests = run([self.program, "inspect", '--format={{join .RepoDigests "\\n"}}', target]).split()
            repository = target.rsplit(":", 1)[0]
            return next(found for found in digests if found.startswith(f"{repository}@"))
        with tempfile.NamedTemporaryFile() as digest:
            plain = [] if not _on_loopback(target) else ["--tls-verify=false"]
            run([self.program, "push", *plain, f"--digestfile={digest.name}", tag, f"docker://{target}"])
            return f"{target.rsplit(':', 1)[0]}@{Path(digest.name).read_text().strip()}"

    @contextmanager
    def files(self, reference: str) -> Iterator[Path]:
        """A folder with the files of an image; of Docker's and podman's, those that a list of contents is made from."""
        if self.program == "buildah":
            container = run([self.program, "from", "--pull=missing", reference])
            try:
                yield Path(run([self.program, "mount", container]))
            finally:
                run([self.program, "rm", container])
            return
        container = run([self.program, "create", reference])
        try:
            with tempfile.TemporaryDirectory() as folder:
                export = [self.program, "export", container]
                with (
                    subprocess.Popen(export, stdout=subprocess.PIPE) as process,
                    tarfile.open(fileobj=process.stdout, mode="r|") as archive,
                ):
                    keep(archive, Path(folder))
                yield Path(folder)
        finally:
            run([self.program, "rm", container])


def _on_loopback(target: str) -> bool:
    return target.partition("/")[0].partition(":")[0] in ("127.0.0.1", "localhost")
