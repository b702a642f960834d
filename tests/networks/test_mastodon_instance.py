"""What servers say about themselves, and what is made of it where they say too little."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from aiohttp import web

from bridge.core.capabilities import FOREVER, Capabilities, PollLimits
from bridge.core.model import Network, Visibility
from bridge.networks.mastodon.instance import (
    Instance,
    Software,
    read_instance,
    software_of,
    streaming_base,
)
from tests.networks.mastodon_servers import STOCK, ManualClock, OddServer, odd, status

ASSUMED = Instance().capabilities
V2 = ("GET", "/api/v2/instance")
V1 = ("GET", "/api/v1/instance")
WHOSE = "GET /api/v1/accounts/verify_credentials"


def stating(statuses: object = None, attachments: object = None, **fields: object) -> Capabilities:
    configuration = {"statuses": statuses, "media_attachments": attachments}
    said = {"version": "4.7.3", "configuration": configuration, **fields}
    return read_instance(said).capabilities


@pytest.mark.parametrize(
    ("said", "software"),
    [
        ({"version": "4.7.3"}, Software.MASTODON),
        ({"version": "4.7.0-rc.1"}, Software.MASTODON),
        ({"version": "4.5.0+glitch"}, Software.MASTODON),
        ({"version": "4.5.0+glitch", "source_url": "https://github.com/glitch-soc/mastodon"},
         Software.MASTODON),
        ({"version": "1.1.1+hometown-4.2.9"}, Software.MASTODON),
        ({"version": "0.20.2+git-8d4b2f5", "configuration": {"accounts": {}}}, Software.GOTOSOCIAL),
        ({"version": "4.3.0+gotosocial-0.20.2"}, Software.GOTOSOCIAL),
        ({"version": "0.20.2", "source_url": "https://codeberg.org/superseriousbusiness/gotosocial"},
         Software.GOTOSOCIAL),
        ({"version": "2.7.2 (compatible; Pleroma 2.9.0)"}, Software.PLEROMA),
        ({"version": "2.7.2 (compatible; Akkoma 3.15.0-0-gabc)"}, Software.PLEROMA),
        ({"version": "3.5.3 (compatible; Pixelfed 0.12.5)"}, Software.UNKNOWN),
        ({"version": "2.8.0 (compatible; Friendica 2024.12)"}, Software.UNKNOWN),
        ({"version": "4.2.1 (compatible; Sharkey 2025.4)"}, Software.UNKNOWN),
        ({"version": "4.0.0 (not true; really snac/2.82)"}, Software.UNKNOWN),
        ({"version": "takahe/0.11.0"}, Software.UNKNOWN),
        ({"version": "0.6.1", "api_versions": {"mastodon": 7}}, Software.UNKNOWN),
        ({"version": "1.2.0", "source_url": "https://github.com/fedify-dev/hollo"},
         Software.UNKNOWN),
        ({"version": "4.7.3",
          "configuration": {"statuses": {"characters_reserved_per_url": 256}}}, Software.UNKNOWN),
        ({"version": ""}, Software.UNKNOWN),
        ({"version": None}, Software.UNKNOWN),
        ({}, Software.UNKNOWN),
    ],
)  # fmt: skip
def test_the_make_of_a_server_is_told_by_all_it_says(
    said: dict[str, object], software: Software
) -> None:
    assert software_of(said) is software


def test_only_mastodon_is_trusted_with_sources_and_only_known_makes_with_min_id() -> None:
    assert [each for each in Software if Instance(each).sources_are_plain] == [Software.MASTODON]
    assert not Instance(Software.UNKNOWN).pages_forward


def test_limits_are_taken_as_stated() -> None:
    stated = stating(
        {"max_characters": 5000, "max_media_attachments": 8}, {"description_limit": 10_000}
    )
    assert (stated.max_length, stated.max_media, stated.max_alt_length) == (5000, 8, 10_000)
    assert stated.spoiler
    assert stated.language
    assert stated.prices is None
    assert stated.network is Network.MASTODON


def test_older_forks_state_their_limit_elsewhere() -> None:
    assert stating(max_toot_chars=1024).max_length == 1024


def test_akkoma_states_its_limits_beside_the_usual_place() -> None:
    """Its instance document has no ``configuration``; so had Pleroma's for years."""
    said: dict[str, object] = {
        "version": "2.7.2 (compatible; Akkoma 3.13.3)",
        "max_toot_chars": 5000,
        "description_limit": 7000,
        "upload_limit": 16_000_000,
        "poll_limits": {
            "max_options": 20, "max_option_chars": 200,
            "min_expiration": 0, "max_expiration": 31_536_000,
        },
    }  # fmt: skip
    able = read_instance(said).capabilities
    assert not able.quotes
    said["pleroma"] = {"metadata": {"features": ["pleroma_api", "quote_posting"]}}
    assert read_instance(said).capabilities.quotes
    assert (able.max_length, able.max_alt_length) == (4999, 7000)
    assert able.media is not None
    assert (able.media.image.max_bytes, able.media.video.max_bytes) == (16_000_000, 16_000_000)
    assert able.polls is not None
    assert (able.polls.max_options, able.polls.max_option_length) == (20, 200)
    assert able.polls.longest == timedelta(days=365)


