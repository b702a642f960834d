"""`twinpost preview` shows what the owner's choices make of a post, and why one stays or waits."""

import pytest

from tests.fixtures.world import World


def choose(world: World, **keys: str) -> None:
    """Set keys of the way to X."""
    text = world.config.read_text(encoding="utf-8")
    added = "".join(f", {name}: {value}" for name, value in keys.items())
    world.config.write_text(
        text.replace("delay: 0s}\n    x_to", f"delay: 0s{added}}}\n    x_to"), encoding="utf-8"
    )


async def previewed(world: World, text: str) -> dict[str, object]:
    draft = world.folder / "draft.txt"
    draft.write_text(text, encoding="utf-8")
    ended = await world.twinpost("preview", str(draft), "--direction", "mastodon_to_x", "--json")
    (row,) = ended.rows
    return row


@pytest.mark.parametrize(
    ("keys", "verdict", "word"),
    [
        ({"max_usd_per_post": "0.01"}, "hold", "$0.015 and not $0.01 at most"),
        ({"never_with": '["/exam.le/"]'}, "skip", "never-with"),
        ({"only_with": '["#xp"]'}, "skip", "only-with"),
        ({"media_only": "true"}, "skip", "media-only"),
        ({}, "mirror", "allowed"),
    ],
)
async def test_the_reason_for_what_would_become_of_a_post_is_shown(
    world: World, keys: dict[str, str], verdict: str, word: str
) -> None:
    choose(world, **keys)
    row = await previewed(world, "See https://example.org")
    assert row["verdict"] == verdict
    assert word in str(row["reason"])


async def test_links_are_shown_as_they_would_be_sent_with_the_price_that_this_saves(
    world: World,
) -> None:
    choose(world, links="defuse")
    row = await previewed(world, "See https://example.org")
    assert row["price_usd"] == 0.015
    assert row["changes"] == ["a link made unclickable: $0.015 and not $0.20"]
