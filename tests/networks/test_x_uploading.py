"""Files for X: whole and described or not at all, billed once, and never without an end."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bridge.core.errors import NetworkError, Refused, Throttled, Transient
from bridge.core.model import MediaKind
from bridge.core.prices import X_PRICES
from bridge.networks.x import uploading
from bridge.networks.x.adapter import XAdapter
from bridge.ports import LocalMedia
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import Fault
from bridge.sandbox.server import serve
from bridge.sandbox.x import XSandbox
from tests.conformance.networks.contract import part
from tests.fakes import VirtualClock
from tests.fixtures.x import ServedX
from tests.fixtures.x_client import PNG
from tests.fixtures.x_files import gif, mp4
from tests.networks.x_stage import (
    OddX,
    Reply,
    Shelf,
    adapter_for,
    oauth1_of,
    oauth2_of,
    odd_x,
    problem,
    served_x,
)

AT_ONCE = "POST /2/media/upload"
BEGIN = "POST /2/media/upload/initialize"
APPEND = "POST /2/media/upload/5/append"
FINISH = "POST /2/media/upload/5/finalize"
STATUS = "GET /2/media/upload"
METADATA = "POST /2/media/metadata"

Keep = Callable[..., LocalMedia]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Puts a file where a fetched medium stands."""

    def kept(
        content: bytes, kind: MediaKind, mime: str, alt: str = "", *, sensitive: bool = False
    ) -> LocalMedia:
        path = tmp_path / f"{kind.value}-{len(content)}"
        path.write_bytes(content)
        return LocalMedia(path, kind, mime, len(content), alt, sensitive=sensitive)

    return kept


@pytest.fixture
async def served() -> AsyncIterator[ServedX]:
    async with served_x() as running:
        yield running


@pytest.fixture
async def timed() -> AsyncIterator[tuple[ServedX, VirtualClock]]:
    """A stand-in whose time is that of the adapter's clock: waiting costs none."""
    clock = VirtualClock()
    sandbox = XSandbox(SandboxClock(clock.now))
    account = sandbox.add_account("ada", "Ada")
    async with serve(sandbox.app) as url:
        yield ServedX(sandbox, url, account), clock


@pytest.fixture
async def odd() -> AsyncIterator[OddX]:
    async with odd_x() as server:
        server.says(BEGIN, problem(200, data={"id": "5"}))
        server.says(APPEND, problem(200, data={"expires_at": 1}))
        server.says(FINISH, problem(200, data={"id": "5"}))
        server.says(AT_ONCE, problem(200, data={"id": "5", "expires_after_secs": 86_400}))
        server.says(METADATA, problem(200, data={"id": "5"}))
        yield server


def asked(served: ServedX) -> list[str]:
    return [f"{one.method} {one.path}" for one in served.sandbox.faults.requests]


async def test_a_picture_goes_at_once_with_its_description_and_is_then_attached(
    served: ServedX, keep: Keep
) -> None:
    picture = keep(PNG, MediaKind.IMAGE, "image/png", "a dot")
    async with adapter_for(served.url, oauth1_of(served.account)) as adapter:
        uploaded = await adapter.upload(picture)
        await adapter.publish(part("look"), reply_to=None, key="k", media=[uploaded.id])
    (post,) = served.sandbox.timeline(served.account)
    (medium,) = post.media
    assert (medium.id, medium.kind, medium.alt_text) == (uploaded.id, "photo", "a dot")
    assert served.sandbox.file(medium.key) == PNG
    assert uploaded.cost == X_PRICES.media + X_PRICES.alt_text
    assert uploaded.expires_at is not None
    assert abs(uploaded.expires_at - medium.uploaded_at - timedelta(days=1)) < timedelta(seconds=9)
    assert uploaded.note == ""


async def test_what_uploads_and_posts_cost_together_is_what_x_charged(
    served: ServedX, keep: Keep
) -> None:
    async with adapter_for(served.url, oauth1_of(served.account)) as adapter:
        uploads = [
            await adapter.upload(keep(PNG, MediaKind.IMAGE, "image/png", alt))
            for alt in ("a dot", "")
        ]
        receipt = await adapter.publish(
            part("see example.org"), reply_to=None, key="k", media=[one.id for one in uploads]
        )
    told = receipt.cost + sum(one.cost for one in uploads)
    assert told == sum(charge.amount for charge in served.sandbox.bill())
    assert receipt.cost == X_PRICES.create_with_link


