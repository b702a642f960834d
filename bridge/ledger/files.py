"""The ledger's files: private modes, the marker that tells which ledger belongs here, creation.

    ledger.db         the ledger (with -wal and -shm beside it while it is open)
    ledger.id         the marker: the ledger's id, and how many commits it has seen
    ledger.db.spare   room for the ledger to come out of a full disk; see `bridge.ledger.room`
    ledger.db.lock    held by the process that writes; see `bridge.ledger.lock`

The marker outlives the ledger, so that a lost, replaced or shortened ledger is told from a first
start. Must not know SQL, and must not open the ledger itself: on POSIX, closing any descriptor of a
file frees the locks that SQLite holds on it in the same process.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from bridge.core.errors import LedgerDamaged, LedgerError, LedgerMissing

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_logger = logging.getLogger(__name__)
_MARKER = re.compile(rb"twinpost ledger ([0-9a-f]{32})\n([0-9]{20})\n")
_COUNT_AT = len(b"twinpost ledger ") + 32 + 1


def new_ledger_id() -> str:
    """32 random hexadecimal digits."""
    return secrets.token_hex(16)


def marker_path(ledger: Path) -> Path:
    """``ledger.id`` for ``ledger.db``."""
    return ledger.with_suffix(".id")


def lock_path(ledger: Path) -> Path:
    """``ledger.db.lock`` for ``ledger.db``."""
    return ledger.with_name(ledger.name + ".lock")


@dataclass(slots=True)
class Marker:
    """The marker as it was when it was read; `note` moves its count on."""

    path: Path
    ledger_id: str
    commits: int
    unwritable: bool = False

    def note(self, commits: int) -> None:
        """Write down that the ledger has seen `commits` commits.

        Not synced, and written after the commit: after a loss of power the count may lag behind
        the ledger, which is harmless, but it can never run ahead of an undamaged one.
        """
        self.commits = commits
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.pwrite(file, f"{commits:020d}".encode(), _COUNT_AT)
            finally:
                os.close(file)
        except OSError as error:
            # The commit stands already and must not be reported as failed.
            if not self.unwritable:
                _logger.warning("cannot write to %s: %s", self.path, error.strerror)
            self.unwritable = True
        else:
            if self.unwritable:
                _logger.info("%s can be written again", self.path)
            self.unwritable = False


def read_marker(ledger: Path) -> Marker | None:
    """The marker beside `ledger`, None where there is none. Raises `LedgerDamaged`."""
    path = marker_path(ledger)
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"cannot read {path}: {error.strerror}") from error
    with os.fdopen(file, "rb") as stream:
        found = _MARKER.fullmatch(stream.read(128))
    if found is None:
        raise LedgerDamaged(
            f"{path} is damaged; if {ledger} is the ledger that belongs here, remove {path.name}"
        )
    return Marker(path, found[1].decode(), int(found[2]))


def write_marker(ledger: Path, ledger_id: str, commits: int) -> Marker:
    """Write the marker beside `ledger`, durably."""
    path = marker_path(ledger)
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.unlink(missing_ok=True)
        with os.fdopen(create_private(temporary), "wb") as stream:
            stream.write(f"twinpost ledger {ledger_id}\n{commits:020d}\n".encode())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise LedgerError(f"cannot write {path}: {error.strerror}") from error
    return Marker(path, ledger_id, commits)


def missing(ledger: Path) -> LedgerMissing:
    """The error for a ledger that is not there, with what to do about it."""
    marker = marker_path(ledger)
    if marker.exists():
        return LedgerMissing(
            f"the ledger {ledger} is missing, but {marker.name} says that there was one: put it "
            f"back from a backup, or remove {marker.name} to begin anew (older posts are then "
            "not known any more; nothing from before the new start is mirrored)"
        )
    return LedgerMissing(f"there is no ledger at {ledger} yet: `twinpost run` makes one")


def require_own(marker: Marker | None, ledger: Path, ledger_id: str, commits: int) -> None:
    """See that the ledger found is the one that `marker` belongs to, and whole.

    The marker has to be read before the `commits` of the ledger are: a writer beside it commits
    before it moves the marker on. Raises `LedgerDamaged`.
    """
    if marker is None:
        return
    if marker.ledger_id != ledger_id:
        raise LedgerDamaged(
            f"{ledger} is not the ledger that belongs here (its id is not the one in "
            f"{marker.path.name}): put the right one back, or remove {marker.path.name} to "
            "accept this one"
        )
    if marker.commits > commits:
        raise LedgerDamaged(
            f"the ledger {ledger} has lost its last {marker.commits - commits} changes (an older "
            "copy, or its -wal file was removed): put the newest copy back with all its files, "
            f"or remove {marker.path.name} to accept this one; posts sent since may then be "
            "sent again"
        )


def prepare_folder(folder: Path) -> None:
    """Make `folder` if it is not there, open to its owner only."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE_FOLDER)
    except FileExistsError:
        return
    except OSError as error:
        raise LedgerError(f"cannot make the folder {folder}: {error.strerror}") from error
    # Independent of the umask.
    folder.chmod(PRIVATE_FOLDER)


def require_plain_file(ledger: Path) -> bool:
    """Whether there is a file at `ledger`; closes it to others. Raises `LedgerDamaged`.

    A link is refused: what it points to would be outside of what this bridge keeps private.
    """
    try:
        status = ledger.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LedgerError(f"cannot read {ledger}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise LedgerDamaged(f"{ledger} is not a plain file; name the ledger's real place")
    if status.st_size == 0:
        raise LedgerDamaged(
            f"the ledger {ledger} is damaged (it is empty); nothing is sent until it is mended: "
            "put a backup in its place"
        )
    return True


def close_to_others(ledger: Path) -> None:
    """Take every permission of group and others off the ledger. Raises `LedgerError`."""
    try:
        if stat.S_IMODE(ledger.stat().st_mode) != PRIVATE_FILE:
            ledger.chmod(PRIVATE_FILE)
    except OSError as error:
        raise LedgerError(f"cannot make {ledger} private: {error.strerror}") from error


def fresh_file(ledger: Path) -> Path:
    """An empty private file in which a new ledger can be built before it gets its name."""
    path = ledger.with_name(ledger.name + ".new")
    try:
        for leftover in (path, path.with_name(path.name + "-journal")):
            leftover.unlink(missing_ok=True)
        os.close(create_private(path))
    except OSError as error:
        raise LedgerError(f"cannot write to {ledger.parent}: {error.strerror}") from error
    return path


def publish(built: Path, ledger: Path) -> None:
    """Give a ledger that was built whole its name, durably."""
    try:
        built.replace(ledger)
        sync_folder(ledger.parent)
    except OSError as error:
        raise LedgerError(f"cannot write to {ledger.parent}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make names given in `folder` survive a loss of power."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def create_private(path: Path) -> int:
    """A descriptor of a new file that only its owner can open. Raises `OSError`."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(path, flags, PRIVATE_FILE)
    os.fchmod(file, PRIVATE_FILE)
    return file
