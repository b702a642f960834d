"""A daemon that dies while a server has its post already, but has not answered yet."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.blackbox.plain_mastodon import MAKES, PlainMastodon
from tests.blackbox.plain_x import PlainX
from tests.blackbox.stage import Stage, staged

LINES = " ".join(f"line{number:02}" for number in range(60))


async def until_asked(stage: Stage, process: asyncio.subprocess.Process) -> None:
    """Wait until every server has been sent what it will never answer."""
    async with asyncio.timeout(30):
        while any(x.hangs_after is not None for x, _ in stage.pairs.values()) or any(
            mastodon.hangs_after is not None for _, mastodon in stage.pairs.values()
        ):
            assert process.returncode is None
            await asyncio.sleep(0.02)


async def test_a_part_that_was_accepted_before_the_daemon_was_killed_is_not_sent_again(
    tmp_path: Path,
) -> None:
    """Neither server knows idempotency keys; the threads are cut off at their second part."""
    x = PlainX(vocabulary="tweet", hangs_after=1)
    mastodon = PlainMastodon(MAKES["snac"], hangs_after=1)
    x.write("long ago", age=timedelta(days=9))
    mastodon.write("long ago", age=timedelta(days=9))
    async with staged(tmp_path, {"personal": (x, mastodon)}) as stage:
        assert (await stage.twinpost("once")).code == 0
        mastodon.write(f"from mastodon {LINES}")
        mastodon.write("last from mastodon")
        x.write("first from x")
        x.write("last from x")
        daemon = await stage.start("run")
        await until_asked(stage, daemon)
        daemon.kill()
        await daemon.communicate()

        async with asyncio.timeout(60):
            while (await stage.twinpost("once")).code != 0:
                pass
        sent = x.mirrors()
        assert " ".join(sent).count("line59") == 1
        assert sorted(set(sent)) == sorted(sent)
        assert sent[-1] == "last from mastodon"
        assert mastodon.mirrors() == ["first from x", "last from x"]