@pytest.mark.parametrize(
    "version",
    ["2.7.2 (compatible; Pleroma 2.9.0)", "1.0 (compatible; Unheard-Of 3)"],
)
def test_makes_that_may_want_less_than_their_limit_are_given_one_less(version: str) -> None:
    configuration = {"statuses": {"max_characters": 5000}}
    said = {"version": version, "configuration": configuration}
    assert read_instance(said).capabilities.max_length == 4999


@pytest.mark.parametrize("absurd", [0, -1, 3, 10**12, "500", None, True, [], 1.5, float("inf")])
def test_absurd_limits_are_not_believed(absurd: object) -> None:
    stated = stating(
        {"max_characters": absurd, "max_media_attachments": None if absurd == 3 else absurd},
        {"description_limit": absurd},
    )
    assert (stated.max_length, stated.max_media, stated.max_alt_length) == (500, 4, 1500)


@pytest.mark.parametrize("odd_value", [None, [], "x", 7, {"statuses": None}, {"statuses": []}])
def test_an_odd_configuration_is_read_without_complaint(odd_value: object) -> None:
    said = {"version": odd_value, "configuration": odd_value, "urls": odd_value}
    assert read_instance(said) == Instance()


MASTODON_SOCIAL = {
    "supported_mime_types": [
        "image/jpeg", "image/png", "image/gif", "image/heic", "image/webp", "video/mp4",
        "video/quicktime", "audio/mpeg", "audio/ogg",
    ],
    "image_size_limit": 16_777_216,
    "image_matrix_limit": 33_177_600,
    "video_size_limit": 103_809_024,
    "video_frame_rate_limit": 120,
    "video_matrix_limit": 8_294_400,
    "description_limit": 1500,
}  # fmt: skip


class TestWhatMayBeAttached:
    def test_is_what_the_server_states(self) -> None:
        media = stating(attachments=MASTODON_SOCIAL).media
        assert media.image.types == {"image/jpeg", "image/png", "image/heic", "image/webp"}
        assert (media.image.max_bytes, media.image.max_pixels) == (16_777_216, 33_177_600)
        assert media.video.types == {"video/mp4", "video/quicktime"}
        assert (media.video.max_bytes, media.video.max_pixels) == (103_809_024, 8_294_400)
        assert media.audio.types == {"audio/mpeg", "audio/ogg"}
        assert media.audio.max_bytes == 103_809_024

    def test_has_gifs_as_animations_alone_under_their_unstated_limit(self) -> None:
        media = stating(attachments=MASTODON_SOCIAL).media
        assert media.animation.types == {"image/gif"}
        assert (media.animation.max_bytes, media.animation.max_pixels) == (16_777_216, 921_600)
        without = stating(attachments={"supported_mime_types": ["image/png"]}).media
        assert without.animation.types == frozenset()

    @pytest.mark.parametrize("types", [None, [], "image/png", {}, [None, 7]])
    def test_is_assumed_narrowly_where_the_server_is_silent(self, types: object) -> None:
        media = stating(attachments={"supported_mime_types": types}).media
        assert media == ASSUMED.media
        assert media.image.types == {"image/jpeg", "image/png"}
        assert media.video.types == {"video/mp4"}

    def test_may_be_a_whole_family_of_types(self) -> None:
        media = stating(attachments={"supported_mime_types": ["IMAGE/*", "video/webm"]}).media
        assert media.image.types == {"image/jpeg", "image/png"}
        assert media.animation.types == {"image/gif"}
        assert media.video.types == {"video/webm"}
        assert media.audio.types == frozenset()

    @pytest.mark.parametrize("absurd", [0, -1, 12, 10**15, "1", None, True, 1.5])
    def test_is_not_believed_where_it_is_absurd(self, absurd: object) -> None:
        keys = ("image_size_limit", "image_matrix_limit", "video_size_limit", "video_matrix_limit")
        assert stating(attachments=dict.fromkeys(keys, absurd)).media == ASSUMED.media


