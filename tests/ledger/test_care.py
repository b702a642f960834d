"""Copies of a ledger: whole or not there, private, made beside a writer, put back in one step.

Bars of docs/reliability.md: R9, R18.
"""

import contextlib
import json
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.delivery import PartEvent, PartState
from bridge.core.errors import LedgerDamaged, LedgerError, LedgerInUse, LedgerMissing
from bridge.ledger import care
from bridge.ledger.schema import APPLICATION_ID, migrations
from bridge.ledger.sqlite import open_ledger, open_reader
from tests.ledger.children import ROOT, daemon
from tests.ledger.made import BACK, OUT, PRIVATE, T0, delivered, key, minutes, recorded

LATER = T0 + timedelta(hours=5)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A ledger that was used and closed: a delivered post, a planned one, a skipped one."""
    ledger = tmp_path / "state" / "ledger.db"
    opened = await open_ledger(ledger, owner="test", now=T0, create=True)
    await recorded(opened, "1", "one", "two")
    await delivered(opened, "1", "x1", 0)
    await delivered(opened, "1", "x2", 1)
    await recorded(opened, "2")
    await recorded(opened, "3", verdict=PRIVATE)
    await opened.close()
    return ledger


async def sources(path: Path) -> list[str]:
    reader = await open_reader(path)
    found = [record.source for record in await reader.history()]
    await reader.close()
    return sorted(found)


def write(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute(statement)
    database.commit()
    database.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def content(path: Path) -> bytes:
    return path.read_bytes()


def remove(path: Path) -> None:
    path.unlink()


def files_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.is_file())


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5000:9000] = b"\x55" * 4000
    path.write_bytes(content)


def test_what_is_whole_is_said_to_be_with_what_was_checked(path: Path) -> None:
    found = care.verify(path)
    assert found.findings == ()
    assert any("3 posts with 3 parts" in what for what in found.checked)
    assert any("ledger.id" in what for what in found.checked)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM part WHERE post_id = 1 AND idx = 0", "gap among them"),
        ("DELETE FROM part WHERE post_id = 2", "post 2 has no parts"),
        ("UPDATE part SET state = 'planned', target_id = NULL WHERE post_id = 1", "last move led"),
        ("UPDATE part SET state = 'in-doubt' WHERE post_id = 2", "without an attempt"),
        ("UPDATE part SET body = NULL WHERE post_id = 2", "has no text"),
        ("UPDATE part SET body = '{}' WHERE post_id = 2", "cannot be read"),
        ("UPDATE post SET reason = 'because' WHERE id = 3", "cannot be read"),
        ("UPDATE post SET pending = '[]' WHERE id = 1", "cannot be read"),
        ("DELETE FROM known_id WHERE source = '3'", "not known by its id"),
        ("DELETE FROM meta WHERE name = 'fingerprint_key'", "fingerprint key"),
        ("UPDATE part SET post_id = 9 WHERE post_id = 2", "refers to one of post"),
    ],
)
def test_what_does_not_hold_together_is_found_and_named(
    path: Path, statement: str, words: str
) -> None:
    write(path, statement)
    findings = care.verify(path).findings
    assert any(words in finding for finding in findings), findings


def test_a_finding_tells_no_text(path: Path) -> None:
    write(path, 'UPDATE part SET body = \'{"version": 1, "text": "canary"}\' WHERE post_id = 2')
    assert "canary" not in " ".join(care.verify(path).findings)


def test_a_broken_page_is_found(path: Path) -> None:
    overwritten(path)
    with contextlib.suppress(LedgerDamaged):
        assert care.verify(path).findings


def test_a_missing_or_foreign_ledger_is_said_to_be(path: Path, tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing):
        care.verify(tmp_path / "nowhere.db")
    path.with_suffix(".id").write_text(f"twinpost ledger {'0' * 32}\n{0:020d}\n")
    with pytest.raises(LedgerDamaged, match="not the ledger that belongs here"):
        care.verify(path)


async def test_a_backup_is_whole_private_and_one_file(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.db"
    care.back_up(path, target, T0)
    assert mode(target) == 0o600
    assert files_in(tmp_path) == ["elsewhere.db"]
    assert await sources(target) == ["1", "2", "3"]
    assert care.verify(target).findings == ()


def test_a_backup_never_replaces_a_file(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.write_text("precious")
    with pytest.raises(LedgerError, match="name a new file"):
        care.back_up(path, target, T0)
    assert target.read_text() == "precious"


def test_a_backup_that_would_be_damaged_is_not_kept(path: Path, tmp_path: Path) -> None:
    write(path, "DELETE FROM part WHERE post_id = 2")
    with pytest.raises(LedgerDamaged):
        care.back_up(path, tmp_path / "backup", T0)
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


async def test_a_backup_beside_a_writer_has_all_that_was_committed(
    path: Path, tmp_path: Path
) -> None:
    with daemon(path, "daemon") as child:
        assert child.says() == "open"
        assert child.ask("record 4") == "done"
        care.back_up(path, tmp_path / "backup", T0)
        assert child.ask("record 5") == "done"
    assert await sources(tmp_path / "backup") == ["1", "2", "3", "4"]


async def test_a_restored_ledger_is_the_backup_and_the_old_one_is_kept(
    path: Path, tmp_path: Path
) -> None:
    care.back_up(path, tmp_path / "backup", T0)
    ledger = await open_ledger(path, owner="test", now=T0, create=False)
    await recorded(ledger, "4")
    await ledger.close()
    done = care.restore(path, tmp_path / "backup", LATER)
    assert await sources(path) == ["1", "2", "3"]
    assert done.taken == T0
    assert done.aside is not None
    assert await sources(done.aside) == ["1", "2", "3", "4"]
    assert mode(path) == mode(done.aside) == 0o600
    reopened = await open_ledger(path, owner="test", now=LATER, create=False)
    await recorded(reopened, "5")
    await reopened.close()
    assert care.verify(path).findings == ()


async def test_what_was_unsent_in_the_backup_is_held_and_says_what_to_do(
    path: Path, tmp_path: Path
) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=False)
    for name, event in (("4", None), ("5", PartEvent.DOUBT)):
        await recorded(ledger, name, "one", "two")
        await ledger.claim(key(name), T0, "hash")
        if event is not None:
            await ledger.settle(key(name), event, T0)
    await ledger.close()
    care.back_up(path, tmp_path / "backup", T0)
    done = care.restore(path, tmp_path / "backup", LATER)
    assert done.held == 5
    ledger = await open_ledger(path, owner="test", now=LATER, create=False)
    held = await ledger.held(OUT)
    assert sorted(part.key.source for part in held) == ["2", "4", "4", "5", "5"]
    assert all("twinpost resolve" in part.detail for part in held)
    assert await ledger.next_due(OUT, LATER + timedelta(days=400)) is None
    assert await ledger.unproven(OUT) == ()
    again = await ledger.settle(key("2"), PartEvent.OWNER_SAYS_RETRY, LATER)
    assert again.state is PartState.PLANNED
    await ledger.close()


def test_nothing_is_restored_while_a_process_writes(path: Path, tmp_path: Path) -> None:
    care.back_up(path, tmp_path / "backup", T0)
    with daemon(path, "daemon") as child:
        assert child.says() == "open"
        with pytest.raises(LedgerInUse):
            care.restore(path, tmp_path / "backup", LATER)
        assert child.ask("record 4") == "done"


async def test_a_lost_ledger_comes_back_and_no_log_of_the_old_one_is_played_into_it(
    path: Path, tmp_path: Path
) -> None:
    care.back_up(path, tmp_path / "backup", T0)
    with daemon(path, "daemon") as child:
        assert child.says() == "open"
        assert child.ask("record 4") == "done"
        child.signal(signal.SIGKILL)
        child.wait()
    assert path.with_name("ledger.db-wal").stat().st_size
    remove(path)
    assert care.restore(path, tmp_path / "backup", LATER).aside is None
    assert await sources(path) == ["1", "2", "3"]


@pytest.mark.parametrize("harm", [overwritten, lambda path: path.write_bytes(b"\x00" * 4096)])
async def test_a_damaged_ledger_is_replaced_and_kept_as_it_is(
    path: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    care.back_up(path, tmp_path / "backup", T0)
    harm(path)
    damaged = content(path)
    done = care.restore(path, tmp_path / "backup", LATER)
    assert done.aside is not None
    assert content(done.aside) == damaged
    assert await sources(path) == ["1", "2", "3"]


async def test_a_damaged_backup_or_one_of_another_ledger_changes_nothing(
    path: Path, tmp_path: Path
) -> None:
    before = content(path)
    care.back_up(path, tmp_path / "backup", T0)
    overwritten(tmp_path / "backup")
    with pytest.raises(LedgerDamaged):
        care.restore(path, tmp_path / "backup", LATER)
    other = tmp_path / "other" / "ledger.db"
    await (await open_ledger(other, owner="test", now=T0, create=True)).close()
    with pytest.raises(LedgerDamaged, match="another ledger"):
        care.restore(path, other, LATER)
    (tmp_path / "text").write_text("not a ledger" * 500)
    with pytest.raises(LedgerDamaged):
        care.restore(path, tmp_path / "text", LATER)
    newer = Path(shutil.copy(path, tmp_path / "newer"))
    write(newer, f"PRAGMA user_version = {len(migrations()) + 1}")
    with pytest.raises(LedgerDamaged, match="newer version"):
        care.restore(path, newer, LATER)
    with pytest.raises(LedgerError, match="no file"):
        care.restore(path, tmp_path / "nowhere", LATER)
    assert content(path) == before
    # Whoever only looks leaves SQLite's own files behind, empty.
    logs = {"ledger.db-shm", "ledger.db-wal"}
    kept = {"ledger.db", "ledger.db.lock", "ledger.db.spare", "ledger.id"}
    assert set(files_in(path.parent)) - logs == kept


def test_a_copy_that_somebody_made_by_hand_will_do(path: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copy(path, tmp_path / "copy"))
    assert care.restore(path, copied, LATER).taken == T0


@pytest.mark.parametrize("number", range(1, len(migrations()) + 1))
async def test_a_backup_of_every_released_version_can_be_restored(
    tmp_path: Path, number: int
) -> None:
    specimen = Path(__file__).parent / "schemas" / f"{number:04d}.sql"
    backup, ledger = tmp_path / "old", tmp_path / "state" / "ledger.db"
    database = sqlite3.connect(backup)
    database.executescript(specimen.read_text("utf-8"))
    assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    database.close()
    assert care.restore(ledger, backup, LATER).held == 1
    assert await sources(ledger) == ["1", "2", "3"]
    assert care.verify(ledger).findings == ()


async def test_a_restored_route_waits_for_its_first_whole_pass_and_a_fresh_one_does_not(
    path: Path, tmp_path: Path
) -> None:
    care.back_up(path, tmp_path / "backup", T0)
    care.restore(path, tmp_path / "backup", LATER)
    ledger = await open_ledger(path, owner="test", now=LATER, create=False)
    assert (await ledger.passage(OUT)).restored
    assert not (await ledger.passage(BACK)).restored
    await ledger.note_passed(OUT, LATER + minutes(1))
    assert not (await ledger.passage(OUT)).restored
    await ledger.close()


DYING = """
import json, os, signal, sys
from datetime import timedelta
from pathlib import Path
from bridge.ledger import care, files
from tests.ledger.made import T0

