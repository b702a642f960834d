"""Uploads that the account, the server or this disk does not allow: media wait, words go on."""

from dataclasses import replace
from random import Random

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.errors import (
    DiskFull,
    NetworkError,
    NoUploads,
    Refused,
    Throttled,
    Unauthorised,
)
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.model import Media, Post
from bridge.core.policy import MediaMissing, Policy
from bridge.engine.media import SMALLER
from bridge.engine.standing import wait_rows
from bridge.engine.supervise import Daemon
from tests.engine.conftest import Rig
from tests.fakes import PICTURES, FakeNetwork

NOT_ABOUT_A_FILE: list[NetworkError] = [
    Unauthorised("HTTP 403: Forbidden", status=403),
    Unauthorised("HTTP 401: Unauthorized", status=401),
    NoUploads("HTTP 413", status=413),
    NoUploads("HTTP 405", status=405),
    NoUploads("HTTP 451: not from here", status=451),
]
POLICIES: list[MediaMissing] = ["hold", "send_without", "skip"]


def sides(rig: Rig, *, outward: bool) -> tuple[FakeNetwork, FakeNetwork]:
    return (rig.mastodon, rig.x) if outward else (rig.x, rig.mastodon)


def picture(network: FakeNetwork, name: str) -> Media:
    return network.picture(name)


def waits(daemon: Daemon) -> list[str]:
    return [row["condition"] for row in wait_rows(daemon.lanes)]


@pytest.mark.parametrize(
    ("error", "policy", "outward"),
    [
        (error, POLICIES[number % len(POLICIES)], bool(number % 2))
        for number, error in enumerate(NOT_ABOUT_A_FILE)
    ],
)
async def test_posts_with_media_wait_whole_and_posts_without_go_on(
    rig: Rig, error: NetworkError, policy: MediaMissing, *, outward: bool
) -> None:
    rig.policy = replace(Policy(), media_missing=policy)
    rig.files.smallest = 1 << 20
    daemon = await rig.started()
    source, target = sides(rig, outward=outward)
    target.uploads_refused = lambda _: error
    chance, posts = Random(f"{error.status} {policy} {outward}"), list[Post]()
    for number in range(8):
        media = [picture(source, f"{number}-{i}") for i in range(chance.randint(0, 2))]
        posts.append(source.write(f"Post {number}", media=media))
    await rig.pass_time(daemon, 7200, step=900)
    await rig.restart()
    daemon = rig.daemon()
    await rig.pass_time(daemon, 7200, step=900)
    for post in posts:
        expected = PostState.PLANNED if post.media else PostState.DELIVERED
        assert await rig.state(post.id) is expected
    assert waits(daemon) == ["media-waits"]
    with_media = [post for post in posts if post.media]
    for post in with_media:
        assert str(error) in (await rig.record(post.id)).parts[0].detail

    target.uploads_refused = lambda _: None
    for lane in daemon.lanes:
        await lane.mended()
    await rig.pass_time(daemon, 60)
    shown = {text: len(media) for text, media in target.shown()}
    assert shown == {post.text.plain: len(post.media) for post in posts}
    assert waits(daemon) == []
    for post in posts:
        assert (await rig.record(post.id)).notes == ()