STATED_POLLS: dict[str, object] = {
    "max_options": 6,
    "max_characters_per_option": 80,
    "min_expiration": 600,
    "max_expiration": 86_400,
}


class TestAPoll:
    def test_has_the_limits_that_the_server_states(self) -> None:
        polls = polls_of(UNKNOWN_MAKE, STATED_POLLS)
        assert polls is not None
        assert (polls.max_options, polls.max_option_length) == (6, 80)
        assert (polls.shortest, polls.longest) == (timedelta(minutes=10), timedelta(days=1))
        assert polls.multiple
        assert not polls.with_media

    @pytest.mark.parametrize("odd_value", [None, {}, [], {"max_options": "4"}])
    def test_is_assumed_of_mastodon_alone(self, odd_value: object) -> None:
        assert polls_of(UNKNOWN_MAKE, odd_value) is None
        usual = polls_of("4.7.3", odd_value)
        assert usual is not None
        assert (usual.max_options, usual.max_option_length) == (4, 50)
        assert (usual.shortest, usual.longest) == (
            timedelta(minutes=5),
            timedelta(seconds=2_629_746),
        )

    @pytest.mark.parametrize(
        "changed",
        [{"max_options": 0}, {"max_options": 1}, {"max_characters_per_option": 0},
         {"max_expiration": 0}, {"min_expiration": 90_000}],
    )  # fmt: skip
    def test_is_none_where_none_could_be_made(self, changed: dict[str, object]) -> None:
        assert polls_of(UNKNOWN_MAKE, STATED_POLLS | changed) is None

    def test_without_a_least_time_lasts_as_long_as_elsewhere(self) -> None:
        polls = polls_of(UNKNOWN_MAKE, STATED_POLLS | {"min_expiration": 0})
        assert polls is not None
        assert polls.shortest == timedelta(minutes=5)


UNKNOWN_MAKE = "1.0 (compatible; Unheard-Of 3)"


def polls_of(version: str, polls: object) -> PollLimits | None:
    said = {"version": version, "configuration": {"polls": polls}}
    return read_instance(said).capabilities.polls


@pytest.mark.parametrize(
    ("version", "quotes", "polls_with_media", "deletes_media"),
    [
        (None, False, False, False),
        (6, False, False, False),
        (7, True, False, True),
        (9, True, False, True),
        (10, True, True, True),
        (99, True, True, True),
        ("7", False, False, False),
    ],
)
def test_what_came_with_a_version_of_the_api_is_told_by_that_version_alone(
    version: object, quotes: bool, polls_with_media: bool, deletes_media: bool
) -> None:
    instance = read_instance({"version": "4.7.3", "api_versions": {"mastodon": version}})
    assert instance.capabilities.quotes is quotes
    assert instance.capabilities.polls is not None
    assert instance.capabilities.polls.with_media is polls_with_media
    assert instance.deletes_media is deletes_media


@pytest.mark.parametrize(
    ("version", "edits"),
    [
        ("4.7.3", True),
        ("3.5.0", True),
        ("3.4.10", False),
        ("2.9.3+glitch", False),
        ("2.7.2 (compatible; Pleroma 2.9.0)", True),
        ("0.20.2+git-8d4b2f5", True),
        ("takahe/0.11.0", True),
        ("", True),
    ],
)
def test_editing_is_tried_everywhere_but_on_a_mastodon_too_old_for_it(
    version: str, edits: bool
) -> None:
    capabilities = read_instance({"version": version}).capabilities
    assert (capabilities.edit_within == FOREVER) is edits
    assert capabilities.free_edits


def test_a_server_may_demand_alt_text() -> None:
    assert Instance().least_alt == 0
    for said, least in ((12, 12), (0, 0), (None, 0), ("x", 0)):
        configuration = {"media_attachments": {"description_minimum": said}}
        assert read_instance({"configuration": configuration}).least_alt == least