@pytest.mark.parametrize("oauth", [1, 2])
async def test_a_film_goes_in_segments_and_is_awaited(
    timed: tuple[ServedX, VirtualClock], keep: Keep, monkeypatch: pytest.MonkeyPatch, oauth: int
) -> None:
    monkeypatch.setattr(uploading, "SEGMENT", 1000)
    served, clock = timed
    served.sandbox.processing_seconds = 100
    film = mp4(5, padding=2500)
    credentials = (oauth1_of if oauth == 1 else oauth2_of)(served.account)
    async with adapter_for(served.url, credentials, clock=clock) as adapter:
        uploaded = await adapter.upload(keep(film, MediaKind.VIDEO, "video/mp4", "it turns"))
        await adapter.publish(part("film"), reply_to=None, key="k", media=[uploaded.id])
    (post,) = served.sandbox.timeline(served.account)
    assert served.sandbox.file(post.media[0].key) == film
    assert (post.media[0].kind, post.media[0].alt_text) == ("video", "it turns")
    assert asked(served).count(f"POST /2/media/upload/{uploaded.id}/append") == 3
    assert 100 <= clock.passed <= 130
    assert len([one for one in asked(served) if one == STATUS]) <= 5


@pytest.mark.parametrize(
    ("kind", "content", "mime", "category"),
    [
        (MediaKind.GIFV, gif(frames=3), "image/gif", "animated_gif"),
        (MediaKind.GIFV, mp4(), "video/mp4", "video"),
        (MediaKind.VIDEO, mp4(), "video/mp4", "video"),
        (MediaKind.IMAGE, gif(), "image/gif", "photo"),
        (MediaKind.UNKNOWN, gif(), "image/gif", "animated_gif"),
    ],
)
async def test_an_animation_goes_as_what_its_file_is(
    timed: tuple[ServedX, VirtualClock],
    keep: Keep,
    kind: MediaKind,
    content: bytes,
    mime: str,
    category: str,
) -> None:
    served, clock = timed
    async with adapter_for(served.url, oauth1_of(served.account), clock=clock) as adapter:
        uploaded = await adapter.upload(keep(content, kind, mime))
        await adapter.publish(part("look"), reply_to=None, key="k", media=[uploaded.id])
    assert served.sandbox.timeline(served.account)[0].media[0].kind == category


@pytest.mark.parametrize(
    ("content", "kind", "mime"),
    [
        (b"RIFF", MediaKind.AUDIO, "audio/mpeg"),
        (b"", MediaKind.IMAGE, "image/png"),
        (PNG.ljust((5 << 20) + 1, b"\0"), MediaKind.IMAGE, "image/png"),
        (gif().ljust((15 << 20) + 1, b"\0"), MediaKind.GIFV, "image/gif"),
        (b"<svg/>", MediaKind.IMAGE, "image/svg+xml"),
        (b"\x1a\x45\xdf\xa3", MediaKind.VIDEO, "video/webm"),
    ],
)
async def test_what_x_never_takes_is_refused_before_anything_is_sent(
    odd: OddX, keep: Keep, content: bytes, kind: MediaKind, mime: str
) -> None:
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Refused):
            await adapter.upload(keep(content, kind, mime))
    assert odd.seen == []


async def test_a_file_that_x_says_no_to_is_refused_and_costs_nothing(
    served: ServedX, keep: Keep
) -> None:
    async with adapter_for(served.url, oauth1_of(served.account)) as adapter:
        with pytest.raises(Refused):
            await adapter.upload(keep(b"no picture", MediaKind.IMAGE, "image/png"))
        uploaded = await adapter.upload(keep(PNG, MediaKind.IMAGE, "image/png"))
    assert uploaded.cost == X_PRICES.media == sum(one.amount for one in served.sandbox.bill())


