"""The private folder that fetched files lie in: one for each process, gone when it has ended.

    <root>/                 0700
    <root>/<random>/        0700, locked for as long as its process lives
    <root>/<random>/<random>[.<ending>]   0600

What a killed process left behind is removed by the next one, which finds its lock free. Must not
know what the files hold; no name comes from outside.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from pathlib import Path

from bridge.core.errors import ConfigError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_OTHERS_WRITE = 0o022
_OURS = re.compile(r"[0-9a-f]{32}")
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class PrivateFolder:
    """A folder below `root` that nobody else can look into. Its methods block for a moment.

    Made when it is first needed. Raises `ConfigError` where `root` is a link, or is open to others.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path: Path | None = None
        self._lock: int | None = None

    def open(self) -> Path:
        """The folder, made and locked; what dead processes left beside it is gone."""
        if self._path is not None:
            return self._path
        try:
            self._root.parent.mkdir(parents=True, exist_ok=True)
            _make(self._root)
            root = os.open(self._root, _FOLDER)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                raise ConfigError(
                    f"{self._root}: is no plain folder; media are kept in a folder of their own"
                ) from None
            raise ConfigError(f"{self._root}: cannot be used ({error.strerror})") from None
        try:
            self._require_private(os.fstat(root))
            # One at a time: between making a folder and locking it, it would look abandoned.
            fcntl.flock(root, fcntl.LOCK_EX)
            _sweep(self._root)
            path = self._root / secrets.token_hex(16)
            _make(path)
            self._lock = _locked(path)
        except OSError as error:
            raise ConfigError(f"{self._root}: cannot be used ({error.strerror})") from None
        finally:
            os.close(root)
        self._path = path
        return path

    def new_file(self, ending: str = "") -> tuple[Path, int]:
        """An empty private file and a descriptor to read and write it. Raises `OSError`."""
        path = self.new_path(ending)
        return path, os.open(path, _NEW, PRIVATE_FILE)

    def new_path(self, ending: str = "") -> Path:
        """A name that is not taken."""
        return self.open() / (secrets.token_hex(16) + ending)

    def again(self, path: Path, ending: str = "") -> Path:
        """The file at `path` under a second name, which lives on its own. Raises `OSError`."""
        second = self.new_path(ending)
        try:
            os.link(path, second, follow_symlinks=False)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}:
                raise
            # Some file systems know no second names.
            second, descriptor = self.new_file(ending)
            with os.fdopen(descriptor, "wb") as target, path.open("rb") as source:
                shutil.copyfileobj(source, target)
        return second

    def remove(self, path: Path) -> None:
        """Delete one file of this folder; any other path is left alone. Idempotent."""
        if self._path is not None and path.parent == self._path:
            path.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """How much may still be written on this disk."""
        found = os.statvfs(self.open())
        return found.f_bavail * found.f_frsize

    def close(self) -> None:
        """Remove the folder with all that is in it. Idempotent."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _require_private(self, status: os.stat_result) -> None:
        if status.st_uid != os.geteuid():
            raise ConfigError(f"{self._root}: belongs to another user; make it yours with chown")
        if stat.S_IMODE(status.st_mode) & _OTHERS_WRITE:
            raise ConfigError(
                f"{self._root}: others can write to this folder; close it with: "
                f"chmod 700 {self._root}"
            )


def _make(path: Path) -> None:
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=PRIVATE_FOLDER)


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of the folder `path`; None where another process has it."""
    descriptor = os.open(path, _FOLDER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sweep(root: Path) -> None:
    """Remove the folders of processes that are no more, and nothing else."""
    for entry in list(os.scandir(root)):
        if not _OURS.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False):
            continue
        lock = _locked(Path(entry.path))
        if lock is not None:
            shutil.rmtree(entry.path, ignore_errors=True)
            os.close(lock)
