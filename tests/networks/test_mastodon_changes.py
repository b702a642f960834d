"""What happens to posts after they were made, and what they are made of beside their text."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bridge.core.draft import DraftMedia, DraftPoll
from bridge.core.errors import InDoubt, NetworkError, Refused, Throttled, Transient
from bridge.core.model import MediaId, MediaKind, PostId, Visibility
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.ports import LocalMedia
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox, Status
from bridge.sandbox.mastodon.profiles import ProfileName
from bridge.sandbox.server import serve
from tests.fixtures.mastodon import PNG
from tests.networks.mastodon_servers import (
    STOCK,
    Handler,
    ManualClock,
    OddServer,
    adapter_at,
    odd,
    part,
    status,
)

ONE = "/api/v1/statuses/made"
MADE = PostId("made")
EDITING: list[ProfileName] = ["mastodon", "gotosocial", "minimal", "pleroma"]


@dataclass
class Scene:
    sandbox: MastodonSandbox
    me: MastodonAccount
    adapter: MastodonAdapter
    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)

    async def picture(self, alt: str = "") -> MediaId:
        path = self.folder / "picture"
        path.write_bytes(PNG)
        medium = LocalMedia(path, MediaKind.IMAGE, "image/png", len(PNG), alt)
        return (await self.adapter.upload(medium)).id

    def standing(self, post: PostId) -> Status:
        found = self.sandbox.get(post)
        assert found is not None
        return found

    def poll(self, left: timedelta, *options: str, multiple: bool = False) -> DraftPoll:
        ends_at = self.clock.now() + left
        return DraftPoll(options or ("yes", "no"), ends_at, multiple, otherwise="yes or no? (over)")

    def pass_time(self, time: timedelta) -> None:
        self.clock.pass_time(time.total_seconds())
        self.sandbox.clock.shift(time.total_seconds())


@pytest.fixture
def on(tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def scene(profile: ProfileName = "mastodon") -> AsyncIterator[Scene]:
        sandbox = MastodonSandbox(profile)
        me = sandbox.add_account("me")
        clock = ManualClock()
        async with (
            serve(sandbox.app) as url,
            adapter_at(url, clock, token=me.access_token) as adapter,
        ):
            yield Scene(sandbox, me, adapter, tmp_path, clock)

    return scene


def media(*alts: str) -> tuple[DraftMedia, ...]:
    return tuple(
        DraftMedia(MediaId(f"s{n}"), MediaKind.IMAGE, "https://far.example/x", alt)
        for n, alt in enumerate(alts)
    )


class TestAPoll:
    async def test_is_made_for_the_time_that_is_left(self, on: Any) -> None:
        async with on() as scene:
            asked = part(
                "which?", poll=scene.poll(timedelta(hours=3), "a", "b", "c", multiple=True)
            )
            receipt = await scene.adapter.publish(asked, reply_to=None, key="k")
            poll = scene.standing(receipt.id).poll
            left = poll.expires_at - scene.sandbox.clock.now()
        assert (poll.options, poll.multiple) == (("a", "b", "c"), True)
        assert timedelta(hours=2, minutes=59) < left <= timedelta(hours=3)
        assert receipt.note == ""

    @pytest.mark.parametrize("left", [timedelta(minutes=4), timedelta(hours=-1)])
    async def test_whose_time_has_run_out_stands_in_words_and_the_receipt_says_so(
        self, on: Any, left: timedelta
    ) -> None:
        async with on() as scene:
            asked = part("which?", poll=scene.poll(left))
            receipt = await scene.adapter.publish(asked, reply_to=None, key="k")
            made = scene.standing(receipt.id)
        assert (made.text, made.poll) == ("yes or no? (over)", None)
        assert "in words" in receipt.note

    async def test_on_a_server_without_polls_stands_in_words(self, on: Any) -> None:
        async with on("minimal") as scene:
            asked = part("which?", poll=scene.poll(timedelta(hours=3)))
            receipt = await scene.adapter.publish(asked, reply_to=None, key="k")
            assert scene.standing(receipt.id).text == "yes or no? (over)"

    @pytest.mark.parametrize("edits", [True, False])
    async def test_that_a_server_leaves_out_without_a_word_is_put_into_words(
        self, edits: bool
    ) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            if request.method == "PUT" and not edits:
                return web.json_response({"error": "no"}, status=422)
            return web.json_response(status("made", 0))

        polls: dict[str, object] = {
            "max_options": 4, "max_characters_per_option": 50, "max_expiration": 2_629_746,
        }  # fmt: skip
        special: dict[tuple[str, str], Handler] = {
            ("POST", "/api/v1/statuses"): answer, ("PUT", ONE): answer,
        }  # fmt: skip
        instance = {"version": "takahe/0.11.0", "configuration": {"polls": polls}}
        server = OddServer(instance=instance, special=special)
        clock = ManualClock()
        asked = DraftPoll(
            ("a", "b"), clock.now() + timedelta(days=1), multiple=False, otherwise="which? a or b"
        )
        async with odd(server, clock) as adapter:
            assert (await adapter.capabilities()).polls is not None
            receipt = await adapter.publish(part("which?", poll=asked), reply_to=None, key="k")
            assert (await adapter.capabilities()).polls is None
        assert [body["status"] for body in server.bodies] == ["which?", "which? a or b"]
        assert receipt.id == MADE
        told = "makes no polls" if edits else "left out the poll"
        assert told in receipt.note

    async def test_lives_through_an_edit_of_the_words_with_its_votes(self, on: Any) -> None:
        async with on() as scene:
            asked = part("which?", poll=scene.poll(timedelta(hours=3)))
            receipt = await scene.adapter.publish(asked, reply_to=None, key="k")
            scene.sandbox.vote(receipt.id, (5, 2))
            scene.pass_time(timedelta(hours=1))
            await scene.adapter.revise(
                receipt.id, part("Which one?", poll=scene.poll(timedelta(hours=2)))
            )
            made = scene.standing(receipt.id)
        assert (made.text, made.poll.votes) == ("Which one?", (5, 2))

    async def test_that_is_over_is_not_wiped_out_by_an_edit(self, on: Any) -> None:
        async with on() as scene:
            asked = part("which?", poll=scene.poll(timedelta(hours=3)))
            receipt = await scene.adapter.publish(asked, reply_to=None, key="k")
            scene.sandbox.vote(receipt.id, (5, 2))
            scene.pass_time(timedelta(hours=4))
            with pytest.raises(Refused, match="votes"):
                await scene.adapter.revise(
                    receipt.id, part("Which one?", poll=scene.poll(timedelta(hours=-1)))
                )
            made = scene.standing(receipt.id)
        assert (made.text, made.poll.votes) == ("which?", (5, 2))

    async def test_that_stands_in_words_can_be_edited(self, on: Any) -> None:
        async with on() as scene:
            over = scene.poll(timedelta(hours=-1))
            receipt = await scene.adapter.publish(part("x", poll=over), reply_to=None, key="k")
            await scene.adapter.revise(receipt.id, part("y", poll=over, sensitive=True))
            assert scene.standing(receipt.id).sensitive


class TestAQuote:
    async def test_of_an_own_post_is_a_real_one(self, on: Any) -> None:
        async with on() as scene:
            first = await scene.adapter.publish(part("first"), reply_to=None, key="1")
            assert (await scene.adapter.capabilities()).quotes
            asked = part("second", quote=first.id)
            receipt = await scene.adapter.publish(asked, reply_to=None, key="2")
            assert scene.standing(receipt.id).quote_of == first.id
        assert receipt.note == ""

    async def test_that_the_server_does_not_know_is_said_to_be_lost(self, on: Any) -> None:
        async with on("gotosocial") as scene:
            first = await scene.adapter.publish(part("first"), reply_to=None, key="1")
            assert not (await scene.adapter.capabilities()).quotes
            receipt = await scene.adapter.publish(
                part("second", quote=first.id), reply_to=None, key="2"
            )
        assert receipt.note == "the server left out the quote"

    async def test_of_what_is_gone_is_refused_as_missing(self, on: Any) -> None:
        async with on() as scene:
            first = await scene.adapter.publish(part("first"), reply_to=None, key="1")
            scene.sandbox.remove(first.id)
            with pytest.raises(Refused) as caught:
                await scene.adapter.publish(part("x", quote=first.id), reply_to=None, key="2")
        assert caught.value.missing


class TestMedia:
    async def test_too_many_or_unknown_are_refused(self, on: Any) -> None:
        async with on() as scene:
            ids = [await scene.picture() for _ in range(5)]
            for wrong in (ids, [MediaId("1")]):
                with pytest.raises(Refused):
                    await scene.adapter.publish(part(), reply_to=None, key="k", media=wrong)
            assert not scene.sandbox.timeline(scene.me)

    async def test_need_no_text_beside_them(self, on: Any) -> None:
        async with on() as scene:
            asked = part("", media=media("alt"))
            ids = [await scene.picture("alt")]
            receipt = await scene.adapter.publish(asked, reply_to=None, key="k", media=ids)
            assert scene.standing(receipt.id).media == tuple(ids)

    async def test_that_a_server_left_out_are_named_on_the_receipt(self) -> None:
        async def forgetful(_: web.Request) -> web.StreamResponse:
            return web.json_response(status("made", 0, media_attachments=[{"id": "a"}]))

        server = OddServer(instance=STOCK, special={("POST", "/api/v1/statuses"): forgetful})
        async with odd(server) as adapter:
            receipt = await adapter.publish(
                part(), reply_to=None, key="k", media=[MediaId("a"), MediaId("b")]
            )
        assert receipt.note == "the server left out the attachments (1 of 2 are there)"
        assert server.bodies[0]["media_ids"] == ["a", "b"]
        assert server.headers[-1]["content-type"] == "application/json"


class TestAnEdit:
    @pytest.mark.parametrize("profile", EDITING)
    async def test_replaces_everything(self, on: Any, profile: ProfileName) -> None:
        async with on(profile) as scene:
            old, new = await scene.picture("one"), await scene.picture("two")
            before = part("before", spoiler="cw", language="fr", media=media("one"))
            made = await scene.adapter.publish(before, reply_to=None, key="k", media=[old])

            after = part("after", language="de", media=media("two", "one, told better"))
            receipt = await scene.adapter.revise(made.id, after, media=[new, old])
            post = await scene.adapter.look_up(receipt.id)

            assert post is not None
            assert (post.text.plain, post.spoiler, post.sensitive) == ("after", "", False)
            assert [(one.id, one.alt) for one in post.media] == [
                (new, "two"),
                (old, "one, told better"),
            ]
            assert post.language == (None if profile == "minimal" else "de")
            assert receipt.url == post.url
            await scene.adapter.revise(made.id, part("bare", spoiler="again"))
            post = await scene.adapter.look_up(made.id)
            assert post is not None
            assert (post.media, post.spoiler, post.sensitive) == ((), "again", True)

    async def test_made_twice_is_the_same_edit(self, on: Any) -> None:
        async with on() as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            for _ in range(2):
                await scene.adapter.revise(made.id, part("two"))
            assert len(scene.standing(made.id).edits) == 2

    async def test_of_what_is_gone_is_refused_as_missing(self, on: Any) -> None:
        async with on() as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            scene.sandbox.remove(made.id)
            with pytest.raises(Refused) as caught:
                await scene.adapter.revise(made.id, part("two"))
        assert caught.value.missing

    async def test_of_another_s_post_is_not_even_tried(self, on: Any) -> None:
        async with on() as scene:
            bob = scene.sandbox.add_account("bob")
            theirs = PostId(scene.sandbox.write(bob, "theirs").id)
            for attempt in (scene.adapter.revise(theirs, part("x")), scene.adapter.delete(theirs),
                            scene.adapter.look_up(theirs)):  # fmt: skip
                with pytest.raises(Refused, match="not a post of this account"):
                    await attempt
            assert {entry.method for entry in scene.sandbox.faults.requests} == {"GET"}

    async def test_on_a_server_that_has_none_is_refused_and_remembered(self, on: Any) -> None:
        async with on("old") as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            with pytest.raises(Refused, match="cannot edit") as caught:
                await scene.adapter.revise(made.id, part("two"))
            assert not caught.value.missing
            assert (await scene.adapter.capabilities()).edit_within is None
            assert scene.standing(made.id).text == "one"

    @pytest.mark.parametrize("stock", [False, True])
    @pytest.mark.parametrize("code", [404, 405, 501])
    async def test_that_no_route_takes_is_told_from_a_post_that_is_gone(
        self, code: int, stock: bool
    ) -> None:
        standing = True

        async def show(_: web.Request) -> web.StreamResponse:
            if standing:
                return web.json_response(status("made", 0))
            return web.json_response({"error": "Record not found"}, status=404)

        async def no_route(_: web.Request) -> web.StreamResponse:
            nonlocal standing
            standing = stays
            return web.Response(status=code, text="<h1>No</h1>", content_type="text/html")

        special: dict[tuple[str, str], Handler] = {("GET", ONE): show, ("PUT", ONE): no_route}
        for stays in (False, True):
            standing = True
            made_by = STOCK if stock else {"version": "1.0", "title": "a make of its own"}
            async with odd(OddServer(instance=made_by, special=special)) as adapter:
                with pytest.raises(NetworkError) as caught:
                    await adapter.revise(MADE, part())
                assert getattr(caught.value, "missing", False) is not stays
                # Mastodon has edits: that one of its servers has none is a proxy's word.
                assert isinstance(caught.value, Transient) is (stock and stays)
                edits = (await adapter.capabilities()).edit_within is not None
                assert edits is (stock or not stays)

    @pytest.mark.parametrize("name", ["accept-then-reset", "accept-then-500", "accept-then-empty"])
    async def test_that_may_have_been_made_is_in_doubt(self, on: Any, name: str) -> None:
        async with on() as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            scene.sandbox.faults.add(Fault(name, "PUT"))
            with pytest.raises(InDoubt):
                await scene.adapter.revise(made.id, part("two"))
            assert scene.standing(made.id).text == "two"

    async def test_that_is_too_long_says_so(self, on: Any) -> None:
        async with on() as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            with pytest.raises(Refused) as caught:
                await scene.adapter.revise(made.id, part("x" * 501))
        assert caught.value.too_long

    async def test_under_a_new_id_is_known_by_that_from_then_on(self) -> None:
        async def show(_: web.Request) -> web.StreamResponse:
            return web.json_response(status("made", 0))

        async def edit(_: web.Request) -> web.StreamResponse:
            return web.json_response(status("made-2", 0))

        special: dict[tuple[str, str], Handler] = {("GET", ONE): show, ("PUT", ONE): edit}
        async with odd(OddServer(instance=STOCK, special=special)) as adapter:
            assert (await adapter.revise(MADE, part())).id == "made-2"


class TestABoost:
    @pytest.mark.parametrize("profile", [*EDITING, "old"])
    async def test_made_twice_is_one(self, on: Any, profile: ProfileName) -> None:
        async with on(profile) as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            again = part("", repeat=made.id)
            receipts = [
                await scene.adapter.publish(again, reply_to=None, key="l") for _ in range(2)
            ]
            assert receipts[0] == receipts[1]
            assert receipts[0].id != made.id
            (found, _) = reversed((await scene.adapter.window(5)).posts)
        assert found.id == receipts[0].id
        assert found.repost is not None
        assert (found.repost.post, found.repost.own) == (made.id, True)

    async def test_whose_answer_names_the_post_itself_never_leads_to_its_deletion(self) -> None:
        asked: list[str] = []

        async def answer(request: web.Request) -> web.StreamResponse:
            asked.append(f"{request.method} {request.path}")
            return web.json_response(status("made", 0))

        special: dict[tuple[str, str], Handler] = {
            ("POST", f"{ONE}/reblog"): answer,
            ("POST", f"{ONE}/unreblog"): answer,
        }
        async with odd(OddServer(instance=STOCK, special=special)) as adapter:
            receipt = await adapter.publish(part("", repeat=MADE), reply_to=None, key="k")
            assert receipt.id != MADE
            await adapter.delete(receipt.id)
        assert asked == [f"POST {ONE}/reblog", f"POST {ONE}/unreblog"]

    async def test_that_its_answer_does_not_name_is_known_by_its_id_on_the_timeline(self) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.json_response(status("made", 0))

        other = status("other", 3, reblog=status("another", 0))
        boost = status("boost", 2, reblog=status("made", 0))
        special: dict[tuple[str, str], Handler] = {("POST", f"{ONE}/reblog"): answer}
        server = OddServer(listing=[other, boost, status("made", 0)], special=special)
        async with odd(server) as adapter:
            receipt = await adapter.publish(part("", repeat=MADE), reply_to=None, key="k")
        assert receipt.id == "boost"

    async def test_that_neither_its_answer_nor_a_silent_timeline_names_is_in_doubt(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            boosting = request.method == "POST"
            return web.json_response(
                status("made", 0) if boosting else {}, status=200 if boosting else 503
            )

        special: dict[tuple[str, str], Handler] = {
            ("POST", f"{ONE}/reblog"): answer,
            ("GET", "/api/v1/accounts/me/statuses"): answer,
        }
        async with odd(OddServer(special=special)) as adapter:
            with pytest.raises(InDoubt):
                await adapter.publish(part("", repeat=MADE), reply_to=None, key="k")

    async def test_of_what_is_gone_is_refused_as_missing(self, on: Any) -> None:
        async with on() as scene:
            with pytest.raises(Refused) as caught:
                await scene.adapter.publish(part("", repeat=PostId("1")), reply_to=None, key="k")
        assert caught.value.missing

    async def test_is_no_wider_than_asked(self, on: Any) -> None:
        async with on() as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            asked = part("", repeat=made.id, visibility=Visibility.UNLISTED)
            boost = await scene.adapter.publish(asked, reply_to=None, key="l")
            assert scene.standing(boost.id).visibility == "unlisted"

    async def test_that_may_have_been_made_is_in_doubt(self, on: Any) -> None:
        async with on() as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            scene.sandbox.faults.add(Fault("accept-then-reset", "POST", "reblog"))
            with pytest.raises(InDoubt):
                await scene.adapter.publish(part("", repeat=made.id), reply_to=None, key="l")


def gone(as_page: bool) -> web.Response:
    if as_page:
        return web.Response(status=404, text="<h1>404 Not Found</h1>", content_type="text/html")
    return web.json_response({"error": "Record not found"}, status=404)


class TestThatAPostIsGone:
    """A deletion may follow, so a page of whoever stands in between does not count."""

    async def test_is_believed_of_the_api(self) -> None:
        async with odd(OddServer(instance=STOCK)) as adapter:
            assert await adapter.look_up(MADE) is None
            assert (await adapter.standing(MADE)).gone
            await adapter.delete(MADE)

    async def test_is_believed_of_a_page_where_another_post_is_found_the_same_way(self) -> None:
        async def bare(_: web.Request) -> web.StreamResponse:
            return gone(as_page=True)

        async def there(_: web.Request) -> web.StreamResponse:
            return web.json_response(status("other", 0))

        server = OddServer([status("made", 1), status("other", 0)], STOCK)
        server.special = {("GET", ONE): bare, ("GET", "/api/v1/statuses/other"): there}
        async with odd(server) as adapter:
            assert await adapter.look_up(MADE) is None
            await adapter.delete(MADE)

    @pytest.mark.parametrize("listed", [[], [status("made", 1)], [status("other", 0)]])
    async def test_is_not_believed_of_a_page_where_no_post_can_be_looked_up(
        self, listed: list[dict[str, object]]
    ) -> None:
        async def bare(_: web.Request) -> web.StreamResponse:
            return gone(as_page=True)

        server = OddServer(listed, STOCK)
        server.special = {("GET", ONE): bare, ("GET", "/api/v1/statuses/other"): bare}
        async with odd(server) as adapter:
            for attempt in (adapter.look_up(MADE), adapter.standing(MADE), adapter.delete(MADE)):
                with pytest.raises(Transient):
                    await attempt

    @pytest.mark.parametrize("said", [404, 502, 200])
    async def test_is_not_believed_of_a_page_where_no_server_answers_behind_it(
        self, said: int
    ) -> None:
        async def parked(_: web.Request) -> web.StreamResponse:
            return web.Response(status=said, text="<h1>Soon</h1>", content_type="text/html")

        async def bare(_: web.Request) -> web.StreamResponse:
            return gone(as_page=True)

        server = OddServer(instance=STOCK)
        async with odd(server) as adapter:
            await adapter.account()
            listing = ("GET", "/api/v1/accounts/me/statuses")
            server.special = {("GET", ONE): bare, listing: parked}
            for attempt in (adapter.look_up(MADE), adapter.standing(MADE), adapter.delete(MADE)):
                with pytest.raises(NetworkError):
                    await attempt

    @pytest.mark.parametrize("code", [401, 403, 408, 422, 429, 500, 503])
    async def test_is_concluded_from_nothing_else(self, code: int) -> None:
        async def failing(_: web.Request) -> web.StreamResponse:
            return web.json_response({"error": "x"}, status=code)

        async with odd(OddServer(instance=STOCK, special={("GET", ONE): failing})) as adapter:
            for attempt in (adapter.look_up(MADE), adapter.standing(MADE), adapter.delete(MADE)):
                with pytest.raises(NetworkError):
                    await attempt


class TestADeletion:
    async def test_takes_the_files_along_where_the_server_can(self, on: Any) -> None:
        async with on() as scene:
            ids = [await scene.picture()]
            made = await scene.adapter.publish(
                part(media=media("")), reply_to=None, key="k", media=ids
            )
            assert await scene.adapter.delete(made.id) == 0
            assert scene.sandbox.file(ids[0]) is None

    async def test_beyond_the_limit_waits_for_its_turn(self, on: Any) -> None:
        async with on() as scene:
            ids = [scene.sandbox.write(scene.me, str(number)).id for number in range(31)]
            for each in ids[:30]:
                await scene.adapter.delete(PostId(each))
            with pytest.raises(Throttled) as caught:
                await scene.adapter.delete(PostId(ids[30]))
        assert caught.value.until is not None

    async def test_whose_answer_is_lost_may_be_repeated(self, on: Any) -> None:
        async with on() as scene:
            made = await scene.adapter.publish(part("one"), reply_to=None, key="k")
            scene.sandbox.faults.add(Fault("accept-then-reset", "DELETE"))
            with pytest.raises(Transient):
                await scene.adapter.delete(made.id)
            await scene.adapter.delete(made.id)
            assert scene.sandbox.get(made.id) is None


async def test_what_stands_right_before_its_mirror_is_sent_is_told_for_free(on: Any) -> None:
    async with on() as scene:
        written = scene.sandbox.write(scene.me, "for followers now", visibility="private")
        standing = await scene.adapter.standing(PostId(written.id))
        assert standing.audience is Visibility.FOLLOWERS
        assert standing.post is not None
        assert standing.post.text.plain == "for followers now"
        assert not standing.gone
