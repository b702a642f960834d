"""The vault: rotating credentials, one private file a name, durable before they are used.

    <folder>/<name>.json       0600, in a folder that is 0700 when it is made here
    <folder>/.<name>.lock      held by whichever process renews what stands under that name
    <folder>/.<name>.*.new     being written, and locked by its writer, until it is renamed

A token that was rotated at the network and then lost here locks the account out, so `save` returns
only when the new one would survive a loss of power. What a writer that died had written whole is
put in its place by whoever comes next. Must not log, show or interpret a value.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import secrets
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from errno import EACCES, ELOOP
from pathlib import Path

from bridge.core.errors import ConfigError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_OTHERS = 0o077
_OTHERS_WRITE = 0o022
_NAME = re.compile(r"[a-z0-9_-][a-z0-9_.-]{0,99}")
_LARGEST = 64 * 1024
_NEXT_TRY = 0.05
"""Seconds between two tries for a lock that another process holds."""
_NO_FOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


class FileVault:
    """A `TokenStore` in a folder. Both methods block for a moment on the disk.

    A name is made of lower-case letters, digits, ``_``, ``-`` and, not in front, ``.``; any other
    raises `ValueError`. `ConfigError` names the file and what to do; it never quotes a value.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> dict[str, str] | None:
        """What was saved under `name`, None where nothing was.

        Raises `ConfigError` where others can read it, where it is a link or somebody else's, and
        where it is not what `save` wrote.
        """
        path = self.path(name)
        self._finish(name)
        try:
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _NO_FOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            # By the error: where the folder is shut, nothing more can be asked about the file.
            if error.errno == ELOOP:
                raise _is_a_link(path) from None
            hint = "; sign in as the user that runs the bridge" if error.errno == EACCES else ""
            raise ConfigError(f"{path}: cannot be read ({error.strerror}){hint}") from None
        with os.fdopen(file, "rb") as stream:
            self._require_private_folder()
            _require_private_file(path, os.fstat(stream.fileno()))
            content = stream.read(_LARGEST + 1)
        return _decoded(path, content)

    def save(self, name: str, values: dict[str, str]) -> None:
        """Replace what stands under `name`, atomically and durably.

        Raises `ConfigError` where that cannot be done; then what stood there still stands.
        """
        path = self.path(name)
        content = json.dumps(values, indent=1, sort_keys=True).encode()
        try:
            self._make_folder()
            self._require_private_folder()
            with self._begun(name) as (temporary, file):
                try:
                    _write(file, content)
                    temporary.replace(path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
            _sync_folder(self._folder)
            for leftover in self._left_behind(name):
                with suppress(OSError), _claimed(leftover):
                    leftover.unlink()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None

    def stamp(self, name: str) -> tuple[int, int] | None:
        """What a `save`, and a change of owner or rights, changes; None where nothing stands."""
        try:
            status = self.path(name).stat()
        except OSError:
            return None
        return status.st_ino, status.st_ctime_ns

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """Keep every other process from doing the same under `name` meanwhile.

        Waits as long as another one holds it; a process that dies lets go. Raises `ConfigError`.
        """
        path = self.path(name).with_name(f".{name}.lock")
        try:
            self._make_folder()
            self._require_private_folder()
            file = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, PRIVATE_FILE)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None
        try:
            while not _locked(file):  # noqa: ASYNC110 - the lock is another process's
                await asyncio.sleep(_NEXT_TRY)
            yield
        finally:
            os.close(file)

    def path(self, name: str) -> Path:
        """Where `name` stands. Raises `ValueError` for what is no name."""
        if not _NAME.fullmatch(name):
            raise ValueError("a name in the vault is made of a-z, 0-9, _, - and . only")
        return self._folder / f"{name}.json"

    @contextmanager
    def _begun(self, name: str) -> Iterator[tuple[Path, int]]:
        """A new file to be written, and nobody else's until the block ends."""
        while True:
            path = self._folder / f".{name}.{secrets.token_hex(8)}.new"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW
            file = os.open(path, flags, PRIVATE_FILE)
            try:
                # Where a file system knows no locks, nobody takes a file for one left behind.
                with suppress(OSError):
                    fcntl.flock(file, fcntl.LOCK_EX)
                # Before the lock was had, it may have been taken for one, and removed.
                if _is_at(path, file):
                    yield path, file
                    return
            finally:
                os.close(file)

    def _finish(self, name: str) -> None:
        """Put in its place what was written whole when its writer died; remove all else of that.

        What is newer than what stands there was to replace it: the network knows only the new one.
        Raises `ConfigError` where that is open to others.
        """
        path = self.path(name)
        for leftover in sorted(self._left_behind(name), key=_written_at, reverse=True):
            with suppress(OSError):
                if leftover.is_symlink():
                    leftover.unlink()
                    continue
                with _claimed(leftover) as file:
                    if _written_at(leftover) >= _written_at(path) and self._is_whole(
                        leftover, file
                    ):
                        os.fsync(file)
                        leftover.replace(path)
                        _sync_folder(self._folder)
                    else:
                        leftover.unlink()

    def _is_whole(self, path: Path, file: int) -> bool:
        """Whether a file that was left behind was written to its end."""
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return False
        try:
            _decoded(path, os.pread(file, _LARGEST + 1, 0))
        except ConfigError:
            return False
        self._require_private_folder()
        _require_private_file(path, status)
        return True

    def _left_behind(self, name: str) -> list[Path]:
        """Files under `name` that are being written, or were when their writer died."""
        pattern = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.new")
        try:
            return [each for each in self._folder.iterdir() if pattern.fullmatch(each.name)]
        except OSError:
            return []

    def _make_folder(self) -> None:
        state = self._folder.parent
        state.parent.mkdir(parents=True, exist_ok=True)
        # The folder around it, too: the ledger is to live there.
        for folder in (state, self._folder):
            try:
                folder.mkdir(mode=PRIVATE_FOLDER)
            except FileExistsError:
                continue
            # Independent of the umask.
            folder.chmod(PRIVATE_FOLDER)
            _sync_folder(folder.parent)

    def _require_private_folder(self) -> None:
        # Who can write to the folder can put another file in the place of ours.
        if stat.S_IMODE(self._folder.stat().st_mode) & _OTHERS_WRITE:
            raise ConfigError(
                f"{self._folder}: others can write to this folder of tokens; "
                f"close it with: chmod 700 {self._folder}"
            )