async def test_it_is_told_once_while_it_lasts_and_once_when_it_is_over(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.uploads_refused = lambda _: NOT_ABOUT_A_FILE[0]
    for number in range(3):
        rig.mastodon.write(f"Post {number}", media=[picture(rig.mastodon, str(number))])
    await rig.pass_time(daemon, 3600, step=300)
    told = [event for event in rig.events if isinstance(event, RoutePaused)]
    assert len(told) == 1
    assert "uploading to x: HTTP 403" in told[0].detail
    rig.x.uploads_refused = lambda _: None
    await rig.pass_time(daemon, 7200, step=300)
    assert len([event for event in rig.events if isinstance(event, RouteResumed)]) == 1
    assert len(rig.x.published) == 3


async def test_while_nothing_can_be_uploaded_nothing_is_asked_of_anybody(rig: Rig) -> None:
    daemon = await rig.started()
    asked = 0

    def refuse(_: object) -> NetworkError:
        nonlocal asked
        asked += 1
        return NOT_ABOUT_A_FILE[0]

    rig.x.uploads_refused = refuse
    for number in range(8):
        rig.mastodon.write(f"Post {number}", media=[picture(rig.mastodon, str(number))])
    await rig.pass_time(daemon, 43_200, step=900)
    assert asked < 30
    assert len(rig.mastodon.look_ups) < 45


@pytest.mark.parametrize("outward", [True, False])
async def test_an_edit_that_brings_a_picture_waits_too(rig: Rig, *, outward: bool) -> None:
    daemon = await rig.started()
    source, target = sides(rig, outward=outward)
    target.uploads_refused = lambda _: NOT_ABOUT_A_FILE[0]
    post = source.write("A pet")
    await daemon.once()
    source.edit(post, "A pet", media=[picture(source, "cat")])
    await rig.pass_time(daemon, 1800, step=60)
    assert [part.state for part in (await rig.record(post.id)).parts] == [PartState.OUTDATED]
    target.uploads_refused = lambda _: None
    for lane in daemon.lanes:
        await lane.mended()
    await daemon.once()
    assert [len(media) for _, media in target.shown()] == [1]


async def test_files_refused_alike_in_a_row_are_the_server_s_doing(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.uploads_refused = lambda _: Refused("HTTP 400: media type 17 unrecognized", status=400)
    posts = []
    for number in range(5):
        posts.append(
            rig.mastodon.write(f"Post {number}", media=[picture(rig.mastodon, str(number))])
        )
        await rig.pass_time(daemon, 60, step=60)
    states = [await rig.state(post.id) for post in posts]
    assert states == [PostState.DELIVERED] * 2 + [PostState.PLANNED] * 3
    assert waits(daemon) == ["media-waits"]
    (row,) = wait_rows(daemon.lanes)
    assert "3 files in a row were refused alike" in row["detail"]
    rig.x.uploads_refused = lambda _: None
    await rig.pass_time(daemon, 3600, step=300)
    assert [len(media) for _, media in rig.x.shown()] == [0, 0, 1, 1, 1]


async def test_bad_files_in_a_row_do_not_keep_a_good_one_from_going(rig: Rig) -> None:
    daemon = await rig.started()
    good = picture(rig.mastodon, "good")

    def picky(medium: object) -> NetworkError | None:
        known = rig.files.fetched[-1] == good.url
        return None if known else Refused("HTTP 400: not a picture", status=400)

    rig.x.uploads_refused = picky
    for number in range(3):
        rig.mastodon.write(f"Bad {number}", media=[picture(rig.mastodon, str(number))])
    rig.mastodon.write("Good", media=[good])
    await rig.pass_time(daemon, 1800, step=60)
    assert dict(rig.x.shown()) == {"Bad 0": (), "Bad 1": (), "Bad 2": (), "Good": (good.url,)}


async def test_refusals_that_differ_are_each_about_their_file(rig: Rig) -> None:
    daemon = await rig.started()
    words = iter(("too wide", "too long", "too loud", "too dark", "too dull"))
    rig.x.uploads_refused = lambda _: Refused(f"HTTP 400: {next(words)}", status=400)
    for number in range(5):
        rig.mastodon.write(f"Post {number}", media=[picture(rig.mastodon, str(number))])
    await daemon.once()
    assert len(rig.x.published) == 5
    assert waits(daemon) == []


@pytest.mark.parametrize("kind", [Refused, NoUploads])
@pytest.mark.parametrize("size", [3_000_000, 1_200_000, 700_000])
async def test_a_file_that_is_too_large_for_what_stands_in_between_is_made_smaller_once(
    rig: Rig, size: int, kind: type[Refused | NoUploads]
) -> None:
    daemon = await rig.started()
    most = min(SMALLER, size // 2)
    cat = picture(rig.mastodon, "cat")
    rig.files.sizes[str(cat.url)] = size
    sent = []

    def proxy(medium: object) -> NetworkError | None:
        sent.append(medium.size)  # type: ignore[attr-defined]
        return kind("HTTP 413", status=413) if sent[-1] > most else None

    rig.x.uploads_refused = proxy
    toot = rig.mastodon.write("A pet", media=[cat])
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert sent == [size, most]
    assert "image 1 of part 1: made smaller" in (await rig.record(toot.id)).notes
    assert rig.files.left == []
    assert waits(daemon) == []


async def test_what_a_server_takes_by_now_is_asked_once_a_file_is_refused(rig: Rig) -> None:
    daemon = await rig.started()
    cat = picture(rig.mastodon, "cat")
    rig.files.sizes[str(cat.url)] = 5000
    lower = replace(PICTURES, image=replace(PICTURES.image, max_bytes=1000))

    def lowered(medium: object) -> NetworkError | None:
        rig.x.picture_limits = lower
        too_large = medium.size > 1000  # type: ignore[attr-defined]
        return Refused("HTTP 422: too large", status=422) if too_large else None

    rig.x.uploads_refused = lowered
    toot = rig.mastodon.write("A pet", media=[cat])
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert [len(media) for _, media in rig.x.shown()] == [1]
    assert rig.x.asked_afresh == 1


async def test_what_no_proxy_ever_takes_is_given_up_after_about_a_day(rig: Rig) -> None:
    daemon = await rig.started()
    rig.files.smallest = 1 << 30
    rig.x.uploads_refused = lambda _: NoUploads("HTTP 413", status=413)
    rig.mastodon.write("A pet", media=[picture(rig.mastodon, "cat")])
    await rig.pass_time(daemon, 12 * 3600, step=1800)
    assert rig.x.published == []
    await rig.pass_time(daemon, 72 * 3600, step=3600)
    assert rig.x.shown() == [("A pet", ())]


async def test_an_upload_that_is_throttled_holds_up_all_as_before(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.uploads_refused = lambda _: Throttled("HTTP 429", status=429)
    rig.mastodon.write("A pet", media=[picture(rig.mastodon, "cat")])
    rig.mastodon.write("No pet")
    await rig.pass_time(daemon, 120)
    assert rig.x.published == []
    assert waits(daemon) == ["rate-limit"]


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_full_disk_is_waited_for_however_long_it_takes(
    rig: Rig, policy: MediaMissing
) -> None:
    rig.policy = replace(Policy(), media_missing=policy)
    daemon = await rig.started()
    cat = picture(rig.mastodon, "cat")
    rig.files.errors[str(cat.url)] = [DiskFull("cannot be kept: the disk is nearly full")] * 1000
    toot = rig.mastodon.write("A pet", media=[cat])
    rig.mastodon.write("No pet")
    await rig.pass_time(daemon, 43_200, step=3600)
    assert [part.text for part, _, _ in rig.x.published] == ["No pet"]
    assert await rig.state(toot.id) is PostState.PLANNED
    assert waits(daemon) == ["media-waits"]
    rig.files.errors.clear()
    await rig.pass_time(daemon, 7200, step=300)
    assert ("A pet", (str(cat.url),)) in rig.x.shown()
    assert (await rig.record(toot.id)).notes == ()
