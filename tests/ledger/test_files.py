"""Lost, damaged, replaced and foreign ledgers: each stops the bridge with a word on what to do.

Bars of docs/reliability.md: R8, R9, R10, S9, S20.
"""

import random
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bridge.core.errors import LedgerDamaged, LedgerError, LedgerMissing
from bridge.core.listing import Wanted
from bridge.core.record import Cursor, PostRecord
from bridge.ledger import files, lease, schema
from bridge.ledger.care import verify
from bridge.ledger.room import SPARE, spare_path
from bridge.ledger.schema import migrations
from bridge.ledger.sqlite import SqliteLedger, open_ledger, open_reader
from tests.ledger.made import OUT, PRIVATE, T0, decision, delivered, key, post, recorded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
async def used(path: Path) -> Path:
    """A ledger that was used and closed."""
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    for number in range(30):
        await recorded(ledger, str(number), "word " * 50)
        await delivered(ledger, str(number), f"x{number}")
    await ledger.close()
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def open_to_others(path: Path) -> None:
    path.chmod(0o644)


def remove(*paths: Path) -> None:
    for path in paths:
        path.unlink()


async def refused(path: Path, kind: type[LedgerError], words: str) -> None:
    """Neither a daemon nor a reader can open it, and the daemon's try changes nothing of it."""
    before = content(path)
    for create in (True, False):
        with pytest.raises(kind, match=words):
            await open_ledger(path, owner="test", now=T0, create=create)
    assert content(path) == before


