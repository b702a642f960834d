"""Refused uploads and refused posts, from the command line: nothing is lost, and a retry helps."""

import json
from io import BytesIO

from PIL import Image

from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon.records import Attachment
from bridge.sandbox.x.uploads import XFile
from tests.crossing import samples
from tests.fixtures.world import World

MEDIA_INVALID = {
    "title": "Invalid Request",
    "detail": "One or more parameters to your request was invalid.",
    "type": "https://api.twitter.com/2/problems/invalid-request",
    "errors": [
        {"parameters": {"media.media_ids": ["1"]}, "message": "Your media IDs are invalid."}
    ],
}


def photo() -> bytes:
    """A picture of many colors, which can be packed more tightly."""
    file = BytesIO()
    Image.effect_noise((256, 256), 60).convert("RGB").save(file, "JPEG", quality=95)
    return file.getvalue()


async def state(world: World, post: str) -> str:
    rows = (await world.twinpost("why", post, "--json")).rows
    return str(next(row["state"] for row in rows if row["parts"]))


def uploads(world: World) -> int:
    return sum(entry.path == "/2/media/upload" for entry in world.x.faults.requests)


async def test_without_the_right_to_upload_words_cross_and_pictures_wait(world: World) -> None:
    await world.twinpost("once")
    world.x.faults.add(Fault("refuse-then-403", path="/2/media/upload", times=None))
    red = Attachment(samples.png("red"), "a square")
    pictures = [
        world.mastodon.write(world.mastodon_account, f"Square {number}", media=(red,))
        for number in range(2)
    ]
    words = world.mastodon.write(world.mastodon_account, "No square")
    await world.twinpost("once")
    assert [post.text for post in world.x.timeline(world.x_account)] == ["No square"]
    assert await state(world, words.id) == "delivered"
    told = (await world.twinpost("why", pictures[0].id, "--json")).out
    assert "media.write" in told
    assert {await state(world, post.id) for post in pictures} == {"planned"}
    status = await world.twinpost("status", "--json")
    assert status.code == 1
    (row,) = [row for row in status.rows if row["direction"] == "mastodon_to_x"]
    assert row["state"] == "media waits"
    assert "media.write" in row["detail"]
    # Another configuration, or login, ends the wait.
    world.x.faults.clear()
    text = world.config.read_text(encoding="utf-8")
    world.config.write_text(text.replace("      oauth1:", "      dialect: post\n      oauth1:"))
    await world.twinpost("once")
    assert {await state(world, post.id) for post in pictures} == {"delivered"}


async def test_a_proxy_with_a_small_limit_gets_a_smaller_picture(world: World) -> None:
    await world.twinpost("once")
    page = Fault("refuse-then-html", "POST", "/api/v[12]/media", times=1, status=413)
    world.mastodon.faults.add(page)
    post = world.x.write(world.x_account, "A square", media=[XFile(photo())])
    await world.twinpost("once")
    (toot,) = world.mastodon.timeline(world.mastodon_account)
    assert len(toot.media) == 1
    assert await state(world, post.id) == "delivered"


async def test_refused_ids_of_media_are_uploaded_again_by_itself_and_the_words_are_not_lost(
    world: World,
) -> None:
    await world.twinpost("once")
    body = json.dumps(MEDIA_INVALID)
    refusal = Fault("refuse-then-said", "POST", "/2/tweets", times=1, status=400, body=body)
    red = Attachment(samples.png("red"), "a square")
    world.x.faults.add(refusal)
    world.mastodon.write(world.mastodon_account, "Once", media=(red,))
    await world.twinpost("once")
    (post,) = world.x.timeline(world.x_account)
    assert (post.text, len(post.media)) == ("Once", 1)
    assert uploads(world) == 2
    for _ in range(2):
        world.x.faults.add(refusal)
    world.mastodon.write(world.mastodon_account, "Twice", media=(red,))
    await world.twinpost("once")
    newest = world.x.timeline(world.x_account)[0]
    assert (newest.text, len(newest.media)) == ("Twice", 0)


async def test_a_length_that_takes_premium_is_not_tried_where_x_says_that_there_is_none(
    world: World,
) -> None:
    text = world.config.read_text(encoding="utf-8")
    world.config.write_text(text.replace("      oauth1:", "      max_length: 4000\n      oauth1:"))
    await world.twinpost("once")
    toot = world.mastodon.write(world.mastodon_account, "Long " * 90)
    await world.twinpost("once")
    assert await state(world, toot.id) == "delivered"
    assert len(world.x.timeline(world.x_account)) == 2