async def test_what_cannot_be_processed_is_refused_with_the_reason_and_its_cost_is_told(
    odd: OddX, keep: Keep
) -> None:
    failed = {"state": "failed", "error": {"name": "InvalidMedia", "message": "Bad\n codec"}}
    odd.says(FINISH, problem(200, data={"id": "5", "processing_info": failed}))
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Refused, match="could not process the video: Bad codec"):
            await adapter.upload(keep(mp4(), MediaKind.VIDEO, "video/mp4"))
        uploaded = await adapter.upload(keep(PNG, MediaKind.IMAGE, "image/png"))
    assert uploaded.cost == 2 * X_PRICES.media


@pytest.mark.parametrize("told", [0, 10**12, -5, None, "soon", 1.5])
async def test_processing_without_an_end_is_given_up_whatever_x_says_of_waiting(
    odd: OddX, keep: Keep, told: object
) -> None:
    info = {"state": "in_progress", "check_after_secs": told}
    odd.says(FINISH, problem(200, data={"id": "5", "processing_info": info}))
    odd.says(STATUS, problem(200, data={"id": "5", "processing_info": info}))
    clock = VirtualClock()
    async with adapter_for(odd.url, clock=clock) as adapter:
        with pytest.raises(Transient, match="not processed the video within 15 minutes"):
            await adapter.upload(keep(mp4(), MediaKind.VIDEO, "video/mp4"))
    assert clock.passed <= 900
    assert len(odd.asked(STATUS)) <= 900
    assert odd.asked(STATUS)[0].query == {"command": "STATUS", "media_id": "5"}
    assert len(odd.asked(BEGIN)) == len(odd.asked(FINISH)) == 1


async def test_lost_answers_about_processing_do_not_make_another_upload_necessary(
    odd: OddX, keep: Keep
) -> None:
    busy = {"id": "5", "processing_info": {"state": "pending", "check_after_secs": 1}}
    odd.says(FINISH, problem(200, data=busy))
    odd.says(STATUS, problem(503), problem(404), problem(429), problem(200, data={"id": "5"}))
    clock = VirtualClock()
    async with adapter_for(odd.url, clock=clock) as adapter:
        assert (await adapter.upload(keep(mp4(), MediaKind.VIDEO, "video/mp4"))).id == "5"
        odd.says(STATUS, problem(404))
        with pytest.raises(Transient):
            await adapter.upload(keep(mp4(), MediaKind.VIDEO, "video/mp4"))
        odd.says(STATUS, problem(200))
        with pytest.raises(Transient, match="does not say"):
            await adapter.upload(keep(mp4(), MediaKind.VIDEO, "video/mp4"))


@pytest.mark.parametrize("lost", ["reset", "html", "500", "nothing", "no id"])
async def test_an_unclear_answer_is_transient_sent_once_and_counted_as_paid(
    odd: OddX, keep: Keep, lost: str
) -> None:
    async def reset(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    picture = keep(PNG, MediaKind.IMAGE, "image/png")
    replies: dict[str, Reply] = {
        "reset": reset,
        "html": web.Response(status=502, text="<html>", content_type="text/html"),
        "500": problem(500),
        "nothing": web.Response(status=200),
        "no id": problem(200, data={"media_key": "3_5"}),
    }
    odd.says(AT_ONCE, replies[lost])
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Transient):
            await adapter.upload(picture)
        assert len(odd.asked(AT_ONCE)) == 1
        odd.says(AT_ONCE, problem(200, data={"id": "6"}))
        assert (await adapter.upload(picture)).cost == 2 * X_PRICES.media
        assert (await adapter.upload(picture)).cost == X_PRICES.media


@pytest.mark.parametrize("failure", [500, 429, 503])
async def test_a_file_whose_description_failed_is_not_sent_and_paid_for_again(
    odd: OddX, keep: Keep, failure: int
) -> None:
    picture = keep(PNG, MediaKind.IMAGE, "image/png", "a dot")
    odd.says(METADATA, problem(failure), problem(200, data={"id": "5"}))
    async with adapter_for(odd.url) as adapter:
        with pytest.raises((Transient, Throttled)):
            await adapter.upload(picture)
        another = await adapter.upload(keep(PNG + b"x", MediaKind.IMAGE, "image/png"))
        uploaded = await adapter.upload(picture)
    assert (uploaded.id, uploaded.described > 0) == ("5", True)
    assert len(odd.asked(AT_ONCE)) == 2
    assert len(odd.asked(METADATA)) == 2
    # Of an answer that may have been a success the price is counted; a refusal costs nothing.
    words = X_PRICES.alt_text * (1 if failure == 429 else 2)
    assert another.cost + uploaded.cost == 2 * X_PRICES.media + words


