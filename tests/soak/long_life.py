"""One process that lives through many virtual days: the real wiring, a turn for every line read.

A line is the seconds that have passed; it answers with its open files, its threads, and the KiB
that it has in memory. Must not judge anything.
"""

import asyncio
import gc
import os
import sys
import threading
from datetime import datetime
from pathlib import Path

from bridge.app.wiring import wired
from bridge.config import load
from tests.crash.stage import StageClock


def figures() -> str:
    """Open files, threads, KiB of memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") // 1024
    return f"{len(list(Path('/proc/self/fd').iterdir()))} {threading.active_count()} {memory}"


async def live(config: Path, begun: datetime) -> None:
    """Turn every lane whenever told, until told no more."""
    clock = StageClock(begun)
    told = 0.0
    async with wired(load(config), clock=clock) as running:
        for lane in running.daemon.lanes:
            await lane.begin()
        while line := await asyncio.to_thread(sys.stdin.readline):
            passed = float(line)
            clock.pass_time(passed - told)
            told = passed
            for lane in running.daemon.lanes:
                await lane.turn(read=True)
            sys.stdout.write(f"{figures()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])))
