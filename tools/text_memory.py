"""How much memory the handling of text adds to an interpreter that has asyncio and aiohttp loaded.

Prints MiB of resident memory, libraries included, after everything has been imported and used once
on posts in many scripts. A process of its own, for memory that was once needed is not given back;
and one that finds its modules compiled, as an installed program does, since compiling them needs
more than they do. Linux only, since it reads /proc.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[1]
MEASURE = "--here"
"""Measure this very process, whatever has been compiled."""

PRESENT = (asyncio, aiohttp)
"""What is loaded anyway, and with it what these two import."""


def resident() -> float:
    """MiB of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


SAMPLE = (
    "Dr. Smith’s ferry left at dawn – 12 km out; see README.md, https://例え.jp/a and a.kids. "
    "الطقس جميل اليوم في عمّان، أليس كذلك؟ היום יורד גשם. आज मौसम अच्छा है। วันนี้อากาศดีมาก "
    "今日はいい天気ですね。日本.みんな 오늘은 날씨가 좋네요. 👩‍🚀👍🏽🇯🇴 #وسم $TWTR @e@a.so\n\n"
)


def used() -> None:
    """Everything that reads, changes, counts or compares text, once."""
    # Imported here, since what that takes is a part of the figure.
    # ruff: noqa: PLC0415
    from bridge.core import compose, fingerprint, guards
    from bridge.core.capabilities import Capabilities
    from bridge.core.model import AccountId, Network
    from bridge.core.policy import Policy
    from bridge.core.prices import X_PRICES
    from bridge.networks.mastodon.normalise import status_to_post
    from bridge.networks.x.normalise import page_to_posts

    x = Capabilities(Network.X, "x", 280, prices=X_PRICES)
    mastodon = Capabilities(Network.MASTODON, "unknown", 500, spoiler=True, language=True)
    page = {"data": [{"id": "1", "text": SAMPLE * 9, "created_at": "2026-11-22T12:00:00.000Z"}]}
    (post,) = page_to_posts(page, me=AccountId("1"), handle="ada", protected=False)
    status = status_to_post(
        {"id": "1", "content": f"<p>Q&amp;A: {SAMPLE * 9}</p>", "spoiler_text": "news"},
        host="h.example",
    )
    if status is None:
        raise RuntimeError("the sample was not read")
    policy = Policy()
    compose.compose(post, mastodon, policy, compose.Context(post.created_at))
    compose.compose(status, x, policy, compose.Context(status.created_at))
    fingerprint.same_post(post.text, status.text)
    guards.foreign_mirror(post)


def added() -> float:
    """MiB by which this process grows."""
    before = resident()
    used()
    return resident() - before


def main() -> None:
    """Print what is added where everything is compiled: the second of two processes tells."""
    with tempfile.TemporaryDirectory() as compiled:
        surroundings = dict(os.environ, PYTHONPYCACHEPREFIX=compiled, PYTHONPATH=str(ROOT))
        # With this set, to any value but none, nothing would be compiled for good.
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, __file__, MEASURE]
        for _ in range(2):
            told = subprocess.run(  # noqa: S603 - this very file
                command, env=surroundings, capture_output=True, text=True, check=True
            )
    print(told.stdout, end="")


if __name__ == "__main__":
    if sys.argv[1:] == [MEASURE]:
        print(f"{added():.2f}")
    else:
        main()
