"""What a writer of tokens leaves behind that is killed: the new ones if they were written whole."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.errors import ConfigError
from bridge.vault import FileVault

OLD, NEW = {"access": "canary-old"}, {"access": "canary-new", "refresh": "canary-next"}
WHOLE = json.dumps(NEW).encode()

KILLED = """
import fcntl, json, os, signal, sys
from pathlib import Path
from bridge.vault import FileVault

CALLS = ("open", "write", "fsync", "fchmod", "rename", "replace", "unlink", "close", "mkdir",
         "chmod", "scandir", "listdir", "stat", "lstat", "fstat", "pread", "flock")
folder, mode = Path(sys.argv[1]), sys.argv[2]

def mortal(dies_at):
    calls = []
    def guarded(name, call):
        def wrapper(*given, **named):
            if len(calls) == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            calls.append(name)
            done = call(*given, **named)
            if name == "fsync" and mode == "save":
                (folder.parent / "synced").touch()
            return done
        return wrapper
    for name in CALLS:
        module = fcntl if name == "flock" else os
        if hasattr(module, name):
            setattr(module, name, guarded(name, getattr(module, name)))

for step in range(200):
    (folder.parent / "synced").unlink(missing_ok=True)
    for each in folder.iterdir():
        each.unlink()
    FileVault(folder).save("x", json.loads(sys.argv[3]))
    if mode == "load":
        left = folder / ".x.0123456789abcdef.new"
        left.touch(0o600)
        left.write_bytes(sys.argv[4].encode())
    child = os.fork()
    if not child:
        mortal(step)
        vault = FileVault(folder)
        vault.save("x", json.loads(sys.argv[4])) if mode == "save" else vault.load("x")
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    synced = (folder.parent / "synced").exists()
    left = len([each for each in folder.iterdir() if each.name.endswith(".new")])
    found = FileVault(folder).load("x")
    names = [each.name for each in folder.iterdir()]
    modes = {each.stat().st_mode & 0o777 for each in folder.iterdir()}
    print(json.dumps([ended, synced, left, found, names, sorted(modes)]), flush=True)
    if not ended:
        break
