"""Streams through age: what is written comes out encrypted, what is read was authenticated chunk by chunk."""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyrage
from pyrage.x25519 import Identity, Recipient

from infra.backup.errors import BackupError

__all__ = ["decrypted", "encrypted"]

_CHUNK = 1 << 20


@contextmanager
def encrypted(target: BinaryIO, recipient: Recipient) -> Iterator[BinaryIO]:
    """Yield a stream; what is written to it reaches ``target`` encrypted. The end is written when the block ends well.

    Raises:
        BackupError: ``target`` cannot be written.
    """
    reader, writer = os.pipe()
    work = _Work(lambda: _close_after(reader, "rb", lambda plain: pyrage.encrypt_io(plain, target, [recipient])))
    try:
        with os.fdopen(writer, "wb", _CHUNK) as plain:
            yield plain
    except BrokenPipeError:
        # Why, the thread says.
        work.join()
        raise BackupError(f"the backup cannot be written: {work.fault}") from work.fault
    finally:
        work.join()
    if work.fault:
        raise BackupError(f"the backup cannot be written: {work.fault}") from work.fault


@contextmanager
def decrypted(source: BinaryIO, identity: Identity) -> Iterator[BinaryIO]:
    """Yield what ``source`` holds, and read it to its end when the block ends well: only then it is whole.

    Raises:
        BackupError: it was encrypted for another key, is cut off, or was altered.
    """
    reader, writer = os.pipe()
    work = _Work(lambda: _close_after(writer, "wb", lambda plain: pyrage.decrypt_io(source, plain, [identity])))
    try:
        with os.fdopen(reader, "rb", _CHUNK) as plain:
            yield plain
            while plain.read(_CHUNK):
                pass
    except (tarfile.TarError, EOFError) as error:
        # What is not whole is no archive either.
        work.join()
        raise BackupError(_reason(work.fault)) from error
    finally:
        work.join()
    if work.fault:
        raise BackupError(_reason(work.fault)) from work.fault


def _reason(fault: Exception | None) -> str:
    if isinstance(fault, pyrage.DecryptError) and "matching keys" in str(fault):
        return "the backup was encrypted for another key"
    if isinstance(fault, pyrage.DecryptError):
        return f"this is no backup, or the start of one: {fault}"
    return "the backup is cut off, or was altered"


def _close_after(handle: int, mode: str, work: Callable[[BinaryIO], object]) -> None:
    with os.fdopen(handle, mode, _CHUNK) as stream:
        work(stream)  # type: ignore[arg-type] # binary by its mode


class _Work:
    """A thread whose fault is kept for whoever waits for it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.fault: Exception | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, name="age", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.fault = error

    def join(self) -> None:
        self._thread.join()