what, ledger, other, dies = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
made = 0

def audit(event, arguments):
    # Everything that changes a name or a file passes here, before it is done.
    global made
    names = {"os.rename", "os.remove", "os.link", "os.truncate", "sqlite3.connect"}
    opened = event == "open" and str(ledger.parent) in str(arguments[0])
    if event in names or opened:
        if made == dies:
            os.kill(os.getpid(), signal.SIGKILL)
        made += 1

sys.addaudithook(audit)
sync = os.fsync
def synced(file):
    global made
    if made == dies:
        os.kill(os.getpid(), signal.SIGKILL)
    made += 1
    sync(file)
os.fsync = synced
if what == "restore":
    care.restore(ledger, other, T0 + timedelta(hours=5))
else:
    care.back_up(ledger, other, T0)
print(made)
"""


def killed(what: str, ledger: Path, other: Path, at: int) -> int | None:
    """Do `what` and die before its step `at`; the number of steps where it came to the end."""
    ended = subprocess.run(
        [sys.executable, "-c", DYING, what, str(ledger), str(other), str(at)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == -signal.SIGKILL:
        return None
    assert ended.returncode == 0, ended.stderr
    return int(json.loads(ended.stdout))


async def test_killed_at_any_step_a_restore_leaves_the_old_ledger_or_the_new_one(
    path: Path, tmp_path: Path
) -> None:
    care.back_up(path, tmp_path / "backup", T0)
    ledger = await open_ledger(path, owner="test", now=T0, create=False)
    await recorded(ledger, "4")
    await ledger.close()
    found: list[list[str]] = []
    steps, at = None, 0
    while steps is None:
        copy = tmp_path / f"state{at}"
        shutil.copytree(path.parent, copy)
        steps = killed("restore", copy / path.name, tmp_path / "backup", at)
        # A daemon that starts now goes on with the one or the other, whole.
        opened = await open_ledger(copy / path.name, owner="test", now=LATER, create=True)
        found.append(sorted(record.source for record in await opened.history()))
        restored = found[-1] == ["1", "2", "3"]
        assert (await opened.passage(OUT)).restored is restored
        assert (await opened.next_due(OUT, LATER) is None) is restored
        await opened.close()
        # And the restore can be made again.
        care.restore(copy / path.name, tmp_path / "backup", LATER)
        assert await sources(copy / path.name) == ["1", "2", "3"]
        at += 1
    old, new = ["1", "2", "3", "4"], ["1", "2", "3"]
    switch = found.index(new)
    assert switch > 5
    assert found == [old] * switch + [new] * (len(found) - switch)


async def test_killed_at_any_step_a_backup_is_whole_or_not_there(
    path: Path, tmp_path: Path
) -> None:
    steps, at = None, 0
    while steps is None:
        target = tmp_path / f"backup{at}"
        steps = killed("back-up", path, target, at)
        if target.exists():
            assert care.verify(target).findings == ()
        else:
            care.back_up(path, target, T0)
        at += 1
    assert at > 4