async def test_a_ledger_is_private_whatever_the_umask_and_its_folder_too(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await recorded(ledger, "1")

    assert mode(path.parent) == 0o700
    files = sorted(path.parent.iterdir())
    names = ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.lock"]
    names += ["ledger.db.spare", "ledger.id"]
    assert [file.name for file in files] == names
    assert {mode(file) for file in files} == {0o600}
    await ledger.close()


async def test_a_ledger_that_others_can_read_is_closed_to_them(used: Path) -> None:
    open_to_others(used)

    await (await open_ledger(used, owner="test", now=T0, create=False)).close()

    assert mode(used) == 0o600


async def test_every_connection_syncs_every_commit(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)

    def pragmas(database: sqlite3.Connection) -> list[object]:
        names = ("synchronous", "journal_mode", "foreign_keys")
        return [database.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await ledger._read(pragmas) == [2, "wal", 1]
    await ledger.close()


async def test_no_ledger_is_made_where_one_is_expected(path: Path) -> None:
    with pytest.raises(LedgerMissing, match="no ledger at"):
        await open_ledger(path, owner="test", now=T0, create=False)
    with pytest.raises(LedgerMissing, match="no ledger at"):
        await open_reader(path)
    assert not path.parent.exists()


async def test_a_lost_ledger_is_never_replaced_by_a_fresh_one(used: Path) -> None:
    remove(used)

    await refused(used, LedgerMissing, r"put it back from a backup, or remove ledger\.id")
    with pytest.raises(LedgerMissing, match="is missing"):
        await open_reader(used)
    assert content(used) is None


async def test_a_new_start_is_the_owners_word_alone(used: Path) -> None:
    remove(used, used.with_suffix(".id"))

    ledger = await open_ledger(used, owner="test", now=T0, create=True)
    assert await ledger.history() == ()
    await ledger.close()


async def test_another_ledger_in_its_place_is_noticed(used: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "ledger.db"
    await (await open_ledger(other, owner="test", now=T0, create=True)).close()
    shutil.copy(other, used)

    await refused(used, LedgerDamaged, "not the ledger that belongs here")
    with pytest.raises(LedgerDamaged, match="not the ledger that belongs here"):
        await open_reader(used)


@pytest.mark.parametrize("look", ["read", "verify"])
async def test_what_a_daemon_commits_while_one_looks_is_no_damage(
    used: Path, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    found = lease.found

    def and_then_a_commit(connection: sqlite3.Connection) -> lease.LeaseRow:
        row = found(connection)
        # A daemon beside it commits, and moves the marker on, right after the reader has looked.
        marker = files.read_marker(used)
        assert marker is not None
        files.write_marker(used, marker.ledger_id, row.commits + 1)
        return row

    monkeypatch.setattr(lease, "found", and_then_a_commit)
    if look == "read":
        await (await open_reader(used)).close()
    else:
        assert verify(used).findings == ()


async def test_a_ledger_without_its_marker_gets_it_back(used: Path) -> None:
    marker = used.with_suffix(".id")
    kept = marker.read_bytes()
    marker.unlink()

    await (await open_ledger(used, owner="test", now=T0, create=False)).close()

    assert marker.read_bytes()[:48] == kept[:48]
    assert mode(marker) == 0o600


async def test_an_older_copy_of_the_ledger_is_noticed(used: Path, tmp_path: Path) -> None:
    older = shutil.copy(used, tmp_path / "older.db")
    ledger = await open_ledger(used, owner="test", now=T0, create=False)
    await recorded(ledger, "new")
    await ledger.close()
    shutil.copy(older, used)

    await refused(used, LedgerDamaged, "has lost its last")


@pytest.mark.parametrize("keep", [0, 0.5])
async def test_a_cut_or_removed_write_ahead_log_is_noticed(
    used: Path, tmp_path: Path, keep: float
) -> None:
    ledger = await open_ledger(used, owner="test", now=T0, create=False)
    for number in range(4):
        await recorded(ledger, f"new {number}")
    # As a power cut would leave it: copied with the process still alive.
    crashed = tmp_path / "crashed" / "ledger.db"
    shutil.copytree(used.parent, crashed.parent)
    await ledger.close()
    wal = crashed.with_name("ledger.db-wal")
    log = wal.read_bytes()
    assert log

    whole = await open_ledger_copy(crashed, tmp_path / "whole")
    assert len(await whole.history()) == 34
    await whole.close()
    wal.write_bytes(log[: int(len(log) * keep)])
    with pytest.raises(LedgerDamaged, match="has lost its last"):
        await open_ledger(crashed, owner="test", now=T0, create=False)


async def open_ledger_copy(source: Path, folder: Path) -> SqliteLedger:
    shutil.copytree(source.parent, folder)
    return await open_ledger(folder / source.name, owner="test", now=T0, create=False)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(50_000))


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def shortened_to_its_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def of_another_program(path: Path) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE post (id)")
    database.commit()
    database.close()


async def all_that_a_reader_sees(path: Path) -> None:
    reader = await open_reader(path)
    try:
        await reader.history(limit=1_000)
    finally:
        await reader.close()


@pytest.mark.parametrize(
    "harm", [emptied, garbage, shortened, shortened_to_its_header, of_another_program]
)
async def test_a_damaged_ledger_stops_the_bridge(used: Path, harm: Callable[[Path], None]) -> None:
    harm(used)

    await refused(used, LedgerDamaged, "damaged.*backup")
    with pytest.raises(LedgerDamaged):
        await all_that_a_reader_sees(used)


async def test_a_ledger_written_by_a_newer_version_is_left_alone(used: Path) -> None:
    database = sqlite3.connect(used)
    database.execute(f"PRAGMA user_version = {len(migrations()) + 1}")
    database.commit()
    database.close()

    await refused(used, LedgerDamaged, "written by a newer version")
    with pytest.raises(LedgerDamaged, match="written by a newer version"):
        await open_reader(used)


async def test_flipped_bytes_are_noticed_or_harmless_never_misread(
    used: Path, tmp_path: Path
) -> None:
    ledger = await open_ledger(used, owner="test", now=T0, create=False)
    truth = await ledger.history(limit=100)
    await ledger.close()
    whole = content(used)
    assert whole
    chance = random.Random(20_261_122)
    noticed = 0
    for number in range(200):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        target = tmp_path / f"flip{number}" / "ledger.db"
        target.parent.mkdir()
        target.write_bytes(flipped)
        try:
            ledger = await open_ledger(target, owner="test", now=T0, create=False)
        except LedgerDamaged:
            noticed += 1
            continue
        try:
            found = await ledger.history(limit=100)
        except LedgerDamaged:
            noticed += 1
        else:
            # Letters within a text are all that can differ: no post, part or state goes missing.
            assert [(r.state, len(r.parts)) for r in found] == [
                (r.state, len(r.parts)) for r in truth
            ]
        finally:
            await ledger.close()
    assert noticed > 20


def shown(records: Sequence[PostRecord]) -> list[object]:
    """What tells a post, its state and its mirror from others."""
    return [
        (r.source, r.source_url, r.created_at, p.state, p.target_id, p.target_url)
        for r in records
        for p in r.parts
    ]


@pytest.mark.parametrize("large", [False, True])
async def test_no_command_shows_a_ledger_that_verify_finds_damaged(
    used: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    large: bool,
) -> None:
    reader = await open_reader(used)
    truth = (await reader.history(limit=100), await reader.listing(Wanted(limit=100)))
    await reader.close()
    assert shown(truth[0])
    whole = content(used)
    assert whole
    chance = random.Random(20_261_201)
    noticed = 0
    for number in range(200):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        target = tmp_path / f"flip{number}" / "ledger.db"
        target.parent.mkdir()
        target.write_bytes(flipped)
        try:
            damaged = bool(verify(target).findings)
        except LedgerDamaged:
            damaged = True
        noticed += damaged
        with monkeypatch.context() as patched:
            if large:
                patched.setattr(schema, "FULL_CHECK_UP_TO", 0)
            try:
                reader = await open_reader(target)
            except LedgerDamaged:
                continue
            try:
                found = (await reader.history(limit=100), await reader.listing(Wanted(limit=100)))
            except LedgerDamaged:
                continue
            finally:
                await reader.close()
        if large:
            # Only the posts that are shown are compared, with the indexes that lead to them.
            assert shown(found[0]) == shown(found[1].records) == shown(truth[0]), number
        else:
            assert not damaged or found == truth, number
    assert noticed > 20


def put_a_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(path.rename(elsewhere))


async def test_a_link_is_not_followed(used: Path, tmp_path: Path) -> None:
    put_a_link(used, tmp_path / "elsewhere.db")

    with pytest.raises(LedgerDamaged, match="not a plain file"):
        await open_ledger(used, owner="test", now=T0, create=True)


@pytest.mark.parametrize("name", ["with space.db", "what?.db", "50%.db", "#1.db", "ü.db"])
async def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await recorded(ledger, "1")
    reader = await open_reader(path)
    assert len(await reader.history()) == 1
    await reader.close()
    await ledger.close()
    assert path.stat().st_size


async def test_a_half_made_ledger_of_a_killed_first_start_is_in_nobodys_way(path: Path) -> None:
    path.parent.mkdir()
    path.with_name("ledger.db.new").write_bytes(b"half of it")

    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await ledger.close()
    assert not path.with_name("ledger.db.new").exists()


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(LedgerError, match="file"):
        await open_ledger(tmp_path / "file" / "ledger.db", owner="test", now=T0, create=True)


async def recorded_until_the_disk_is_full(ledger: SqliteLedger) -> int:
    """The number of the first post that found no room."""
    for number in range(1, 1_000):
        try:
            await recorded(ledger, str(number), "long " * 1_000)
        except LedgerError as error:
            if "the disk is full" not in str(error):
                raise
            return number
    pytest.fail("the disk never became full")


async def test_a_full_disk_stops_writing_but_not_the_ledger(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await recorded(ledger, "0")

    def limit(pages: int) -> Callable[[sqlite3.Connection], object]:
        return lambda database: database.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    await ledger._read(limit(1))  # SQLite makes it the present size
    stored = await recorded_until_the_disk_is_full(ledger)
    assert len(await ledger.history(limit=1_000)) == stored
    assert (await ledger.cursor(OUT)) is not None
    assert (await ledger.known(OUT, [post(str(stored)).id])) == frozenset()

    await ledger._read(limit(1_000_000))
    await recorded(ledger, str(stored), "long " * 1_000)
    await ledger.claim(key(str(stored)), T0, "hash")
    await ledger.close()
    await (await open_ledger(path, owner="test", now=T0, create=False)).close()


def journal_of(path: Path) -> int:
    return path.with_name("ledger.db-wal").stat().st_size


async def test_r8_the_journal_stays_short_and_is_cut_after_a_large_change(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    longest = 0
    for number in range(60):
        await recorded(ledger, str(number), "long " * 100)
        longest = max(longest, journal_of(path))
    assert longest < 2 * SPARE
    await recorded(ledger, "large", "long " * 200_000)
    assert journal_of(path) > 2 * SPARE
    await recorded(ledger, "after it", "long")
    assert journal_of(path) < 2 * SPARE
    await ledger.close()


LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from bridge.core.errors import LedgerFull
from bridge.ledger.sqlite import open_ledger
from tests.ledger.made import T0, recorded

async def main(path):
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        for number in range(1000):
            await recorded(ledger, str(number), "long " * 1000)
    except LedgerFull as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await recorded(ledger, str(number), "long " * 1000)
    print(len(await ledger.history(limit=1000)) - number)
    await ledger.close()

asyncio.run(main(Path(sys.argv[1])))
"""


def test_r8_a_limit_or_a_quota_is_a_full_disk_and_waited_for_alike(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    said, kept = done.stdout.splitlines()
    assert "the disk takes no more (a quota, or a fault)" in said
    assert "Make room; the bridge goes on by itself" in said
    assert kept == "1"


async def test_the_spare_room_is_private_and_remade_when_it_is_gone_or_cut(used: Path) -> None:
    spare = spare_path(used)
    for harm in (spare.unlink, lambda: spare.write_bytes(b""), lambda: None):
        harm()
        await (await open_ledger(used, owner="test", now=T0, create=False)).close()
        assert spare.stat().st_size == SPARE
        assert mode(spare) == 0o600
        # That the room is taken, and not merely promised.
        assert spare.stat().st_blocks * 512 >= SPARE


async def test_a_marker_that_cannot_be_written_is_said_once_and_once_when_it_can(
    used: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ledger = await open_ledger(used, owner="test", now=T0, create=False)
    marker = used.with_suffix(".id")
    kept = used.with_suffix(".kept")
    marker.rename(kept)
    for number in range(3):
        await recorded(ledger, f"without {number}")
    kept.rename(marker)
    for number in range(3):
        await recorded(ledger, f"with {number}")
    await ledger.close()
    said = [record.message for record in caplog.records if "ledger.id" in record.message]
    assert [line.partition(str(marker))[0] + line.partition(str(marker))[2] for line in said] == [
        "cannot write to : No such file or directory",
        " can be written again",
    ]


async def test_a_closed_ledger_says_so(used: Path) -> None:
    ledger = await open_ledger(used, owner="test", now=T0, create=False)
    await ledger.close()

    with pytest.raises(LedgerError, match="closed"):
        await ledger.history()


async def test_text_of_skipped_posts_is_nowhere_in_the_files(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await ledger.start(OUT, Cursor(), ())
    secret = post("1", text="canary-in-a-coal-mine")
    await ledger.record(OUT, decision(secret, verdict=PRIVATE), Cursor())
    await ledger.record(OUT, decision(secret, verdict=PRIVATE), Cursor())

    for file in path.parent.iterdir():
        assert b"canary" not in file.read_bytes(), file.name
    await ledger.close()
