"""`twinpost preview`: what would be sent, part by part, without sending it."""

import json

from tests.fixtures.world import World

LONG = "A sentence that is neither short nor long. " * 12


def address(world: World, toot: str) -> str:
    return f"{world.mastodon_url}/@ada/{toot}"


async def test_a_typed_text_is_shown_in_its_parts_with_lengths_and_price(world: World) -> None:
    draft = world.folder / "draft.txt"
    draft.write_text(f"See https://example.org\n\n{LONG}", encoding="utf-8")

    ended = await world.twinpost("preview", str(draft), "--direction", "mastodon_to_x", "--json")

    assert ended.code == 0
    (row,) = ended.rows
    assert (row["bridge"], row["direction"], row["verdict"]) == (
        "personal",
        "mastodon_to_x",
        "mirror",
    )
    assert len(row["parts"]) == 3
    assert all(0 < part["length"] <= part["limit"] == 280 for part in row["parts"])
    assert row["price_usd"] == round(sum(part["price_usd"] for part in row["parts"]), 6) == 0.23
    assert row["changes"] == ["too long for one post: a thread of 3"]
    assert world.x.timeline(world.x_account) == ()
    assert "POST" not in {entry.method for entry in world.x.faults.requests}


async def test_people_see_the_same_in_words(world: World) -> None:
    draft = world.folder / "draft.txt"
    draft.write_text("Short words.", encoding="utf-8")

    ended = await world.twinpost("preview", str(draft), "--warning", "spoilers")

    assert "would be mirrored" in ended.out
    assert "part 1 of 1: 26 of 280 characters, $0.015" in ended.out
    assert "CW: spoilers" in ended.out
    assert "content warning written at the head of each part" in ended.out
    assert ended.out.splitlines()[-1] == "nothing was sent; sending it would cost $0.015"


async def test_a_post_of_ones_own_is_asked_for_by_its_address(world: World) -> None:
    toot = world.mastodon.write(world.mastodon_account, "Look at me")
    hidden = world.mastodon.write(world.mastodon_account, "Only us", visibility="private")

    shown = await world.twinpost("preview", address(world, toot.id), "--json")
    kept = await world.twinpost("preview", address(world, hidden.id), "--json")

    assert shown.rows[0]["parts"][0]["text"] == "Look at me"
    assert (kept.code, kept.rows[0]["verdict"], kept.rows[0]["parts"]) == (1, "skip", [])
    assert kept.rows[0]["reason"].startswith("audience: ")


async def test_what_continues_a_mirrored_thread_is_shown_as_that(world: World) -> None:
    await world.twinpost("once")
    first = world.mastodon.write(world.mastodon_account, "First")
    await world.twinpost("once")
    second = world.mastodon.write(world.mastodon_account, "Second", in_reply_to=first.id)
    alone = world.mastodon.write(world.mastodon_account, "Alone")
    reply = world.mastodon.write(world.mastodon_account, "Third", in_reply_to=alone.id)

    assert (await world.twinpost("preview", address(world, second.id), "--json")).rows[0][
        "verdict"
    ] == "mirror"
    assert (
        (await world.twinpost("preview", address(world, reply.id), "--json"))
        .rows[0]["reason"]
        .startswith("parent-not-mirrored: ")
    )


async def test_what_is_no_file_and_no_post_is_said_so(world: World) -> None:
    ended = await world.twinpost("preview", "nothing-of-that-name")

    assert ended.code == 2
    assert "neither a file nor a post of yours" in ended.err


async def test_it_works_while_a_daemon_runs_and_sends_nothing(world: World) -> None:
    async with world.running():
        toot = world.mastodon.write(world.mastodon_account, "Both look", visibility="unlisted")
        ended = await world.twinpost("preview", address(world, toot.id), "--json")
    assert json.loads(ended.out)["verdict"] == "skip"