async def test_a_file_that_comes_to_nothing_twice_is_sent_anew(odd: OddX, keep: Keep) -> None:
    odd.says(METADATA, problem(503), problem(503), problem(200, data={"id": "5"}))
    picture = keep(PNG, MediaKind.IMAGE, "image/png", "a dot")
    async with adapter_for(odd.url) as adapter:
        for _ in range(2):
            with pytest.raises(Transient):
                await adapter.upload(picture)
        assert len(odd.asked(AT_ONCE)) == 1
        await adapter.upload(picture)
    assert len(odd.asked(AT_ONCE)) == 2


async def test_a_film_that_is_still_processed_is_asked_about_and_not_sent_again(
    odd: OddX, keep: Keep
) -> None:
    going_on = {"id": "5", "processing_info": {"state": "in_progress", "check_after_secs": 1}}
    done = {"id": "5", "processing_info": {"state": "succeeded"}}
    odd.says(FINISH, problem(200, data=going_on))
    odd.says(STATUS, problem(404))
    clock = VirtualClock()
    film = keep(mp4(), MediaKind.VIDEO, "video/mp4")
    async with adapter_for(odd.url, clock=clock) as adapter:
        with pytest.raises(Transient):
            await adapter.upload(film)
        odd.says(STATUS, problem(200, data=done))
        assert (await adapter.upload(film)).cost == X_PRICES.media
        assert len(odd.asked(BEGIN)) == 1
        # What X would have dropped by then is not relied upon.
        odd.says(METADATA, problem(503), problem(200, data={"id": "5"}))
        described = keep(PNG, MediaKind.IMAGE, "image/png", "a dot")
        with pytest.raises(Transient):
            await adapter.upload(described)
        clock.pass_time(timedelta(hours=23, minutes=30).total_seconds())
        await adapter.upload(described)
        assert len(odd.asked(AT_ONCE)) == 2


async def test_a_lost_answer_to_the_last_step_is_asked_for_instead_of_sending_all_again(
    timed: tuple[ServedX, VirtualClock], keep: Keep
) -> None:
    served, clock = timed
    served.sandbox.faults.add(Fault("accept-then-reset", path="finalize"))
    async with adapter_for(served.url, oauth1_of(served.account), clock=clock) as adapter:
        uploaded = await adapter.upload(keep(mp4(), MediaKind.VIDEO, "video/mp4"))
        await adapter.publish(part("film"), reply_to=None, key="k", media=[uploaded.id])
        served.sandbox.faults.add(Fault("refuse-then-503", path="finalize"))
        with pytest.raises(Transient):
            await adapter.upload(keep(mp4(6), MediaKind.VIDEO, "video/mp4"))
    assert [one.kind for one in served.sandbox.bill()] == ["media", "create"]
    assert asked(served).count(BEGIN) == 2


@pytest.mark.parametrize("step", ["initialize", "append", "metadata", "upload$"])
@pytest.mark.parametrize(
    "name",
    [
        "accept-then-reset",
        "accept-then-cut",
        "accept-then-html",
        "refuse-then-500",
        "refuse-then-429",
        "refuse-then-401",
        "refuse-then-404",
        "refuse-then-301",
    ],
)
async def test_whatever_fails_on_the_way_is_one_of_the_five_kinds_and_never_in_doubt(
    timed: tuple[ServedX, VirtualClock], keep: Keep, step: str, name: str
) -> None:
    served, clock = timed
    film = step in {"initialize", "append"}
    medium = keep(
        mp4() if film else PNG,
        MediaKind.VIDEO if film else MediaKind.IMAGE,
        "video/mp4" if film else "image/png",
        "words",
    )
    served.sandbox.faults.add(Fault(name, "POST", path=step))
    async with adapter_for(served.url, oauth1_of(served.account), clock=clock) as adapter:
        with pytest.raises(NetworkError) as raised:
            await adapter.upload(medium)
        kind = {"refuse-then-429": Throttled}.get(name, Transient)
        assert isinstance(raised.value, kind) or name == "refuse-then-401"
        uploaded = await adapter.upload(medium)
        await adapter.publish(part("x"), reply_to=None, key="k", media=[uploaded.id])
    assert uploaded.cost >= sum(
        one.amount for one in served.sandbox.bill() if one.kind in {"media", "alt_text"}
    )


