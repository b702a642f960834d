"""The operating system's lock beside a ledger: proof that a former holder is dead.

The system frees it the moment a process ends, however it ends; a process that is only stopped keeps
it. It proves death, not ownership: who may write is decided by the lease, in the ledger itself.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from bridge.core.errors import LedgerError
from bridge.ledger.files import PRIVATE_FILE

_logger = logging.getLogger(__name__)
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 5
_LONGEST_OWNER = 200
"""Bytes of an owner's name that are kept."""


class ProcessLock:
    """An exclusive `flock` on one file, held as long as this object is not released."""

    def __init__(self, path: Path, owner: str) -> None:
        self._path = path
        self._owner = owner
        self._file: int | None = None

    def holder(self) -> str:
        """What the holder of the lock calls itself; empty where it could not write that down."""
        try:
            with self._path.open("rb") as file:
                return file.read(_LONGEST_OWNER).decode("utf-8", "replace")
        except OSError:
            return ""

    def attempt(self) -> bool:
        """Take the lock if nobody has it, without waiting; whether it is held now.

        False also where the file system has no locks: then nothing proves anybody dead.
        Raises `LedgerError` where the file cannot be made.
        """
        for _ in range(_TRIES):
            if self.held():
                return True
            self.release()
            self._file = self._open(self._path)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                return False
            except OSError as error:
                _logger.warning("no lock on %s: %s", self._path, error.strerror)
                self.release()
                return False
            self._sign(self._file)
        return self.held()

    def held(self) -> bool:
        """Whether this object has the lock, on the file that has the name now."""
        if self._file is None:
            return False
        try:
            named = self._path.lstat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._file)
        return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)

    def supplant(self) -> None:
        """Put a new file, locked by us, in the place of one that a stopped process holds.

        Otherwise that process would, by ending, free a lock that is taken for proof of our death.
        Only to be called inside a writing transaction, which lets one process at a time do it.
        """
        self.release()
        temporary = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        self._file = self._open(temporary)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sign(self._file)
            temporary.replace(self._path)
        except OSError as error:
            # Without the lock we are merely slower to be succeeded; the lease still protects.
            _logger.warning("no lock on %s: %s", self._path, error.strerror)
            temporary.unlink(missing_ok=True)
            self.release()

    def release(self) -> None:
        """Let go. Idempotent. The file stays: removing it would race with the next holder."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _sign(self, file: int) -> None:
        # On a full disk the lock is as good without a name.
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, self._owner.encode()[:_LONGEST_OWNER], 0)

    @staticmethod
    def _open(path: Path) -> int:
        try:
            file = os.open(path, _FLAGS, PRIVATE_FILE)
        except OSError as error:
            raise LedgerError(f"cannot write {path}: {error.strerror}") from error
        os.fchmod(file, PRIVATE_FILE)
        return file
