"""Reading the own timeline, on servers that page in every way seen, and some not seen.

Bars of docs/reliability.md: R16.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.errors import NetworkError, Refused, Throttled
from bridge.core.model import Post, PostId, Visibility
from bridge.core.record import Cursor
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from tests.networks.mastodon_servers import (
    START,
    STOCK,
    TOKEN,
    UNHEARD_OF,
    ManualClock,
    OddServer,
    knowing,
    odd,
    serving,
    status,
)

Known = Callable[[Collection[PostId]], Awaitable[frozenset[PostId]]]

NAMES = [f"{letter}{digit}" for letter in "qzbkfm" for digit in range(20)]
"""Ids that sort in no useful way."""


def timeline(count: int, **fields: object) -> list[dict[str, object]]:
    """`count` statuses a minute apart, newest first, with ids that sort in no useful way.

    For followers only, unless said otherwise, so that nothing asks for what was typed.
    """
    return [
        status(NAMES[n], n, **{"visibility": "private"} | fields) for n in reversed(range(count))
    ]


def cursor_at(minutes: int, *, post: str | None = None) -> Cursor:
    at = START + timedelta(minutes=minutes)
    return Cursor(post=PostId(post or NAMES[minutes]), at=at)


def ids(posts: Collection[Post]) -> list[str]:
    return [str(post.id) for post in posts]


async def read_on(adapter: MastodonAdapter, cursor: Cursor, known: Known) -> list[str]:
    """Read as the engine does: what was read is known, until nothing more is said to be there."""
    found: list[str] = []

    async def known_by_now(asked: Collection[PostId]) -> frozenset[PostId]:
        return await known(asked) | {each for each in asked if each in found}

    for _ in range(50):
        reading = await adapter.read_after(cursor, known_by_now)
        found += ids(reading.posts)
        for post in reading.posts:
            if post.id not in reading.strays:
                cursor = cursor.past(post)
        if not (reading.more and reading.posts):
            return found
    raise AssertionError("it never ends")


EVERY_WAY = [
    pytest.param(STOCK, {}, id="as Mastodon does it"),
    pytest.param(STOCK, {"ascending": True}, id="oldest first"),
    pytest.param(STOCK, {"min_id": "ignored"}, id="claims to be Mastodon but ignores min_id"),
    pytest.param(STOCK, {"min_id": "since"}, id="claims to be Mastodon but min_id is since_id"),
    pytest.param(STOCK, {"min_id": "refused"}, id="refuses min_id"),
    pytest.param(STOCK, {"min_id": "since", "cap": 7}, id="small pages, min_id is since_id"),
    pytest.param(UNHEARD_OF, {"min_id": "ignored"}, id="unheard of, ignores min_id"),
    pytest.param(UNHEARD_OF, {}, id="unheard of, honours min_id"),
    pytest.param(UNHEARD_OF, {"cap": 3}, id="unheard of, tiny pages"),
    pytest.param(None, {"min_id": "ignored"}, id="says nothing about itself"),
]


@pytest.mark.parametrize(("instance", "ways"), EVERY_WAY)
@pytest.mark.parametrize("count", [1, 2, 25])
async def test_everything_after_the_cursor_is_read_once_and_oldest_first(
    instance: dict[str, object] | None, ways: dict[str, object], count: int
) -> None:
    server = OddServer(timeline(10 + count), instance, **ways)  # type: ignore[arg-type] # by name
    async with odd(server) as adapter:
        found = await read_on(adapter, cursor_at(9), knowing(NAMES[:10]))
    assert found == NAMES[10 : 10 + count]


@pytest.mark.parametrize(("instance", "ways"), EVERY_WAY)
async def test_from_the_beginning_means_every_post_there_is(
    instance: dict[str, object] | None, ways: dict[str, object]
) -> None:
    server = OddServer(timeline(25), instance, **ways)  # type: ignore[arg-type] # given by name
    async with odd(server) as adapter:
        assert await read_on(adapter, Cursor(), knowing(())) == NAMES[:25]


async def test_a_server_that_looks_for_the_id_to_begin_from_gives_every_post_as_well() -> None:
    async with odd(OddServer(timeline(25), STOCK, min_id="looked up")) as adapter:
        assert await read_on(adapter, Cursor(), knowing(())) == NAMES[:25]


@pytest.mark.parametrize(("instance", "ways"), EVERY_WAY)
async def test_a_date_to_start_from_bounds_how_far_back_is_read(
    instance: dict[str, object] | None, ways: dict[str, object]
) -> None:
    server = OddServer(timeline(25), instance, **ways)  # type: ignore[arg-type] # given by name
    async with odd(server) as adapter:
        floor = Cursor(floor=START + timedelta(minutes=15))
        assert await read_on(adapter, floor, knowing(())) == NAMES[15:25]


@pytest.mark.parametrize(("instance", "ways"), EVERY_WAY)
@pytest.mark.parametrize("known", [True, False])
async def test_a_cursor_whose_post_was_deleted_still_works(
    instance: dict[str, object] | None, ways: dict[str, object], known: bool
) -> None:
    listing = [row for row in timeline(30) if row["id"] != NAMES[9]]
    server = OddServer(listing, instance, **ways)  # type: ignore[arg-type] # given by name
    async with odd(server) as adapter:
        found = await read_on(adapter, cursor_at(9), knowing(NAMES[:10] if known else ()))
    assert found == NAMES[10:30]


@pytest.mark.parametrize(("instance", "ways"), EVERY_WAY)
async def test_where_nothing_is_new_nothing_is_read(
    instance: dict[str, object] | None, ways: dict[str, object]
) -> None:
    server = OddServer(timeline(10), instance, **ways)  # type: ignore[arg-type] # given by name
    async with odd(server) as adapter:
        assert await read_on(adapter, cursor_at(9), knowing(NAMES[:10])) == []


@pytest.mark.parametrize("instance", [STOCK, UNHEARD_OF], ids=["stock", "unheard of"])
async def test_an_idle_poll_costs_one_request(instance: dict[str, object]) -> None:
    server = OddServer(timeline(10), instance)
    async with odd(server) as adapter:
        await adapter.read_after(cursor_at(9), knowing(NAMES[:10]))
        before = len(server.asked)
        await adapter.read_after(cursor_at(9), knowing(NAMES[:10]))
        assert len(server.asked) == before + 1


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_whatever_the_ledger_knows_nothing_else_is_lost_and_nothing_known_comes_back(
    data: st.DataObject,
) -> None:
    """A pass that broke off leaves the oldest ones known, wherever the cursor says it stands."""
    count = data.draw(st.integers(1, 60))
    dealt_with = data.draw(st.integers(1, count))
    cap = data.draw(st.sampled_from([2, 7, 40]))
    ways = data.draw(
        st.sampled_from([("ignored", UNHEARD_OF), ("since", STOCK), ("honoured", STOCK)])
    )
    server = OddServer(timeline(count), ways[1], min_id=ways[0], cap=cap)
    async with odd(server) as adapter:
        cursor = cursor_at(data.draw(st.integers(0, dealt_with - 1)))
        found = await read_on(adapter, cursor, knowing(NAMES[:dealt_with]))
    assert found == NAMES[dealt_with:count]


async def test_posts_of_the_same_second_as_the_cursor_are_told_apart_by_their_place() -> None:
    listing = [status(each, 5) for each in ("new", "newer-than-cursor", "cursor", "older")]
    async with odd(OddServer(listing, UNHEARD_OF, min_id="ignored")) as adapter:
        cursor = Cursor(post=PostId("cursor"), at=START + timedelta(minutes=5))
        found = await read_on(adapter, cursor, knowing(["cursor", "older"]))
    assert found == ["newer-than-cursor", "new"]


async def test_an_old_post_on_top_of_the_listing_hides_nothing_below_it() -> None:
    listing = [status("pinned", 1), *timeline(60)]
    server = OddServer(listing, UNHEARD_OF, min_id="ignored", cap=20)
    async with odd(server) as adapter:
        found = await read_on(adapter, cursor_at(9), knowing([*NAMES[:10], "pinned"]))
    assert found == NAMES[10:60]


async def test_a_post_that_came_late_with_an_earlier_date_is_not_lost() -> None:
    late = status("late", 8.5)
    server = OddServer([late, *timeline(10)], UNHEARD_OF)
    async with odd(server) as adapter:
        assert await read_on(adapter, cursor_at(9), knowing(NAMES[:10])) == ["late"]


@pytest.mark.parametrize("started", [True, False])
async def test_an_edited_post_under_a_new_id_is_read_unless_it_stood_there_at_the_start(
    started: bool,
) -> None:
    """The ledger recognises it by its date; what stood there at the start is not in it."""
    edited = status("other-id", 9, edited_at=(START + timedelta(minutes=30)).isoformat())
    server = OddServer([edited, *timeline(9)], UNHEARD_OF, min_id="ignored")
    cursor = cursor_at(9) if started else replace(cursor_at(9), floor=cursor_at(9).at)
    async with odd(server) as adapter:
        found = await read_on(adapter, cursor, knowing(NAMES[:10]))
    assert found == (["other-id"] if started else [])


class TestAServerThatGivesOnePageWhateverIsAsked:
    """Some do: their newest posts, up to a number of their own choosing."""

    async def test_is_read_without_walking_in_circles(self) -> None:
        server = OddServer(timeline(60), UNHEARD_OF, min_id="ignored", max_id="ignored", cap=25)
        async with odd(server) as adapter:
            assert await read_on(adapter, cursor_at(49), knowing(())) == NAMES[50:60]
            assert await read_on(adapter, Cursor(), knowing(())) == NAMES[35:60]

    async def test_proves_nothing_about_what_it_does_not_show(self) -> None:
        server = OddServer(timeline(60), UNHEARD_OF, min_id="ignored", max_id="ignored", cap=25)
        async with odd(server) as adapter:
            with pytest.raises(Refused, match="only its newest"):
                await adapter.recent(START)
            shown = await adapter.recent(START + timedelta(minutes=36))
        assert ids(shown.posts) == NAMES[36:60]

    async def test_and_has_few_posts_is_taken_to_show_them_all(self) -> None:
        server = OddServer(timeline(12), UNHEARD_OF, min_id="ignored", max_id="ignored", cap=25)
        async with odd(server) as adapter:
            assert ids((await adapter.recent(START)).posts) == NAMES[:12]


async def test_posts_of_others_that_stray_into_the_timeline_are_left_out() -> None:
    stray = status("stray", 20, account={"id": "somebody"})
    async with odd(OddServer([stray, *timeline(12)], STOCK)) as adapter:
        assert await read_on(adapter, cursor_at(9), knowing(NAMES[:10])) == NAMES[10:12]


async def test_a_timeline_of_others_posts_alone_is_a_fault_and_not_an_empty_timeline() -> None:
    server = OddServer(timeline(3, account={"id": "somebody"}), STOCK)
    async with odd(server) as adapter:
        with pytest.raises(Refused):
            await adapter.read_after(Cursor(), knowing(()))


async def test_the_baseline_is_the_newest_post_by_time_and_the_page_around_it() -> None:
    listing = timeline(30)
    listing[0], listing[3] = listing[3], listing[0]
    async with odd(OddServer(listing, STOCK, cap=40)) as adapter:
        baseline = await adapter.baseline()
    newest = START + timedelta(minutes=29)
    assert baseline.cursor == Cursor(post=PostId(NAMES[29]), at=newest, floor=newest)
    assert baseline.ids == frozenset(NAMES[10:30])


async def test_an_empty_timeline_has_an_empty_baseline_and_its_first_post_is_read() -> None:
    server = OddServer([], STOCK)
    async with odd(server) as adapter:
        baseline = await adapter.baseline()
        assert baseline.cursor == Cursor()
        assert baseline.ids == frozenset()
        assert await read_on(adapter, baseline.cursor, knowing(())) == []
        server.listing = timeline(1)
        assert await read_on(adapter, baseline.cursor, knowing(())) == NAMES[:1]


async def test_recent_gives_the_whole_stretch_oldest_first() -> None:
    async with odd(OddServer(timeline(100), UNHEARD_OF, cap=7)) as adapter:
        reading = await adapter.recent(START + timedelta(minutes=50))
    assert ids(reading.posts) == NAMES[50:100]


async def test_recent_raises_rather_than_give_a_part() -> None:
    server = OddServer(timeline(100), STOCK)

    async def throttled_below_the_first_page(request: web.Request) -> web.StreamResponse:
        if "max_id" in request.query:
            return web.json_response({"error": "Too many requests"}, status=429)
        return web.json_response(server.listing[:40])

    server.special["GET", "/api/v1/accounts/me/statuses"] = throttled_below_the_first_page
    async with odd(server) as adapter:
        with pytest.raises(Throttled):
            await adapter.recent(START)


async def test_odd_statuses_do_not_stop_a_page() -> None:
    oddities: list[dict[str, object]] = [
        {"id": "only-an-id", "account": {"id": "me"}},
        status("no-date", 0, created_at=None),
        status("nulls", 12, content=None, visibility=None, media_attachments=None, mentions=None),
        {"account": {"id": "me"}},
    ]
    async with odd(OddServer([*oddities, *timeline(12)], UNHEARD_OF)) as adapter:
        found = await read_on(adapter, cursor_at(9), knowing(NAMES[:10]))
    assert set(found) == {*NAMES[10:12], "only-an-id", "no-date", "nulls"}


class TestTheTextAsTyped:
    async def test_is_asked_of_mastodon_for_what_could_be_mirrored_and_for_nothing_else(
        self,
    ) -> None:
        listing = [
            status("boost", 6, reblog={"id": "x", "account": {"id": "you"}}),
            status("reply", 5, in_reply_to_id="p", in_reply_to_account_id="you"),
            status("direct", 4, visibility="direct"),
            status("private", 3, visibility="private"),
            status("thread", 2, in_reply_to_id="plain", in_reply_to_account_id="me"),
            status("unlisted", 1, visibility="unlisted"),
            status("plain", 0),
        ]
        server = OddServer(listing, STOCK, sources={"plain": "as  typed"})
        async with odd(server) as adapter:
            reading = await adapter.read_after(Cursor(), knowing(()))
        asked = [line.split("/")[-2] for line in server.asked if line.endswith("/source")]
        assert asked == ["plain", "unlisted", "thread"]
        texts = {str(post.id): post.text.plain for post in reading.posts}
        assert texts["plain"] == "as  typed"
        assert texts["thread"] == "thread"

    @pytest.mark.parametrize(
        "instance",
        [
            UNHEARD_OF,
            {"version": "0.20.2+git-8d4b2f5", "configuration": {"accounts": {}}},
            {"version": "2.7.2 (compatible; Pleroma 2.9.0)"},
            {"version": "0.6.1", "api_versions": {"mastodon": 7}},
        ],
    )
    async def test_is_not_asked_of_servers_that_may_give_markdown(
        self, instance: dict[str, object]
    ) -> None:
        server = OddServer(
            timeline(1, visibility="public"), instance, sources={NAMES[0]: "**bold**"}
        )
        async with odd(server) as adapter:
            reading = await adapter.read_after(Cursor(), knowing(()))
        assert [post.text.plain for post in reading.posts] == [NAMES[0]]
        assert not [line for line in server.asked if line.endswith("/source")]

    async def test_that_cannot_be_had_leaves_the_html(self) -> None:
        server = OddServer(timeline(3, visibility="public"), STOCK)

        async def broken(request: web.Request) -> web.StreamResponse:
            return web.Response(text="<h1>oops</h1>", status=500)

        server.special["GET", f"/api/v1/statuses/{NAMES[0]}/source"] = broken
        async with odd(server) as adapter:
            reading = await adapter.read_after(Cursor(), knowing(()))
        assert [post.text.plain for post in reading.posts] == NAMES[:3]

    async def test_that_is_known_is_not_asked_for_again_until_the_post_is_edited(self) -> None:
        listing = timeline(3, visibility="public")
        server = OddServer(listing, STOCK, sources={str(row["id"]): "typed" for row in listing})
        async with odd(server) as adapter:
            for _ in range(3):
                posts = (await adapter.recent(START)).posts
                assert [post.text.plain for post in posts] == ["typed"] * 3
            assert sources_asked(server) == 3
            listing[0]["edited_at"] = "2026-11-01T12:30:00Z"
            server.sources[str(listing[0]["id"])] = "typed anew"
            assert (await adapter.recent(START)).posts[-1].text.plain == "typed anew"
            assert (await adapter.recent(START)).posts[-1].text.plain == "typed anew"
        assert sources_asked(server) == 4

    async def test_is_not_asked_for_again_and_again_where_there_is_none(self) -> None:
        server, clock = OddServer(timeline(9, visibility="public"), STOCK), ManualClock()
        async with odd(server, clock) as adapter:
            for _ in range(3):
                assert len((await adapter.recent(START)).posts) == 9
            assert sources_asked(server) == 3
            clock.pass_time(25 * 3600)
            await adapter.recent(START)
        assert sources_asked(server) == 6

    async def test_that_one_post_lacks_is_still_asked_of_the_others(self) -> None:
        listing = timeline(9, visibility="public")
        server = OddServer(listing, STOCK, sources=dict.fromkeys(NAMES[:9:2], "typed"))
        async with odd(server) as adapter:
            posts = (await adapter.recent(START)).posts
        assert [post.text.plain == "typed" for post in posts] == [n % 2 == 0 for n in range(9)]


def sources_asked(server: OddServer) -> int:
    return sum(line.endswith("/source") for line in server.asked)


class TestTheWindow:
    async def test_is_the_newest_stretch_over_pages_of_any_size(self) -> None:
        for cap, limit in ((10, 25), (3, 7), (10, 4), (10, 400)):
            server = OddServer(timeline(30), STOCK, cap=cap)
            async with odd(server) as adapter:
                posts = (await adapter.window(limit)).posts
            assert [post.id for post in posts] == NAMES[:30][-limit:]

    async def test_asks_for_no_more_than_it_needs(self) -> None:
        server = OddServer(timeline(30), STOCK, cap=40)
        async with odd(server) as adapter:
            await adapter.window(20)
        assert [line.partition("?")[2] for line in server.pages_asked()] == [
            "exclude_replies=1&limit=20"
        ]
        assert sources_asked(server) == 0

    async def test_raises_where_a_server_withholds_a_part_of_it(self) -> None:
        server = OddServer(timeline(40), UNHEARD_OF, max_id="ignored", cap=20)
        async with odd(server) as adapter:
            assert len((await adapter.window(20)).posts) == 20
            with pytest.raises(Refused, match="newest 30"):
                await adapter.window(30)

    async def test_has_boosts_threads_and_every_audience_in_it_but_no_replies(self) -> None:
        listing = [
            status("boost", 4, reblog={"id": "x", "account": {"id": "you"}}),
            status("reply", 3, in_reply_to_id="p", in_reply_to_account_id="you"),
            status("thread", 3, in_reply_to_id="odd", in_reply_to_account_id="me"),
            status("direct", 2, visibility="direct"),
            status("odd", 1, visibility="circle"),
        ]
        async with odd(OddServer(listing, UNHEARD_OF)) as adapter:
            posts = (await adapter.window(10)).posts
            without = (await adapter.window(10, boosts=False)).posts
        assert [post.id for post in posts] == ["odd", "direct", "thread", "boost"]
        assert [post.id for post in without] == ["odd", "direct", "thread"]
        assert posts[0].visibility is Visibility.UNKNOWN


async def test_what_is_left_out_of_a_listing_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listing = [
        status("nobody", 4, account=None),
        status("theirs", 3, account={"id": "you", "acct": "you"}),
        status("nameless", 2) | {"id": None},
        status("mine", 1),
    ]
    async with odd(OddServer(listing, UNHEARD_OF)) as adapter:
        for _ in range(3):
            posts = (await adapter.window(10)).posts
            assert [post.id for post in posts] == ["mine"]
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 3
    for word in ("without an author", "others' posts", "without an id"):
        assert sum(word in each for each in told) == 1


async def test_shortcodes_of_custom_emoji_go_where_the_settings_say_so() -> None:
    listing = [status("p", 1, content="<p>Hi :blob:</p>", emojis=[{"shortcode": "blob"}])]
    async with (
        serving(OddServer(listing, UNHEARD_OF)) as server,
        aiohttp.ClientSession() as session,
    ):
        for kept, text in ((True, "Hi :blob:"), (False, "Hi")):
            settings = MastodonSettings(server.url, TOKEN, custom_emoji=kept)
            adapter = MastodonAdapter(settings, session=session, clock=ManualClock())
            assert (await adapter.window(5)).posts[0].text.plain == text
            await adapter.close()


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response,
        lambda _: web.Response(text="<html>maintenance</html>"),
        lambda _: web.Response(body=b""),
        lambda _: web.Response(body=b"[" * 100_000),
        lambda _: web.Response(body=b'[{"id": "1"'),
        lambda _: web.Response(body=b"\xff\xfe\xfa"),
    ],
    ids=["object", "html", "empty", "deep", "cut", "bytes"],
)
async def test_a_page_that_is_no_page_is_a_failure_and_not_an_empty_timeline(
    answer: Callable[[object], web.Response],
) -> None:
    server = OddServer(timeline(3), STOCK)

    async def respond(request: web.Request) -> web.StreamResponse:
        return answer({"not": "a page"})

    server.special["GET", "/api/v1/accounts/me/statuses"] = respond
    async with odd(server, ManualClock()) as adapter:
        with pytest.raises(NetworkError) as caught:
            await adapter.read_after(cursor_at(1), knowing(()))
        assert getattr(caught.value, "unreachable", False)
        with pytest.raises(NetworkError):
            await adapter.recent(START)
