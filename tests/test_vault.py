"""The vault of rotating tokens: private, atomic, durable, and silent about what it holds.

Bars of docs/reliability.md: R10, R12, S9, S11.
"""

import asyncio
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.errors import ConfigError
from bridge.ports import TokenStore
from bridge.vault import FileVault

TOKENS = {"access_token": "canary-access", "refresh_token": "canary-refresh"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens"


@pytest.fixture
def vault(folder: Path) -> FileVault:
    store: TokenStore = FileVault(folder)
    assert isinstance(store, FileVault)
    return store


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_never_saved_is_not_there(vault: TokenStore, folder: Path) -> None:
    assert vault.load("personal.x") is None
    assert not folder.exists()


def test_what_was_saved_is_there_for_the_next_process(vault: TokenStore, folder: Path) -> None:
    vault.save("personal.x", TOKENS)
    vault.save("work.x", {"access_token": "ünï\ncode 💥"})

    assert FileVault(folder).load("personal.x") == TOKENS
    assert FileVault(folder).load("work.x") == {"access_token": "ünï\ncode 💥"}


def test_saving_replaces_everything_that_stood_there(vault: TokenStore, folder: Path) -> None:
    vault.save("x", TOKENS)
    vault.save("x", {"access_token": "new"})

    assert vault.load("x") == {"access_token": "new"}
    assert [path.name for path in folder.iterdir()] == ["x.json"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_and_folder_are_private_whatever_the_umask(
    vault: TokenStore, folder: Path, umask: int
) -> None:
    folder.parent.mkdir()
    before = os.umask(umask)
    try:
        vault.save("x", TOKENS)
    finally:
        os.umask(before)

    assert mode(folder) == 0o700
    assert mode(folder / "x.json") == 0o600


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_a_file_open_to_others_is_refused_with_the_command_that_closes_it(
    vault: TokenStore, folder: Path, bits: int
) -> None:
    vault.save("x", TOKENS)
    path = folder / "x.json"
    path.chmod(bits)

    with pytest.raises(ConfigError) as refused:
        vault.load("x")
    assert f"chmod 600 {path}" in str(refused.value)

    path.chmod(0o600)
    assert vault.load("x") == TOKENS


@pytest.mark.parametrize("bits", [0o777, 0o770, 0o702])
def test_a_folder_that_others_can_write_to_is_refused(
    vault: TokenStore, folder: Path, bits: int
) -> None:
    vault.save("x", TOKENS)
    folder.chmod(bits)

    with pytest.raises(ConfigError, match=f"chmod 700 {folder}"):
        vault.load("x")
    with pytest.raises(ConfigError, match=f"chmod 700 {folder}"):
        vault.save("x", TOKENS)


def test_a_link_is_followed_neither_to_read_nor_to_write(
    vault: TokenStore, folder: Path, tmp_path: Path
) -> None:
    vault.save("x", TOKENS)
    elsewhere = tmp_path / "elsewhere.json"
    (folder / "x.json").rename(elsewhere)
    (folder / "x.json").symlink_to(elsewhere)

    with pytest.raises(ConfigError, match="is a link"):
        vault.load("x")
    vault.save("x", {"access_token": "new"})
    assert "new" not in elsewhere.read_text()
    assert vault.load("x") == {"access_token": "new"}


def test_a_pipe_in_its_place_does_not_hang_the_start(vault: TokenStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    os.mkfifo(folder / "x.json", 0o600)

    with pytest.raises(ConfigError, match="not a plain file"):
        vault.load("x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_refused(vault: TokenStore, folder: Path) -> None:
    vault.save("x", TOKENS)
    os.chown(folder / "x.json", 12_345, -1)

    with pytest.raises(ConfigError, match="belongs to another user"):
        vault.load("x")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"access_token": "canary',
        b'["canary"]',
        b'{"access_token": 7}',
        b"\xff canary",
        b"[" * 60_000,
        b'{"a": "' + b"canary" * 20_000 + b'"}',
    ],
)
def test_a_damaged_file_is_named_and_not_quoted(
    vault: TokenStore, folder: Path, content: bytes
) -> None:
    vault.save("x", TOKENS)
    (folder / "x.json").write_bytes(content)

    with pytest.raises(ConfigError, match=r"x\.json: is damaged") as refused:
        vault.load("x")
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "A", "ä", "x\n", "x\0", "x" * 101],
)
def test_a_name_cannot_lead_out_of_the_folder(vault: TokenStore, folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name in the vault"):
        vault.load(name)
    with pytest.raises(ValueError, match="name in the vault"):
        vault.save(name, TOKENS)
    assert not folder.exists()


@settings(max_examples=30, deadline=None)
@given(
    name=st.from_regex(r"[a-z0-9_-][a-z0-9_.-]{0,20}", fullmatch=True),
    values=st.dictionaries(st.text(max_size=9), st.text(max_size=30), max_size=4),
)
def test_anything_that_is_saved_comes_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, values: dict[str, str]
) -> None:
    vault = FileVault(tmp_path_factory.getbasetemp() / "any")
    vault.save(name, values)
    assert vault.load(name) == values