async def test_steps_that_answer_with_nothing_have_said_enough(odd: OddX, keep: Keep) -> None:
    odd.says(APPEND, web.Response(status=204))
    odd.says(METADATA, web.Response(status=200))
    async with adapter_for(odd.url) as adapter:
        uploaded = await adapter.upload(keep(mp4(), MediaKind.VIDEO, "video/mp4", "words"))
    assert (uploaded.id, uploaded.note) == ("5", "")


async def test_a_warning_goes_along_with_the_description_in_one_request(
    served: ServedX, keep: Keep
) -> None:
    medium = keep(PNG, MediaKind.IMAGE, "image/png", "a wound", sensitive=True)
    async with adapter_for(served.url, oauth1_of(served.account)) as adapter:
        uploaded = await adapter.upload(medium)
        await adapter.publish(part("look"), reply_to=None, key="k", media=[uploaded.id])
        plain = await adapter.upload(keep(PNG, MediaKind.IMAGE, "image/png", sensitive=True))
    (post,) = served.sandbox.timeline(served.account)
    assert (post.sensitive, post.media[0].alt_text) == (True, "a wound")
    assert uploaded.cost == plain.cost == X_PRICES.media + X_PRICES.alt_text
    assert asked(served).count(METADATA) == 2


async def test_a_refused_warning_is_said_and_costs_neither_post_nor_description(
    odd: OddX, keep: Keep, caplog: pytest.LogCaptureFixture
) -> None:
    async def picky(request: web.Request) -> web.Response:
        metadata = (await request.json())["metadata"]
        if "sensitive_media_warning" in metadata:
            return problem(400, title="Invalid Request", detail="no such thing as 'a wound'")
        return problem(200, data={"id": "5"})

    odd.says(METADATA, picky)
    medium = keep(PNG, MediaKind.IMAGE, "image/png", "a wound as wide as a hand", sensitive=True)
    with caplog.at_level(logging.WARNING, logger="bridge"):
        async with adapter_for(odd.url) as adapter:
            uploaded = await adapter.upload(medium)
    assert uploaded.note == "X did not take the warning of the image"
    assert uploaded.cost == X_PRICES.media + X_PRICES.alt_text
    told = [json.loads(one.body)["metadata"] for one in odd.asked(METADATA)]
    assert told == [
        {
            "alt_text": {"text": "a wound as wide as a hand"},
            "sensitive_media_warning": {"other": True},
        },
        {"alt_text": {"text": "a wound as wide as a hand"}},
    ]
    assert "did not take the warning" in caplog.text
    assert "wide as a hand" not in caplog.text


async def test_a_refused_description_does_not_keep_the_post_back(odd: OddX, keep: Keep) -> None:
    odd.says(METADATA, problem(400, title="Invalid Request"))
    async with adapter_for(odd.url) as adapter:
        alone = await adapter.upload(keep(PNG, MediaKind.IMAGE, "image/png", "words"))
        both = await adapter.upload(
            keep(PNG, MediaKind.IMAGE, "image/png", "words", sensitive=True)
        )
    assert alone.note == "X did not take the description of the image"
    assert both.note == "X did not take the description and the warning of the image"
    assert alone.cost == both.cost == X_PRICES.media


@pytest.mark.parametrize("step", [AT_ONCE, BEGIN, FINISH])
async def test_a_success_that_states_an_error_is_none_and_costs_nothing(
    odd: OddX, keep: Keep, step: str
) -> None:
    wrong = {"title": "Invalid Request", "type": "https://api.x.com/2/problems/invalid-request"}
    told = odd.replies[step]
    odd.says(step, problem(200, errors=[wrong]))
    picture = keep(PNG, MediaKind.IMAGE, "image/png")
    medium = picture if step == AT_ONCE else keep(mp4(), MediaKind.VIDEO, "video/mp4")
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Refused, match="Invalid Request"):
            await adapter.upload(medium)
        odd.replies[step] = told
        assert (await adapter.upload(picture)).cost == X_PRICES.media


