"""What X says to a file by what the file says of itself: frames, pixels, minutes, a warning."""

import pytest

from bridge.sandbox.x import XFile, XPoll, XSandbox
from bridge.sandbox.x.files import facts
from tests.fixtures.x_client import GIF, MP4, PNG, XClient, x_client
from tests.fixtures.x_files import gif, mp4

MINUTE = 60


async def attached(x: XClient, media_id: str) -> int:
    return (await x.create("look", media={"media_ids": [media_id]})).status


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PNG, ("image/png", 3, 2, 1, 0)),
        (gif(7, 6, frames=3), ("image/gif", 7, 6, 3, 0)),
        (GIF, ("image/gif", 5, 4, 1, 0)),
        (mp4(2.5, 640, 360), ("video/mp4", 640, 360, 1, 2500)),
        (MP4, ("video/mp4", 0, 0, 1, 0)),
        (mp4()[:-30], ("video/mp4", 0, 0, 1, 5000)),
        (b"\x89PNG\r\n\x1a\n", ("image/png", 0, 0, 1, 0)),
        (b"GIF89a", ("image/gif", 0, 0, 1, 0)),
        (b"\x00\x00\x00\x00ftyp" + b"\x00" * 40, ("video/mp4", 0, 0, 1, 0)),
        (b"words", ("", 0, 0, 1, 0)),
    ],
)
def test_a_files_headers_are_believed_and_broken_ones_say_nothing(
    content: bytes, expected: tuple[object, ...]
) -> None:
    said = facts(content)
    assert (said.type, said.width, said.height, said.frames, said.duration_ms) == expected


@pytest.mark.parametrize(
    "content", [gif(1281, 10), gif(10, 1081), gif(frames=351), gif(1280, 1080, frames=220)]
)
async def test_a_gif_beyond_its_limits_is_refused(content: bytes) -> None:
    async with x_client() as x:
        assert (await x.upload(content, "image/gif", "tweet_gif")).status == 400
        assert (await x.upload(gif(1280, 1080, frames=2), "image/gif", "tweet_gif")).status == 200


@pytest.mark.parametrize(("premium", "minutes"), [(False, 20), (True, 125)])
async def test_a_video_that_is_too_long_is_refused_when_it_is_posted(
    premium: bool, minutes: int
) -> None:
    async with x_client(premium=premium) as x:
        x.sandbox.processing_seconds = 0
        just = (await x.upload(mp4(minutes * MINUTE), "video/mp4", "tweet_video")).data["id"]
        over = (await x.upload(mp4(minutes * MINUTE + 1), "video/mp4", "tweet_video")).data["id"]
        assert await attached(x, just) == 201
        refused = await x.create("a long one", media={"media_ids": [over]})
        assert (refused.status, f"longer than {minutes} minutes" in refused.detail) == (403, True)


async def test_a_video_below_half_a_second_cannot_be_processed() -> None:
    async with x_client(XSandbox(dialect="tweet")) as x:
        x.sandbox.processing_seconds = 0
        done = await x.upload(mp4(0.4), "video/mp4", "tweet_video")
        assert done.data["processing_info"]["state"] == "failed"
        assert done.data["processing_info"]["error"]["name"] == "InvalidMedia"
        assert await attached(x, done.data["id"]) == 400


async def test_a_warning_makes_a_post_sensitive() -> None:
    async with x_client() as x:
        media_id = (await x.upload(PNG, "image/png", "tweet_image")).data["id"]
        for warning, status in ((["other"], 400), ({"other": "yes"}, 400), ({"other": True}, 200)):
            body = {"id": media_id, "metadata": {"sensitive_media_warning": warning}}
            assert (await x.ask("POST", "/2/media/metadata", json=body)).status == status
        assert await attached(x, media_id) == 201
        await x.create("harmless")
        answer = await x.timeline(post__fields="possibly_sensitive")
        assert [post["possibly_sensitive"] for post in answer.data] == [False, True]


async def test_a_person_posts_loops_warnings_and_polls_with_votes() -> None:
    async with x_client() as x:
        ada, film = x.account, mp4(3, 320, 240)
        x.sandbox.write(ada, "loop", media=[XFile(film, "it turns", animation=True)])
        x.sandbox.write(ada, "film", media=[XFile(film, sensitive=True)])
        x.sandbox.write(ada, "tea?", poll=XPoll(("yes", "no"), 5, votes=(3, 1)))
        answer = await x.timeline(
            post__fields="possibly_sensitive",
            media__fields="alt_text,duration_ms,height,preview_image_url,variants,width",
            poll__fields="options,voting_status",
            expansions="attachments.media_keys,attachments.poll_ids",
        )
        video, loop = answer.body["includes"]["media"]
        assert (loop["type"], loop["alt_text"], loop["width"]) == ("animated_gif", "it turns", 320)
        assert (video["type"], video["duration_ms"]) == ("video", 3000)
        assert [post["possibly_sensitive"] for post in answer.data] == [False, True, False]
        (poll,) = answer.body["includes"]["polls"]
        assert [option["votes"] for option in poll["options"]] == [3, 1]
        best = max(loop["variants"], key=lambda one: one.get("bit_rate", 0))["url"]
        async with x.http.get(best) as served:
            assert (served.content_type, await served.read()) == ("video/mp4", film)
        with pytest.raises(ValueError, match="minutes"):
            x.sandbox.write(ada, "long", media=[XFile(mp4(21 * MINUTE))])
        with pytest.raises(ValueError, match="votes"):
            x.sandbox.write(ada, "odd", poll=XPoll(("yes", "no"), votes=(1,)))
