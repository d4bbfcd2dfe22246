"""A file system of the stack's own in an image file, which can be full, slow, or forget what was not synced."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Disk", "lacking"]

_BYTES = 4 << 30
# linux/fs.h: FIFREEZE, FITHAW; fs/ext4/ext4.h: EXT4_IOC_SHUTDOWN, after which nothing more reaches the disk, the
# journal included, as on a machine that has lost its power.
_FREEZE, _THAW, _SHUTDOWN = 0xC0045877, 0xC0045878, 0x8004587D
_WITHOUT_THE_JOURNAL = 2
_FROZEN_SECONDS, _THAWED_SECONDS = 2.0, 0.3


def lacking() -> str:
    """Return why there can be no such disk here, or ""."""
    if os.geteuid() != 0:
        return "only root may mount a disk of its own"
    missing = [name for name in ("mkfs.ext4", "mount", "umount") if not shutil.which(name)]
    return f"{missing[0]} is not on PATH" if missing else ""


class Disk:
    """Mounted at ``folder`` until :meth:`remove`."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "disk"
        self._image = place / "disk.img"
        self.folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(_BYTES)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        self._mount()

    def remove(self) -> None:
        """Leave nothing behind."""
        self._unmount()
        self._image.unlink()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Take every block that is free."""
        ballast = self.folder / "ballast"
        try:
            with ballast.open("wb") as file:
                end, size = 0, 1 << 30
                while size >= 1 << 12:
                    try:
                        os.posix_fallocate(file.fileno(), end, size)
                        end += size
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        size //= 2
            yield
        finally:
            ballast.unlink(missing_ok=True)

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Let every write wait for up to two seconds."""
        over = threading.Event()
        stalling = threading.Thread(target=self._stall, args=(over,))
        stalling.start()
        try:
            yield
        finally:
            over.set()
            stalling.join()

    def lose_what_is_not_synced(self) -> None:
        """Be gone at once; :meth:`return_` brings back what was on the disk."""
        self._ioctl(_SHUTDOWN, struct.pack("I", _WITHOUT_THE_JOURNAL))

    def return_(self) -> None:
        """Mount a copy of what had reached it: the old one stays lost for as long as another mount namespace has it."""
        self._unmount()
        copy = self._image.with_suffix(".copy")
        _run("cp", "--sparse=always", str(self._image), str(copy))
        self._image.unlink()
        copy.rename(self._image)
        self._mount()

    def _stall(self, over: threading.Event) -> None:
        while not over.is_set():
            self._ioctl(_FREEZE, 0)
            try:
                over.wait(_FROZEN_SECONDS)
            finally:
                self._ioctl(_THAW, 0)
            over.wait(_THAWED_SECONDS)

    def _ioctl(self, request: int, argument: bytes | int) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, request, argument)
        finally:
            os.close(folder)

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.folder))

    def _unmount(self) -> None:
        # Whoever looks at the stack may have a file open for a moment.
        for _ in range(50):
            if subprocess.run(["umount", str(self.folder)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.2)
        _run("umount", str(self.folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