async def test_a_description_that_x_reports_an_error_about_is_lost_and_said_so(
    odd: OddX, keep: Keep
) -> None:
    odd.says(METADATA, problem(200, data={"id": "5"}, errors=[{"title": "Odd", "detail": "no"}]))
    async with adapter_for(odd.url) as adapter:
        uploaded = await adapter.upload(keep(PNG, MediaKind.IMAGE, "image/png", "words"))
    assert uploaded.note == "X did not take the description of the image"


async def test_a_token_that_ends_between_two_segments_is_renewed_and_the_segment_sent_again(
    timed: tuple[ServedX, VirtualClock], keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "SEGMENT", 300)
    served, clock = timed
    film = mp4(padding=500)
    served.sandbox.faults.add(Fault("refuse-then-401", path="append"))
    store = Shelf()
    async with adapter_for(
        served.url, oauth2_of(served.account), clock=clock, store=store
    ) as adapter:
        uploaded = await adapter.upload(keep(film, MediaKind.VIDEO, "video/mp4"))
        await adapter.publish(part("film"), reply_to=None, key="k", media=[uploaded.id])
    (post,) = served.sandbox.timeline(served.account)
    assert served.sandbox.file(post.media[0].key) == film
    assert len(store.saves) == 1


async def test_a_file_that_is_gone_or_shrinks_is_no_failure_of_x(
    odd: OddX, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium = keep(mp4(padding=9000), MediaKind.VIDEO, "video/mp4")
    async with adapter_for(odd.url) as adapter:
        with monkeypatch.context() as longer:
            longer.setattr(uploading, "_size", lambda path: path.stat().st_size + 5000)
            with pytest.raises(Transient):
                await adapter.upload(medium)
        medium.path.unlink()
        with pytest.raises(Transient, match="cannot be read") as gone:
            await adapter.upload(medium)
    assert not gone.value.unreachable
    assert odd.asked(FINISH) == []


async def test_a_film_is_never_in_memory_as_a_whole(
    odd: OddX, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[int] = []
    heard: list[tuple[int | None, bool]] = []

    async def listening(request: web.Request) -> web.Response:
        heard.append((request.content_length, "Transfer-Encoding" in request.headers))
        return problem(200, data={})

    from bridge.networks.x import multipart

    reading = multipart._read

    def watched(file: object, position: int, size: int) -> bytes:
        pieces.append(size)
        return reading(file, position, size)  # type: ignore[arg-type] # whatever was opened

    monkeypatch.setattr(multipart, "_read", watched)
    odd.says(APPEND, listening)
    size = 9 << 20
    async with adapter_for(odd.url) as adapter:
        await adapter.upload(keep(mp4(padding=size), MediaKind.VIDEO, "video/mp4"))
    assert max(pieces) <= multipart.PIECE
    lengths = [length for length, chunked in heard if length is not None and not chunked]
    assert len(lengths) == len(heard) == 3
    assert max(lengths) < 5_000_000
    assert json.loads(odd.asked(BEGIN)[0].body)["media_category"] == "tweet_video"


async def test_the_largest_film_fits_into_a_thousand_segments_of_five_megabytes(
    odd: OddX, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "SEGMENT", 4)
    monkeypatch.setattr(uploading, "MOST_SEGMENTS", 10)
    content = mp4()
    async with adapter_for(odd.url) as adapter:
        await adapter.upload(keep(content, MediaKind.VIDEO, "video/mp4"))
        assert len(odd.asked(APPEND)) == 10
        monkeypatch.setattr(uploading, "LARGEST_SEGMENT", 10)
        with pytest.raises(Refused, match="more than can be sent"):
            await adapter.upload(keep(content, MediaKind.VIDEO, "video/mp4"))
        video = (await adapter.capabilities()).media.video
    assert video.max_bytes == 5_000_000_000


async def test_whoever_stops_an_upload_leaves_nothing_open(odd: OddX, keep: Keep) -> None:
    async def silent(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    odd.says(APPEND, silent)

    async def uploading_by(adapter: XAdapter) -> None:
        await adapter.upload(keep(mp4(padding=3 << 20), MediaKind.VIDEO, "video/mp4"))

    async with adapter_for(odd.url) as adapter:
        task = asyncio.create_task(uploading_by(adapter))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
