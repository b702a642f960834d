"""However a command is cut short, it says so in words or not at all, and ends in time."""

import signal
import time
from datetime import timedelta
from pathlib import Path

from tests.blackbox.plain_mastodon import MAKES, PlainMastodon
from tests.blackbox.plain_x import PlainX
from tests.blackbox.stage import staged
from tests.fixtures.world import until

FULL_DISK = Path("/dev/full")


async def test_ctrl_c_ends_a_pass_at_once_even_while_a_server_does_not_answer(
    tmp_path: Path,
) -> None:
    x, mastodon = PlainX(), PlainMastodon(MAKES["snac"])
    x.write("long ago", age=timedelta(days=9))
    async with staged(tmp_path, {"personal": (x, mastodon)}) as stage:
        assert (await stage.twinpost("once")).code == 0
        x.write("from x")
        mastodon.hangs_after = 0
        process = await stage.start("once")
        await until(lambda: mastodon.hangs_after is None)
        process.send_signal(signal.SIGINT)
        asked_to_end = time.monotonic()
        _, err = await process.communicate()
        assert time.monotonic() - asked_to_end < 10
        assert process.returncode == 130
        assert b"Traceback" not in err

        assert (await stage.twinpost("once")).code == 0
        assert mastodon.mirrors() == ["from x"]


async def test_a_full_disk_under_the_output_is_a_sentence(tmp_path: Path) -> None:
    async with staged(tmp_path, {"personal": (PlainX(), PlainMastodon(MAKES["snac"]))}) as stage:
        with FULL_DISK.open("wb") as output:  # noqa: ASYNC230 - a device, which never blocks
            process = await stage.start("check-config", stdout=output)
            _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().count("\n") == 1
    assert "No space left" in err.decode()
