"""Uploads: what is accepted, when it is ready, and what may be attached to what."""

import struct

import aiohttp
import pytest

from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from tests.fixtures.mastodon import MP4, PNG, Answer, ServedMastodon

GIF = b"GIF89a" + struct.pack("<HH", 4, 2) + b"\0\0\0"
ANIMATED = GIF + b"\x21\xf9\x04\0" * 3
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 3, 5) + b"\0" * 20


def first_attachment(answer: Answer) -> dict[str, object]:
    listed = answer.one["media_attachments"]
    assert isinstance(listed, list)
    assert isinstance(listed[0], dict)
    return listed[0]


@pytest.mark.parametrize("version", [1, 2])
async def test_a_picture_is_ready_at_once(mastodon_sandbox: ServedMastodon, version: int) -> None:
    answer = await mastodon_sandbox.upload(version=version, description="a box")

    assert answer.status == 200
    assert answer.one["type"] == "image"
    assert answer.one["description"] == "a box"
    meta = answer.one["meta"]
    assert isinstance(meta, dict)
    assert meta["original"] == {"width": 16, "height": 8, "size": "16x8", "aspect": 2.0}


@pytest.mark.parametrize(("data", "kind"), [(MP4, "video"), (ANIMATED, "gifv"), (b"ID3", "audio")])
async def test_what_takes_time_is_202_then_206_then_200(
    mastodon_sandbox: ServedMastodon, data: bytes, kind: str
) -> None:
    answer = await mastodon_sandbox.upload(data)
    assert (answer.status, answer.one["type"], answer.one["url"]) == (202, kind, None)
    path = f"/api/v1/media/{answer.one['id']}"

    early = await mastodon_sandbox.post("too early", media_ids=[answer.one["id"]])
    assert early.status == 422
    assert "finished processing" in early.error
    busy = await mastodon_sandbox.ask("GET", path)
    assert (busy.status, busy.one["url"]) == (206, None)
    ready = await mastodon_sandbox.ask("GET", path)
    assert ready.status == 200
    assert str(ready.one["url"]).startswith(mastodon_sandbox.url)
    assert (await mastodon_sandbox.post("now", media_ids=[answer.one["id"]])).status == 200


async def test_time_alone_makes_a_video_ready(mastodon_sandbox: ServedMastodon) -> None:
    medium = (await mastodon_sandbox.upload(MP4)).one["id"]
    mastodon_sandbox.clock.shift(5)
    assert (await mastodon_sandbox.post("x", media_ids=[medium])).status == 200


async def test_the_first_version_waits_with_its_answer(mastodon_sandbox: ServedMastodon) -> None:
    answer = await mastodon_sandbox.upload(MP4, version=1)
    assert answer.status == 200
    assert answer.one["url"] is not None


