"""Uploads to X: in segments, at once, processed, described, expired."""

import base64
import io
from typing import Any

import aiohttp
import pytest

from tests.fixtures.x_client import GIF, MP4, PNG, XClient, another, x_client


async def begin(x: XClient, **more: Any) -> Any:
    body = {
        "media_type": "image/png",
        "total_bytes": len(PNG),
        "media_category": "tweet_image",
        **more,
    }
    return await x.ask("POST", "/2/media/upload/initialize", json=body)


async def append(x: XClient, media_id: str, index: str, content: bytes) -> int:
    form = aiohttp.FormData({"segment_index": index})
    blob = io.BytesIO(content)
    form.add_field("media", blob, filename="blob", content_type="application/octet-stream")
    path = f"/2/media/upload/{media_id}/append"
    return (await x.ask("POST", path, data=form)).status


async def finalize(x: XClient, media_id: str) -> Any:
    return await x.ask("POST", f"/2/media/upload/{media_id}/finalize")


async def status(x: XClient, media_id: str) -> Any:
    answer = await x.get("/2/media/upload", command="STATUS", media_id=media_id)
    return answer.data["processing_info"]


async def test_a_photo_is_ready_as_soon_as_it_is_whole() -> None:
    async with x_client() as x:
        done = await x.upload(PNG, "image/png", "tweet_image")
        assert done.status == 200
        assert "processing_info" not in done.data
        assert (done.data["size"], done.data["image"]) == (
            len(PNG),
            {"image_type": "image/png", "w": 3, "h": 2},
        )
        created = await x.create("look", media={"media_ids": [done.data["id"]]})
        assert created.status == 201


async def test_segments_may_come_in_any_order_and_again() -> None:
    async with x_client() as x:
        media_id = (await begin(x)).data["id"]
        for index, content in (("1", PNG[9:]), ("0", b"garbage"), ("0", PNG[:9])):
            assert await append(x, media_id, index, content) == 200
        assert (await finalize(x, media_id)).status == 200


async def test_a_file_with_a_hole_or_of_another_length_is_refused() -> None:
    async with x_client() as x:
        hole = (await begin(x)).data["id"]
        await append(x, hole, "0", PNG[:9])
        await append(x, hole, "2", PNG[9:])
        short = (await begin(x)).data["id"]
        await append(x, short, "0", PNG[:-1])
        empty = (await begin(x)).data["id"]
        for media_id in (hole, short, empty):
            assert (await finalize(x, media_id)).status == 400
        assert x.charges == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"media_type": "image/svg+xml"},
        {"media_type": "video/mp4"},
        {"media_category": "tweet_picture"},
        {"media_category": "dm_image"},
        {"total_bytes": 0},
        {"total_bytes": "12"},
        {"total_bytes": 17_179_869_185},
        {"name": "cat.png"},
    ],
)
async def test_an_upload_that_cannot_end_well_is_not_begun(wrong: dict[str, Any]) -> None:
    async with x_client() as x:
        assert (await begin(x, **wrong)).status == 400


@pytest.mark.parametrize("index", ["1000", "-1", "first", ""])
async def test_a_segment_has_a_number_from_0_to_999(index: str) -> None:
    async with x_client() as x:
        assert await append(x, (await begin(x)).data["id"], index, PNG) == 400


async def test_what_is_not_the_declared_type_is_refused() -> None:
    async with x_client() as x:
        for content in (b"just text, no picture", GIF):
            media_id = (await begin(x, total_bytes=len(content))).data["id"]
            await append(x, media_id, "0", content)
            assert (await finalize(x, media_id)).status == 400


async def test_a_picture_above_5_megabytes_is_refused() -> None:
    async with x_client() as x:
        half = 3 * 1024 * 1024
        media_id = (await begin(x, total_bytes=2 * half)).data["id"]
        await append(x, media_id, "0", PNG.ljust(half, b"\0"))
        await append(x, media_id, "1", b"\0" * half)
        assert (await finalize(x, media_id)).status == 400


async def test_a_segment_above_5_megabytes_is_refused() -> None:
    async with x_client() as x:
        media_id = (await begin(x)).data["id"]
        assert await append(x, media_id, "0", b"\0" * (5 * 1024 * 1024 + 1)) == 413


async def test_nobody_else_can_touch_an_upload() -> None:
    async with x_client() as x:
        bob = another(x, "bob")
        media_id = (await begin(x)).data["id"]
        assert await append(bob, media_id, "0", PNG) == 404
        await append(x, media_id, "0", PNG)
        assert (await finalize(bob, media_id)).status == 404
        assert (await finalize(x, media_id)).status == 200
        assert (await finalize(x, media_id)).status == 404