"""


def killed_everywhere(folder: Path, mode: str) -> list[tuple[int, bool, int, dict[str, str]]]:
    """Each way of ending: its status, whether the file was synced, files left behind, the tokens.

    The child is killed before its first system call on files, its second, and so on to the end.
    """
    folder.mkdir(parents=True, mode=0o700)
    told = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), mode, json.dumps(OLD), json.dumps(NEW)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [json.loads(line) for line in told.splitlines()]
    assert {tuple(names) for *_, names, _ in rows} == {("x.json",)}
    assert {tuple(modes) for *_, modes in rows} == {(0o600,)}
    return [(ended, synced, left, found) for ended, synced, left, found, *_ in rows]


def test_killed_at_any_system_call_the_tokens_that_were_written_whole_count(
    tmp_path: Path,
) -> None:
    rows = killed_everywhere(tmp_path / "tokens", "save")
    assert rows[-1][0] == 0
    assert len(rows) > 8
    assert any(left for _, synced, left, _ in rows if synced)
    for ended, synced, _, found in rows:
        assert found in (OLD, NEW)
        if synced or not ended:
            assert found == NEW


def test_a_recovery_that_is_killed_at_any_system_call_is_done_by_the_next_process(
    tmp_path: Path,
) -> None:
    rows = killed_everywhere(tmp_path / "tokens", "load")
    assert len(rows) > 5
    assert {json.dumps(found) for *_, found in rows} == {json.dumps(NEW)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


@pytest.fixture
def vault(folder: Path) -> FileVault:
    made = FileVault(folder)
    made.save("x", OLD)
    return made


def leave(folder: Path, content: bytes, *, age: float, mode: int = 0o600, digit: str = "0") -> Path:
    """A file that a writer left behind, `age` seconds before what stands there was written."""
    path = folder / f".x.{digit * 16}.new"
    path.write_bytes(content)
    path.chmod(mode)
    at = (folder / "x.json").stat().st_mtime_ns - int(age * 1e9)
    os.utime(path, ns=(at, at))
    return path


@pytest.mark.parametrize("age", [-7200.0, -0.001, 0.0])
def test_what_was_to_replace_the_tokens_replaces_them(
    vault: FileVault, folder: Path, age: float
) -> None:
    leave(folder, WHOLE, age=age)
    assert vault.load("x") == NEW
    assert vault.load("x") == NEW
    assert [each.name for each in folder.iterdir()] == ["x.json"]


@pytest.mark.parametrize("age", [0.001, 7200.0, 1e8])
def test_what_is_older_than_the_tokens_is_removed(
    vault: FileVault, folder: Path, age: float
) -> None:
    leave(folder, WHOLE, age=age)
    assert vault.load("x") == OLD
    assert [each.name for each in folder.iterdir()] == ["x.json"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_was_not_written_to_its_end_is_removed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any") / "tokens"
    vault = FileVault(folder)
    vault.save("x", OLD)
    damaged = data.draw(
        st.one_of(
            st.integers(0, len(WHOLE) - 1).map(lambda end: WHOLE[:end]),
            st.integers(1, len(WHOLE) - 1).map(
                lambda end: WHOLE[:end] + b"\0" * (len(WHOLE) - end)
            ),
            st.sampled_from([b"[]", b"7", b'{"a": 7}', b"\xff", b"[" * 9000, b"{}" * 40_000]),
        )
    )
    leave(folder, damaged, age=-1)
    assert vault.load("x") == OLD
    assert [each.name for each in folder.iterdir()] == ["x.json"]


def test_of_several_the_newest_whole_one_counts(vault: FileVault, folder: Path) -> None:
    leave(folder, b'{"access": "canary', age=-3, digit="a")
    leave(folder, WHOLE, age=-2, digit="b")
    leave(folder, b'{"access": "canary-older"}', age=-1, digit="c")
    assert vault.load("x") == NEW
    assert [each.name for each in folder.iterdir()] == ["x.json"]


def test_the_first_tokens_of_all_are_recovered_too(vault: FileVault, folder: Path) -> None:
    leave(folder, WHOLE, age=-1)
    (folder / "x.json").unlink()
    assert vault.load("x") == NEW


def test_damaged_tokens_are_replaced_by_what_was_to_replace_them(
    vault: FileVault, folder: Path
) -> None:
    leave(folder, WHOLE, age=-60)
    (folder / "x.json").write_bytes(b"")
    os.utime(folder / "x.json", (1, 1))
    assert vault.load("x") == NEW


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o620])
def test_new_tokens_that_others_can_read_are_not_taken(
    vault: FileVault, folder: Path, bits: int
) -> None:
    path = leave(folder, WHOLE, age=-1, mode=bits)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}") as refused:
        vault.load("x")
    assert "canary" not in str(refused.value)
    path.chmod(0o600)
    assert vault.load("x") == NEW


def test_a_folder_that_others_can_write_to_gives_nothing(vault: FileVault, folder: Path) -> None:
    leave(folder, WHOLE, age=-1)
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match=f"chmod 700 {folder}"):
        vault.load("x")
    folder.chmod(0o700)
    assert vault.load("x") == NEW


def test_neither_a_link_nor_a_pipe_is_taken_for_tokens(
    vault: FileVault, folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(WHOLE)
    elsewhere.chmod(0o600)
    (folder / f".x.{'a' * 16}.new").symlink_to(elsewhere)
    os.mkfifo(folder / f".x.{'b' * 16}.new", 0o600)
    assert vault.load("x") == OLD
    assert elsewhere.read_bytes() == WHOLE
    assert [each.name for each in folder.iterdir()] == ["x.json"]


def test_a_new_login_removes_what_was_left_behind(vault: FileVault, folder: Path) -> None:
    leave(folder, WHOLE, age=-1)
    vault.save("x", OLD)
    assert vault.load("x") == OLD
    assert [each.name for each in folder.iterdir()] == ["x.json"]


def test_what_was_left_behind_under_another_name_is_not_touched(
    vault: FileVault, folder: Path
) -> None:
    others = [folder / name for name in (f".x.y.{'0' * 16}.new", ".x.lock", f".y.{'0' * 16}.new")]
    for other in others:
        other.write_bytes(WHOLE)
        other.chmod(0o600)
    assert vault.load("x") == OLD
    vault.save("x", OLD)
    assert all(other.exists() for other in others)


def test_a_writer_that_lives_is_not_disturbed(vault: FileVault, folder: Path) -> None:
    """Several processes that write and read one name: each sees whole tokens, no writing fails."""

    def write(number: int) -> None:
        for count in range(40):
            FileVault(folder).save("x", {"access": f"{number}-{count}"})

    def read() -> None:
        for _ in range(80):
            found = FileVault(folder).load("x")
            assert found is not None
            assert found["access"]

    with ThreadPoolExecutor(4) as pool:
        for done in [*(pool.submit(write, each) for each in range(2)), pool.submit(read)]:
            done.result()
    assert vault.load("x") in [{"access": f"{number}-39"} for number in range(2)]
    assert [each.name for each in folder.iterdir()] == ["x.json"]
    assert stat.S_IMODE((folder / "x.json").stat().st_mode) == 0o600