class TestTheDefaultAudienceOfTheAccount:
    @pytest.mark.parametrize(
        ("said", "audience"),
        [
            ({"privacy": "unlisted"}, Visibility.UNLISTED),
            ({"privacy": "private"}, Visibility.FOLLOWERS),
            ({"privacy": "public"}, Visibility.PUBLIC),
            ({"privacy": "mutuals"}, None),
            ({"privacy": "unknown"}, None),
            ({}, None),
            (None, None),
        ],
    )
    async def test_is_what_the_server_says(self, said: object, audience: object) -> None:
        server = whose_source(lambda: said)
        async with odd(server) as adapter:
            assert (await adapter.capabilities()).default_visibility is audience

    async def test_is_learned_anew_every_day_and_kept_through_failures(self) -> None:
        clock, said = ManualClock(), {"privacy": "public"}
        server = whose_source(lambda: said)
        async with odd(server, clock) as adapter:
            assert (await adapter.capabilities()).default_visibility is Visibility.PUBLIC
            said["privacy"] = "private"
            clock.pass_time(timedelta(hours=25).total_seconds())
            assert (await adapter.capabilities()).default_visibility is Visibility.FOLLOWERS
            working = server.special
            server.special = {WHOSE_ROUTE: _broken}
            clock.pass_time(timedelta(hours=25).total_seconds())
            assert (await adapter.capabilities()).default_visibility is Visibility.FOLLOWERS
            server.special, said["privacy"] = working, "unlisted"
            clock.pass_time(timedelta(minutes=6).total_seconds())
            assert (await adapter.capabilities()).default_visibility is Visibility.UNLISTED


WHOSE_ROUTE = ("GET", "/api/v1/accounts/verify_credentials")


async def _broken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=502)


