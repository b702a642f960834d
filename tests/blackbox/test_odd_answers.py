"""Answers that are odd, but that the published documents allow."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.blackbox.plain_mastodon import MAKES, PlainMastodon
from tests.blackbox.plain_x import PlainX
from tests.blackbox.stage import staged


async def test_any_answer_without_posts_means_that_nothing_is_new(tmp_path: Path) -> None:
    """No property of X's answer is a required one; an idle poll must not look like a failure."""
    shapes: dict[str, dict[str, Any]] = {
        "nothing": {},
        "no-count": {"meta": {}},
        "empty-list": {"data": [], "meta": {"result_count": 0}},
    }
    pairs = {
        name: (PlainX(empty=empty), PlainMastodon(MAKES["mastodon"]))
        for name, empty in shapes.items()
    }
    for x, _ in pairs.values():
        x.write("long ago", age=timedelta(days=9))
    async with staged(tmp_path, pairs) as stage:
        assert (await stage.twinpost("once")).code == 0
        idle = await stage.twinpost("once")
        assert (idle.code, idle.err) == (0, "")
