"""R8: a disk that is really full: nothing is sent unrecorded, and all goes on once there is room.

The state folder (ledger, its journal, media, tokens) is a file system of 128 megabytes, and for the
ledger alone one of a single mebibyte. It takes root to make them; elsewhere
`tests/engine/test_degraded.py` and `tests/ledger/test_files.py` limit the ledger's file,
`tests/media/test_store.py` and `tests/test_vault.py` the rest.
"""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bridge.app.wiring import Running
from bridge.core.delivery import PostState
from bridge.core.errors import LedgerFull, TwinpostError
from bridge.core.model import Network
from bridge.engine.supervise import Daemon
from bridge.sandbox.mastodon import Attachment
from bridge.vault import FileVault
from tests.crash.stage import HOME, OUT, Stage, record, staged, words
from tests.crossing import samples
from tests.engine.conftest import Rig
from tests.fakes import FakeNetwork, PatientClock


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of that size at `folder`."""
    folder.mkdir(parents=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("a small disk can be made by root only, and not in every container")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 128 megabytes."""
    with disk(tmp_path / "stage" / "state", "128m") as folder:
        yield folder


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[Rig]:
    """A bridge whose ledger is on a disk of one mebibyte."""
    with disk(tmp_path / "state", "1m") as folder:
        clock = PatientClock()
        mastodon = FakeNetwork(Network.MASTODON, clock, max_length=500)
        ledger = await Rig.opened(folder, clock)
        rig = Rig(folder, clock, mastodon, FakeNetwork(Network.X, clock), ledger)
        yield rig
        await rig.ledger.close()


@pytest.fixture
async def stage(small: Path) -> AsyncIterator[Stage]:
    async with staged(small.parent) as made:
        yield made


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 512):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return ballast


async def turn(stage: Stage, running: Running, times: int) -> int:
    """So many turns of every lane, a minute apart; how many found no room."""
    full = 0
    for _ in range(times):
        stage.clock.pass_time(60)
        for lane in running.daemon.lanes:
            try:
                await lane.turn(read=True)
            except LedgerFull:
                full += 1
    return full


async def test_r8_on_a_full_disk_nothing_is_sent_unrecorded_and_with_room_all_is_sent_once(
    stage: Stage, small: Path
) -> None:
    async with stage.running() as running:
        ballast = fill(small)
        picture = Attachment(samples.png("red"), "a square")
        posts = [stage.mastodon.write(stage.mastodon_account, "in colours", media=(picture,)).id]
        stage.by_hand.add(posts[0])
        full = 0
        # It has a little room of its own, and makes the most of it.
        while not full and len(posts) < 200:
            name = f"full {len(posts)}"
            posts += [stage.write(way, words(f"{name} {way}", 400)) for way in (OUT, HOME)]
            full = await turn(stage, running, 1)
        assert full
        history = await running.control.history(limit=1000)
        begun = [part for one in history for part in one.parts if part.attempts]
        sent = [one[0] for direction in (OUT, HOME) for one in stage.mirrors(direction)]
        # What was sent had found room for its claim before, if not for its receipt.
        assert len(sent) <= len(begun)
        ballast.unlink()
        assert await turn(stage, running, 8) == 0
        found = [await record(running, post) for post in posts]
    assert [one.state for one in found] == [PostState.DELIVERED] * len(posts)
    for direction in (OUT, HOME):
        texts = [text for _, text, _ in stage.mirrors(direction)]
        assert len(texts) == len(set(texts))
    made = [one[0] for direction in (OUT, HOME) for one in stage.mirrors(direction)]
    assert len(made) > len(sent)
    assert sorted(made) == sorted(part.target_id or "" for one in found for part in one.parts)


async def until_full(rig: Rig, daemon: Daemon) -> str:
    """Have the author write until the ledger says that it cannot; returns what it says."""
    for number in range(400):
        rig.mastodon.write(f"Post {number}" + " long" * 50)
        rig.clock.pass_time(60)
        try:
            await daemon.once()
        except LedgerFull as error:
            return str(error)
    pytest.fail("a disk of one mebibyte never became full")


async def test_r8_on_a_tiny_disk_the_journal_leaves_the_room_to_the_posts(tiny: Rig) -> None:
    daemon = await tiny.started()
    said = await until_full(tiny, daemon)
    assert "the disk is full" in said
    assert "Make room; the bridge goes on by itself" in said
    # It takes a fifth of a mebibyte empty, and three kibibytes a post; what is left is room.
    assert len(tiny.x.published) > 60
    journal = next(path for path in tiny.folder.iterdir() if path.name.endswith("-wal"))
    assert journal.stat().st_size < 256 * 1024
    # Whatever was sent is on record, be it only as begun.
    tried = [part for one in await tiny.ledger.history(limit=1000) for part in one.parts]
    assert len(tiny.x.published) <= sum(part.attempts for part in tried)


async def test_r8_on_a_tiny_disk_it_goes_on_by_itself_as_often_as_there_is_room(tiny: Rig) -> None:
    daemon = await tiny.started()
    before = list(tiny.mastodon.posts)
    for ballast in [tiny.folder / f"ballast {number}" for number in range(3)]:
        ballast.write_bytes(bytes(96 * 1024))
    for number in range(3):
        await until_full(tiny, daemon)
        sent = len(tiny.x.published)
        (tiny.folder / f"ballast {number}").unlink()
        # What was cut off in the middle is proven first, which takes a minute and a half.
        await tiny.pass_time(daemon, 300, step=60)
        assert len(tiny.x.published) > sent
        assert len(tiny.x.posts) == len(tiny.mastodon.posts) - len(before)
    texts = [post.text.plain for post in tiny.x.posts]
    assert texts == [post.text.plain for post in tiny.mastodon.posts[len(before) :]]


async def test_r8_a_process_that_starts_on_a_full_disk_empties_a_journal_left_behind(
    tiny: Rig,
) -> None:
    daemon = await tiny.started()
    for number in range(3):
        tiny.mastodon.write(f"Post {number}")
        await daemon.once()
    killed = tiny.ledger
    left = {path.name: path.read_bytes() for path in tiny.folder.iterdir() if path.is_file()}
    await killed.close()
    for name, content in left.items():
        (tiny.folder / name).write_bytes(content)
    fill(tiny.folder)
    # The lease of a process that was killed runs out in half a minute.
    tiny.clock.pass_time(60)
    tiny.ledger = await Rig.opened(tiny.folder, tiny.clock)
    assert len(await tiny.ledger.history()) == 6
    tiny.mastodon.write("One more")
    await tiny.daemon().once()
    assert [post.text.plain for post in tiny.x.posts][-1] == "One more"


def test_r8_tokens_for_which_there_is_no_room_leave_the_old_ones(small: Path) -> None:
    vault = FileVault(small / "tokens")
    vault.save("x", {"access_token": "old"})
    ballast = fill(small)
    with pytest.raises((TwinpostError, OSError)):
        vault.save("x", {"access_token": "new" * 4000})
    assert vault.load("x") == {"access_token": "old"}
    ballast.unlink()
    vault.save("x", {"access_token": "new"})
    assert vault.load("x") == {"access_token": "new"}
    assert [path.name for path in (small / "tokens").iterdir()] == ["x.json"]