def whose_source(source: Callable[[], object]) -> OddServer:
    """A server that tells what its account posts to by default."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"id": "me", "acct": "me", "source": source()})

    return OddServer(instance=STOCK, special={WHOSE_ROUTE: answer})


class TestTheAddressForStreaming:
    @pytest.mark.parametrize(
        ("base", "named", "where"),
        [
            ("https://a.example", None, "https://a.example"),
            ("https://a.example", "wss://stream.a.example", "https://stream.a.example"),
            ("https://a.example", "wss://a.example/", "https://a.example"),
            ("https://a.example", "https://s.example/api/v1/streaming/", "https://s.example"),
            ("https://a.example", "wss://s.example:4000/x", "https://s.example:4000/x"),
            ("https://a.example", "s.example", "https://s.example"),
            ("http://127.0.0.1:1", "ws://127.0.0.1:2", "http://127.0.0.1:2"),
            ("http://[::1]:1", "ws://[::1]:2", "http://[::1]:2"),
            ("https://a.example", "gopher://s.example", "https://a.example"),
            ("https://a.example", "wss://user:pw@s.example", "https://a.example"),
            ("https://a.example", "wss://s.example:port", "https://a.example"),
            ("https://a.example", "wss://", "https://a.example"),
        ],
    )
    def test_is_the_one_the_server_names_or_its_own(
        self, base: str, named: str | None, where: str
    ) -> None:
        assert streaming_base(base, named) == where

    def test_is_never_an_unencrypted_one_for_an_encrypted_server(self) -> None:
        assert streaming_base("https://a.example", "ws://a.example") is None

    def test_is_read_from_either_version_of_the_document(self) -> None:
        second: dict[str, object] = {"configuration": {"urls": {"streaming": "wss://two"}}}
        first: dict[str, object] = {"urls": {"streaming_api": "wss://one"}}
        assert read_instance(second).streaming == "wss://two"
        assert read_instance(first).streaming == "wss://one"
        assert read_instance(first | second).streaming == "wss://two"


async def test_version_two_is_asked_first_then_version_one_then_limits_are_assumed() -> None:
    server = OddServer(instance=STOCK)
    async with odd(server) as adapter:
        assert (await adapter.capabilities()).max_length == 500
    assert server.asked == ["GET /api/v2/instance", WHOSE]

    async def version_one(request: web.Request) -> web.StreamResponse:
        return web.json_response({"version": "4.0.0 (not true)", "max_toot_chars": 3000})

    server = OddServer(special={V1: version_one})
    async with odd(server) as adapter:
        assert (await adapter.capabilities()).max_length == 2999
    assert server.asked == ["GET /api/v2/instance", "GET /api/v1/instance", WHOSE]

    server = OddServer()
    async with odd(server) as adapter:
        assert await adapter.capabilities() == ASSUMED
        assert await adapter.capabilities() == ASSUMED
    assert len(server.asked) == 3


async def test_a_page_of_html_for_version_two_leads_to_version_one() -> None:
    async def html(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>not found, but 200</html>", content_type="text/html")

    async def version_one(request: web.Request) -> web.StreamResponse:
        return web.json_response({"version": "3.0.0", "max_toot_chars": 700})

    async with odd(OddServer(special={V2: html, V1: version_one})) as adapter:
        assert (await adapter.capabilities()).max_length == 700


async def test_what_was_said_is_remembered_for_a_day_and_beyond_that_through_failures() -> None:
    clock = ManualClock()
    server = OddServer(instance={"version": "4.7.3", "max_toot_chars": 700})
    async with odd(server, clock) as adapter:
        assert (await adapter.capabilities()).max_length == 700
        server.instance = {"version": "4.7.3", "max_toot_chars": 800}
        clock.pass_time(timedelta(hours=23).total_seconds())
        assert (await adapter.capabilities()).max_length == 700
        clock.pass_time(timedelta(hours=2).total_seconds())
        assert (await adapter.capabilities()).max_length == 800

        async def broken(request: web.Request) -> web.StreamResponse:
            return web.Response(status=502)

        server.special = {V2: broken, V1: broken}
        clock.pass_time(timedelta(hours=25).total_seconds())
        before = len(server.asked)
        assert (await adapter.capabilities()).max_length == 800
        assert (await adapter.capabilities()).max_length == 800
        assert len(server.asked) == before + 3
        server.special = {}
        server.instance = {"version": "4.7.3", "max_toot_chars": 900}
        clock.pass_time(timedelta(minutes=6).total_seconds())
        assert (await adapter.capabilities()).max_length == 900


async def test_a_clock_set_back_does_not_make_a_server_s_limits_last_for_years() -> None:
    clock = ManualClock()
    clock.pass_time(timedelta(days=3000).total_seconds())
    server = OddServer(instance={"version": "4.7.3", "max_toot_chars": 700})
    async with odd(server, clock) as adapter:
        await adapter.capabilities()
        clock.pass_time(-timedelta(days=3000).total_seconds())
        server.instance = {"version": "4.7.3", "max_toot_chars": 800}
        assert (await adapter.capabilities()).max_length == 800


async def test_a_server_that_is_down_leaves_assumptions_and_is_asked_again_soon() -> None:
    clock = ManualClock()

    async def down(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server = OddServer(instance=STOCK, special={V2: down, V1: down})
    async with odd(server, clock) as adapter:
        assert await adapter.capabilities() == ASSUMED
        server.special = {}
        clock.pass_time(timedelta(minutes=6).total_seconds())
        assert (await adapter.capabilities()).counting == "mastodon"


async def test_the_account_is_asked_for_once() -> None:
    server = OddServer(instance=STOCK)
    async with odd(server) as adapter:
        account = await adapter.account()
        assert await adapter.account() is account
    assert len(server.asked) == 1
    assert account.handle == f"me@{server.url.removeprefix('http://')}"
    # A locked account is no protected one: each post names its own audience.
    assert account.protected is None


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("4.7.3", "Mastodon 4.7.3"),
        ("4.5.0+glitch", "Mastodon 4.5.0+glitch"),
        ("0.20.1+git-7c8b3f2", "GoToSocial 0.20.1+git-7c8b3f2"),
        ("3.5.3 (compatible; Pixelfed 0.12.4)", "Pixelfed 0.12.4"),
        ("2.7.2 (compatible; Akkoma 3.13.3-0-g12)", "Akkoma 3.13.3-0-g12"),
        ("4.0.0 (not true; really snac/2.80)", "snac 2.80"),
        ("takahe/0.11.0", "takahe 0.11.0"),
        ("13.1", "a make of its own"),
        ("1 (compatible; Evil \x1b[31m 2)", "a make of its own"),
        ("", "a make of its own"),
    ],
)
def test_a_server_is_called_by_its_own_name(version: str, name: str) -> None:
    said: dict[str, object] = {"version": version, "configuration": {"accounts": {}}}
    assert read_instance(said).called == name


@pytest.mark.parametrize(
    ("said", "domain"),
    [
        ({"domain": "Example.com"}, "example.com"),
        ({"domain": "social.example.com", "account_domain": "example.com"}, "example.com"),
        ({"domain": "https://example.com"}, None),
        ({"domain": "evil example.com"}, None),
        ({"domain": "localhost"}, None),
        ({"domain": "127.0.0.1"}, None),
        ({"domain": 7}, None),
        ({"uri": "https://example.com"}, None),
    ],
)
def test_its_handles_may_have_another_name_than_the_server(
    said: dict[str, object], domain: str | None
) -> None:
    assert read_instance(said).domain == domain


async def test_people_of_the_server_are_named_as_its_handles_name_them() -> None:
    """The server at social.example.com, whose people are @ada@example.com."""
    mention = {"acct": "eve", "username": "eve", "url": "https://social.example.com/@eve"}
    content = '<p>Hi <a href="https://social.example.com/@eve" class="u-url mention">@eve</a></p>'
    listing = [status("1", 1, content=content, mentions=[mention])]
    instance = STOCK | {"domain": "example.com"}
    async with odd(OddServer(listing=listing, instance=instance)) as adapter:
        (post,) = (await adapter.window(5)).posts
    assert post.text.plain == "Hi @eve@example.com"
