"""R8: a disk that is really full: nothing is sent unrecorded, and all goes on once there is room.

The state folder (ledger, its journal, media, tokens) is a file system of 128 megabytes, which takes
root to make; elsewhere `tests/engine/test_degraded.py` and `tests/ledger/test_files.py` limit the
ledger's file, `tests/media/test_store.py` and `tests/test_vault.py` the rest.
"""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.app.wiring import Running
from bridge.core.delivery import PostState
from bridge.core.errors import LedgerFull, TwinpostError
from bridge.sandbox.mastodon import Attachment
from bridge.vault import FileVault
from tests.crash.stage import HOME, OUT, Stage, record, staged, words
from tests.crossing import samples


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 128 megabytes."""
    folder = tmp_path / "stage" / "state"
    folder.mkdir(parents=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128m,mode=0700", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("a small disk can be made by root only, and not in every container")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


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
        posts = [
            stage.write(direction, words(f"full {direction} {number}", 400))
            for number in range(6)
            for direction in (OUT, HOME)
        ]
        picture = Attachment(samples.png("red"), "a square")
        posts.append(
            stage.mastodon.write(stage.mastodon_account, "in colours", media=(picture,)).id
        )
        stage.by_hand.add(posts[-1])
        assert await turn(stage, running, 5)
        recorded = {
            part.target_id
            for one in await running.control.history(limit=1000)
            for part in one.parts
            if part.attempts
        }
        made = [one[0] for direction in (OUT, HOME) for one in stage.mirrors(direction)]
        # What little was sent had found room for its claim before, if not for its receipt.
        assert len(made) <= len(recorded)
        assert stage.creations(OUT) + stage.creations(HOME) < len(posts)
        ballast.unlink()
        assert await turn(stage, running, 8) == 0
        found = [await record(running, post) for post in posts]
    assert [one.state for one in found] == [PostState.DELIVERED] * len(posts)
    for direction in (OUT, HOME):
        texts = [text for _, text, _ in stage.mirrors(direction)]
        assert len(texts) == len(set(texts))
    made = [one[0] for direction in (OUT, HOME) for one in stage.mirrors(direction)]
    assert sorted(made) == sorted(part.target_id or "" for one in found for part in one.parts)


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