@pytest.mark.parametrize(
    ("content", "mime_type", "category"),
    [(MP4, "video/mp4", "tweet_video"), (GIF, "image/gif", "tweet_gif")],
)
async def test_films_are_processed_before_they_can_be_posted(
    content: bytes, mime_type: str, category: str
) -> None:
    async with x_client() as x:
        x.sandbox.processing_seconds = 100
        done = await x.upload(content, mime_type, category)
        media_id = done.data["id"]
        assert done.data["processing_info"]["state"] == "pending"
        assert 99 <= done.data["processing_info"]["check_after_secs"] <= 100
        media = {"media_ids": [media_id]}
        assert (await x.create("too early", media=media)).status == 400
        x.sandbox.clock.shift(60)
        assert (await status(x, media_id))["state"] == "in_progress"
        x.sandbox.clock.shift(40)
        assert (await status(x, media_id))["state"] == "succeeded"
        assert (await x.create("film", media=media)).status == 201


async def test_processing_may_fail() -> None:
    async with x_client() as x:
        x.sandbox.processing_fails = True
        media_id = (await x.upload(MP4, "video/mp4", "tweet_video")).data["id"]
        x.sandbox.clock.shift(2)
        assert (await status(x, media_id))["state"] == "failed"
        assert (await x.create("film", media={"media_ids": [media_id]})).status == 400


async def test_one_film_or_one_gif_or_four_photos() -> None:
    async with x_client() as x:
        x.sandbox.processing_seconds = 0
        film = (await x.upload(MP4, "video/mp4", "tweet_video")).data["id"]
        photos = [(await x.upload(PNG, "image/png", "tweet_image")).data["id"] for _ in range(4)]
        mixed = await x.create("both", media={"media_ids": [film, photos[0]]})
        assert mixed.status == 400
        assert (await x.create("four", media={"media_ids": photos})).status == 201
        assert (await x.create("one", media={"media_ids": [film]})).status == 201


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_small_picture_can_be_sent_at_once(as_json: bool) -> None:
    async with x_client() as x:
        if as_json:
            encoded = base64.b64encode(PNG).decode()
            body = {"media": encoded, "media_category": "tweet_image"}
            answer = await x.ask("POST", "/2/media/upload", json=body)
        else:
            form = aiohttp.FormData({"media_category": "tweet_image"})
            form.add_field("media", PNG, filename="dot.png", content_type="image/png")
            answer = await x.ask("POST", "/2/media/upload", data=form)
        assert answer.status == 200
        assert (await x.create("", media={"media_ids": [answer.data["id"]]})).status == 201


async def test_a_one_shot_upload_needs_its_category() -> None:
    async with x_client() as x:
        form = aiohttp.FormData()
        form.add_field("media", PNG, filename="dot.png")
        answer = await x.ask("POST", "/2/media/upload", data=form)
        assert (answer.status, "media_category" in answer.message) == (400, True)


async def test_the_alternative_text_is_what_the_post_then_carries() -> None:
    async with x_client() as x:
        media_id = (await x.upload(PNG, "image/png", "tweet_image")).data["id"]

        async def describe(text: str) -> int:
            body = {"id": media_id, "metadata": {"alt_text": {"text": text}}}
            answer = await x.ask("POST", "/2/media/metadata", json=body)
            return answer.status

        assert await describe("x" * 1001) == 400
        assert await describe("a dot") == 200
        await x.create("look", media={"media_ids": [media_id]})
        assert await describe("too late for the post") == 200
        answer = await x.timeline(expansions="attachments.media_keys", media__fields="alt_text")
        assert answer.body["includes"]["media"][0]["alt_text"] == "a dot"


async def test_unknown_media_have_no_status_and_take_no_text() -> None:
    async with x_client() as x:
        assert (await x.get("/2/media/upload", media_id="12")).status == 404
        assert (await x.get("/2/media/upload", command="INIT", media_id="12")).status == 400
        assert (await x.get("/2/media/upload")).status == 400
        body = {"id": "12", "metadata": {"alt_text": {"text": "x"}}}
        assert (await x.ask("POST", "/2/media/metadata", json=body)).status == 404


async def test_one_charge_a_medium_and_one_a_text() -> None:
    async with x_client() as x:
        media_id = (await x.upload(PNG, "image/png", "tweet_image")).data["id"]
        body = {"id": media_id, "metadata": {"alt_text": {"text": "x"}}}
        await x.ask("POST", "/2/media/metadata", json=body)
        await x.create("", media={"media_ids": [media_id]})
        assert x.charges == [("media", 15_000), ("alt_text", 5_000), ("create", 15_000)]