def test_what_cannot_be_written_leaves_what_stood_there(vault: TokenStore, folder: Path) -> None:
    vault.save("x", TOKENS)
    script = (
        "import resource, sys; from pathlib import Path; from bridge.vault import FileVault\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))\n"
        "from bridge.core.errors import ConfigError\n"
        "try: FileVault(Path(sys.argv[1])).save('x', {'access_token': 'canary' * 9})\n"
        "except ConfigError as error: print(error)\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "x.json: cannot be written" in said
    assert "canary" not in said
    assert vault.load("x") == TOKENS
    assert [path.name for path in folder.iterdir()] == ["x.json"]


def test_content_and_name_are_synced_in_this_order(
    vault: TokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.save("x", {"access_token": "old"})
    calls: list[str] = []
    sync, replace = os.fsync, Path.replace

    def seen_sync(file: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(file).st_mode)
        calls.append("sync folder" if is_folder else "sync file")
        sync(file)

    def seen_replace(self: Path, target: Path) -> Path:
        calls.append(f"rename to {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", seen_sync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    vault.save("x", TOKENS)

    assert calls == ["sync file", "rename to x.json", "sync folder"]


DYING = """
import itertools, os, signal, sys
from pathlib import Path
from bridge.vault import FileVault
dies_at = int(sys.argv[2])
def audit(event, arguments, count=itertools.count()):
    # Every opening, renaming and removing of a file passes here before it happens.
    if event in {"open", "os.rename", "os.mkdir", "os.chmod"} and ".tok" in str(arguments):
        if next(count) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
vault = FileVault(Path(sys.argv[1]))
sys.addaudithook(audit)
vault.save("x", {"access_token": "new"})
"""


def test_a_process_killed_at_any_step_leaves_the_old_tokens_or_the_new(tmp_path: Path) -> None:
    folder = tmp_path / "a.tokens"
    vault = FileVault(folder)
    killed = 0
    for step in range(20):
        vault.save("x", {"access_token": "old"})
        ended = subprocess.run(
            [sys.executable, "-c", DYING, str(folder), str(step)],
            cwd=Path(__file__).parents[1],
            check=False,
        )
        found = vault.load("x")
        if ended.returncode == 0:
            assert found == {"access_token": "new"}
            break
        killed += 1
        assert found in ({"access_token": "old"}, {"access_token": "new"})
    assert killed >= 3


def test_a_stamp_differs_after_every_save(vault: FileVault) -> None:
    assert vault.stamp("x") is None
    for _ in range(3):
        before = vault.stamp("x")
        vault.save("x", TOKENS)
        assert vault.stamp("x") not in {before, None}


async def test_only_one_process_at_a_time_is_alone_and_a_dead_one_lets_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from bridge.vault import FileVault\n"
        "async def hold():\n"
        "    async with FileVault(Path(sys.argv[1])).alone('x'):\n"
        "        print('held', flush=True); sys.stdin.read()\n"
        "asyncio.run(hold())"
    )
    held = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    refused, lock = asyncio.Event(), fcntl.flock

    def seen_lock(file: int, how: int) -> None:
        try:
            lock(file, how)
        except BlockingIOError:
            refused.set()
            raise

    monkeypatch.setattr(fcntl, "flock", seen_lock)
    happened: list[str] = []

    async def wait_for_it() -> None:
        async with FileVault(folder).alone("x"):
            happened.append("alone")

    async with asyncio.timeout(60):
        assert held.stdout is not None
        assert await held.stdout.readline() == b"held\n"
        waiting = asyncio.create_task(wait_for_it())
        # It has tried while the other one held it, and was refused.
        await refused.wait()
        async with FileVault(folder).alone("y"):
            happened.append("another name")
        happened.append("killed")
        held.kill()
        await held.wait()
        await waiting
    assert happened == ["another name", "killed", "alone"]
    assert mode(folder / ".x.lock") == 0o600