def _require_private_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path}: is not a plain file; remove it and sign in again")
    if status.st_uid != os.geteuid():
        raise ConfigError(f"{path}: belongs to another user; make it yours with chown")
    if stat.S_IMODE(status.st_mode) & _OTHERS:
        raise ConfigError(f"{path}: others can read these tokens; close it with: chmod 600 {path}")


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_a_link(path: Path) -> ConfigError:
    return ConfigError(f"{path}: is a link; tokens are kept in plain files only")


def _decoded(path: Path, content: bytes) -> dict[str, str]:
    # Chained to nothing: a decoder's error carries the document it could not read.
    try:
        values = json.loads(content) if len(content) <= _LARGEST else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise ConfigError(f"{path}: is damaged; remove it and sign in again")
    return values


@contextmanager
def _claimed(path: Path) -> Iterator[int]:
    """Hold a file that was left behind. Raises `OSError` where its writer lives, or it is gone."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _NO_FOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_at(path, file):
            raise FileNotFoundError(path)
        yield file
    finally:
        os.close(file)


def _is_at(path: Path, file: int) -> bool:
    """Whether `path` still names the open `file`."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except OSError:
        return False


def _written_at(path: Path) -> int:
    """When a file was written, in nanoseconds; 0 where there is none."""
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _write(file: int, content: bytes) -> None:
    os.fchmod(file, PRIVATE_FILE)
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