@pytest.mark.parametrize("data", [b"", b"text", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"])
async def test_a_file_is_judged_by_its_bytes(mastodon_sandbox: ServedMastodon, data: bytes) -> None:
    form = aiohttp.FormData()
    form.add_field("file", data, filename="photo.png", content_type="image/png")
    answer = await mastodon_sandbox.ask("POST", "/api/v2/media", data=form)
    assert answer.status == 422


async def test_no_file_is_refused(mastodon_sandbox: ServedMastodon) -> None:
    form = {"description": "of nothing"}
    assert (await mastodon_sandbox.ask("POST", "/api/v2/media", data=form)).status == 422


async def test_alt_text_has_a_limit_that_each_server_states(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    most = any_mastodon_sandbox.sandbox.profile.media.alt_length
    assert (await any_mastodon_sandbox.upload(description="a" * most)).status == 200
    assert (await any_mastodon_sandbox.upload(description="a" * (most + 1))).status == 422


async def test_a_picture_has_a_limit_of_size_and_of_pixels(
    mastodon_sandbox: ServedMastodon,
) -> None:
    large = PNG + b"\0" * (16_777_216 - len(PNG))
    assert (await mastodon_sandbox.upload(large)).status == 200
    assert (await mastodon_sandbox.upload(large + b"\0")).status == 422
    wide = PNG[:16] + struct.pack(">II", 8000, 5000) + PNG[24:]
    assert (await mastodon_sandbox.upload(wide)).status == 422


async def test_pictures_and_videos_do_not_mix(mastodon_sandbox: ServedMastodon) -> None:
    picture = (await mastodon_sandbox.upload(JPEG)).one["id"]
    video = (await mastodon_sandbox.upload(MP4, version=1)).one["id"]
    assert (await mastodon_sandbox.post("x", media_ids=[picture, video])).status == 422
    assert (await mastodon_sandbox.post("x", media_ids=[video])).status == 200


async def test_attachments_keep_the_order_asked_for(mastodon_sandbox: ServedMastodon) -> None:
    first, second = [(await mastodon_sandbox.upload(data)).one["id"] for data in (PNG, GIF)]
    answer = await mastodon_sandbox.post("x", media_ids=[second, first])
    assert first_attachment(answer)["id"] == second


async def test_unknown_foreign_and_used_media_are_refused(mastodon_sandbox: ServedMastodon) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    mine = (await mastodon_sandbox.upload()).one["id"]
    assert (await mastodon_sandbox.post("x", media_ids=["1"])).status == 422
    theirs = await mastodon_sandbox.ask(
        "POST",
        "/api/v1/statuses",
        token=bob.access_token,
        json={"status": "x", "media_ids": [mine]},
    )
    assert theirs.status == 422
    assert (await mastodon_sandbox.post("x", media_ids=[mine])).status == 200
    assert (await mastodon_sandbox.post("x", media_ids=[mine])).status == 422


async def test_alt_text_can_be_set_until_a_post_has_the_file(
    mastodon_sandbox: ServedMastodon,
) -> None:
    path = f"/api/v1/media/{(await mastodon_sandbox.upload()).one['id']}"
    sent = {"description": "better", "focus": "0.5,-0.25"}
    changed = (await mastodon_sandbox.ask("PUT", path, json=sent)).one
    assert changed["description"] == "better"
    await mastodon_sandbox.post("x", media_ids=[changed["id"]])

    assert (await mastodon_sandbox.ask("PUT", path, json=sent)).status == 404
    assert (await mastodon_sandbox.ask("GET", path)).status == 404
    assert (await mastodon_sandbox.ask("DELETE", path)).status == 422


async def test_a_file_that_is_deleted_or_a_day_old_is_gone(
    mastodon_sandbox: ServedMastodon,
) -> None:
    path = f"/api/v1/media/{(await mastodon_sandbox.upload()).one['id']}"
    assert (await mastodon_sandbox.ask("DELETE", path)).status == 200
    assert (await mastodon_sandbox.ask("GET", path)).status == 404

    old = (await mastodon_sandbox.upload()).one["id"]
    mastodon_sandbox.clock.shift(86_401)
    await mastodon_sandbox.upload()
    assert (await mastodon_sandbox.post("x", media_ids=[old])).status == 422


async def test_a_file_can_be_fetched_by_anybody(any_mastodon_sandbox: ServedMastodon) -> None:
    medium = (await any_mastodon_sandbox.upload()).one["id"]
    post = await any_mastodon_sandbox.post("x", media_ids=[medium])

    url = str(first_attachment(post)["url"]).removeprefix(any_mastodon_sandbox.url)
    file = await any_mastodon_sandbox.ask("GET", url, token=None)

    assert (file.status, file.body) == (200, PNG)
    assert file.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("any_mastodon_sandbox", ["gotosocial", "minimal"], indirect=True)
async def test_other_servers_never_defer(any_mastodon_sandbox: ServedMastodon) -> None:
    assert (await any_mastodon_sandbox.upload(MP4)).status == 200


async def test_work_that_comes_to_nothing_is_422(mastodon_sandbox: ServedMastodon) -> None:
    mastodon_sandbox.sandbox.processing.fails = True
    medium = (await mastodon_sandbox.upload(MP4)).one["id"]
    path = f"/api/v1/media/{medium}"
    assert (await mastodon_sandbox.ask("GET", path)).status == 206
    assert (await mastodon_sandbox.ask("GET", path)).status == 422


async def test_a_gif_has_a_smaller_limit_of_pixels(mastodon_sandbox: ServedMastodon) -> None:
    fits, large = (
        b"GIF89a" + struct.pack("<HH", wide, 720) + ANIMATED[10:] for wide in (1280, 1281)
    )
    assert (await mastodon_sandbox.upload(fits)).status == 202
    assert (await mastodon_sandbox.upload(large)).status == 422


async def test_a_poll_may_stand_beside_files_where_the_version_has_that(
    mastodon_sandbox: ServedMastodon, gotosocial_sandbox: ServedMastodon
) -> None:
    for served, status in ((mastodon_sandbox, 200), (gotosocial_sandbox, 422)):
        poll = {"options": ["a", "b"], "expires_in": 600}
        medium = (await served.upload()).one["id"]
        assert (await served.post("x", media_ids=[medium], poll=poll)).status == status


async def test_a_server_may_want_every_file_described() -> None:
    sandbox = MastodonSandbox("gotosocial", alt_least=5)
    ada = sandbox.add_account("ada")
    async with serve(sandbox.app) as url, aiohttp.ClientSession() as http:
        served = ServedMastodon(url, ada, sandbox, sandbox.clock, http)
        assert (await served.upload()).status == 422
        assert (await served.upload(description="cat")).status == 422
        assert (await served.upload(description="a cat")).status == 200
