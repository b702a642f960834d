"""Every call to a network is counted once, by what it was for and how it ended, at one place."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import NetworkError
from bridge.core.model import MediaKind, PostId
from bridge.core.record import Cursor
from bridge.core.traffic import Call, Operation, Span
from bridge.net.session import open_session
from bridge.networks.mastodon import traffic as of_mastodon
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.x import traffic as of_x
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.settings import OAuth1Credentials, OAuth2Credentials, XSettings
from bridge.ports import LocalMedia
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from tests.fixtures.mastodon import PNG
from tests.fixtures.x import ServedX
from tests.networks.mastodon_servers import knowing, part, raw_server, until_true
from tests.networks.x_stage import MachineClock, Shelf, oauth1_of, oauth2_of, served_x


@dataclass
class Ear:
    """A `Traffic` that remembers."""

    calls: list[Call] = field(default_factory=list)
    states: list[bool | None] = field(default_factory=list)

    def called(self, call: Call) -> None:
        self.calls.append(call)

    def streaming(self, connected: bool | None) -> None:
        self.states.append(connected)

    @property
    def heard(self) -> list[tuple[str, str]]:
        return [(call.operation.value, call.result.value) for call in self.calls]


@asynccontextmanager
async def x_at(
    url: str, ear: Ear, credentials: OAuth1Credentials | OAuth2Credentials
) -> AsyncIterator[XAdapter]:
    clock = MachineClock()
    seen = of_x.noticing(ear, clock)
    async with open_session(user_agent="twinpost-tests", read_timeout=2, seen=seen) as session:
        settings = XSettings(url, credentials=credentials)
        yield XAdapter(settings, session=session, clock=clock, tokens=Shelf(), token_name="x")


@asynccontextmanager
async def mastodon_at(url: str, token: str, ear: Ear) -> AsyncIterator[MastodonAdapter]:
    clock = MachineClock()
    seen = of_mastodon.noticing(ear, clock)
    async with open_session(user_agent="twinpost-tests", seen=seen) as session:
        settings = MastodonSettings(url, token)
        adapter = MastodonAdapter(settings, session=session, clock=clock, traffic=ear)
        try:
            yield adapter
        finally:
            await adapter.close()


@pytest.fixture
async def x() -> AsyncIterator[ServedX]:
    async with served_x() as served:
        yield served


@dataclass
class Mastodon:
    url: str
    token: str
    sandbox: MastodonSandbox


@pytest.fixture
async def mastodon() -> AsyncIterator[Mastodon]:
    sandbox = MastodonSandbox()
    account = sandbox.add_account("ada", "Ada")
    async with serve(sandbox.app) as url:
        yield Mastodon(url, account.access_token, sandbox)


@pytest.fixture
def picture(tmp_path: Path) -> LocalMedia:
    file = tmp_path / "picture.png"
    file.write_bytes(PNG)
    return LocalMedia(file, MediaKind.IMAGE, "image/png", len(PNG), alt="A grey square")


async def test_every_call_to_x_is_counted_once(x: ServedX, picture: LocalMedia) -> None:
    ear = Ear()
    async with x_at(x.url, ear, oauth1_of(x.account)) as adapter:
        await adapter.read_after(Cursor(), knowing(()))
        file = await adapter.upload(picture)
        made = await adapter.publish(part("hello"), reply_to=None, key="k", media=(file.id,))
        await adapter.delete(made.id)
    assert len(ear.calls) == len(x.sandbox.faults.requests)
    assert {result for _, result in ear.heard} == {"ok"}
    counted = Counter(operation for operation, _ in ear.heard)
    assert counted == {"account": 1, "read": 1, "media": 2, "write": 1, "delete": 1}


async def test_every_call_to_mastodon_is_counted_once_whoever_makes_it(
    mastodon: Mastodon, picture: LocalMedia
) -> None:
    ear = Ear()
    async with mastodon_at(mastodon.url, mastodon.token, ear) as adapter:
        await adapter.read_after(Cursor(), knowing(()))
        file = await adapter.upload(picture)
        made = await adapter.publish(part("hello"), reply_to=None, key="k", media=(file.id,))
        await adapter.look_up(made.id)
        await adapter.delete(made.id)
    assert len(ear.calls) == len(mastodon.sandbox.faults.requests)
    assert {result for _, result in ear.heard} == {"ok"}
    counted = Counter(operation for operation, _ in ear.heard)
    assert set(counted) == {"account", "read", "media", "write", "delete"}
    assert counted["write"] == counted["delete"] == 1


FAULTS = [
    ("refuse-then-401", "unauthorised"),
    ("refuse-then-402", "unpaid"),
    ("refuse-then-403", "forbidden"),
    ("refuse-then-404", "refused"),
    ("refuse-then-429", "throttled"),
    ("refuse-then-503", "server-error"),
    ("refuse-then-reset", "no-answer"),
    ("accept-then-reset", "no-answer"),
]


@pytest.mark.parametrize(("fault", "result"), FAULTS)
async def test_a_creation_on_x_that_fails_is_counted_by_how(
    x: ServedX, fault: str, result: str
) -> None:
    ear = Ear()
    async with x_at(x.url, ear, oauth1_of(x.account)) as adapter:
        x.sandbox.faults.add(Fault(fault, method="POST"))
        with pytest.raises(NetworkError):
            await adapter.publish(part("hello"), reply_to=None, key="k")
    assert [each for each in ear.heard if each[0] == "write"] == [("write", result)]


@pytest.mark.parametrize(("fault", "result"), FAULTS)
async def test_a_creation_on_mastodon_that_fails_is_counted_by_how(
    mastodon: Mastodon, fault: str, result: str
) -> None:
    ear = Ear()
    async with mastodon_at(mastodon.url, mastodon.token, ear) as adapter:
        mastodon.sandbox.faults.add(Fault(fault, method="POST"))
        with pytest.raises(NetworkError):
            await adapter.publish(part("hello"), reply_to=None, key="k")
    assert [each for each in ear.heard if each[0] == "write"] == [("write", result)]


async def test_a_server_that_is_not_there_gives_no_answer() -> None:
    for adapter_at in (
        lambda ear: mastodon_at("http://127.0.0.1:1", "token", ear),
        lambda ear: x_at("http://127.0.0.1:1", ear, OAuth1Credentials("a", "b", "c", "d")),
    ):
        ear = Ear()
        async with adapter_at(ear) as adapter:
            with pytest.raises(NetworkError):
                await adapter.account()
        assert ear.heard == [("account", "no-answer")]


async def test_a_token_that_is_renewed_on_the_way_makes_three_calls(x: ServedX) -> None:
    ear = Ear()
    async with x_at(x.url, ear, oauth2_of(x.account)) as adapter:
        x.sandbox.faults.add(Fault("refuse-then-401", path="/2/users/me"))
        await adapter.account()
    assert ear.heard == [("account", "unauthorised"), ("account", "ok"), ("account", "ok")]


async def test_what_is_left_of_xs_limits_is_told_with_its_end(x: ServedX) -> None:
    ear = Ear()
    async with x_at(x.url, ear, oauth1_of(x.account)) as adapter:
        for text in ("one", "two"):
            await adapter.publish(part(text), reply_to=None, key=text)
    told = [call.allowances for call in ear.calls if call.operation is Operation.WRITE]
    assert [{each.span: (each.remaining, each.limit) for each in call} for call in told] == [
        {Span.WINDOW: (99, 100), Span.APP_DAY: (9_999, 10_000)},
        {Span.WINDOW: (98, 100), Span.APP_DAY: (9_998, 10_000)},
    ]
    now = datetime.now(UTC)
    ends = {each.span: each.resets_at for each in told[-1]}
    window, day = ends[Span.WINDOW], ends[Span.APP_DAY]
    assert window is not None
    assert day is not None
    assert timedelta(minutes=14) < window - now <= timedelta(minutes=15)
    assert timedelta(hours=23) < day - now <= timedelta(days=1)


async def test_what_is_left_of_mastodons_limits_is_told_with_its_end(mastodon: Mastodon) -> None:
    ear = Ear()
    async with mastodon_at(mastodon.url, mastodon.token, ear) as adapter:
        await adapter.account()
    (told,) = ear.calls[-1].allowances
    assert (told.span, told.limit) == (Span.WINDOW, 300)
    assert 290 < told.remaining < 300
    assert told.resets_at is not None
    assert datetime.now(UTC) < told.resets_at <= datetime.now(UTC) + timedelta(minutes=5)


@pytest.mark.parametrize(
    "reset", ["", "soon", "-1", "9" * 40, "nan", "inf", "1e400", "0001-01-01T00:00:00Z", "\ud800"]
)
def test_a_reset_that_makes_no_sense_hides_nothing_else(reset: str) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    given = {"limit": "300", "remaining": "7", "reset": reset}
    (one,) = of_mastodon.allowances({f"x-ratelimit-{k}": v for k, v in given.items()}, now)
    (other,) = of_x.allowances({f"x-rate-limit-{k}": v for k, v in given.items()}, now)
    assert (one.remaining, one.resets_at) == (7, None)
    assert (other.remaining, other.resets_at) == (7, None)


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *(f"x-ratelimit-{each}" for each in ("limit", "remaining", "reset")),
            *(f"x-rate-limit-{each}" for each in ("limit", "remaining", "reset")),
            *(f"x-app-limit-24hour-{each}" for each in ("limit", "remaining", "reset")),
            "date",
        ]
    ),
    st.text(max_size=40)
    | st.integers().map(str)
    | st.datetimes().map(lambda at: at.isoformat())
    | st.datetimes().map(lambda at: f"{at:%a, %d %b %Y %H:%M:%S GMT}"),
)


@given(HEADERS)
def test_whatever_the_headers_say_limits_stay_within_their_bounds(headers: dict[str, str]) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    for told in (*of_mastodon.allowances(headers, now), *of_x.allowances(headers, now)):
        assert 0 <= told.remaining <= told.limit < 10**9
        assert told.resets_at is None or now < told.resets_at <= now + timedelta(days=1)


async def test_a_count_that_fails_does_not_make_a_post_fail(
    x: ServedX, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    async with open_session(user_agent="twinpost-tests", seen=broken) as session:
        settings = XSettings(x.url, credentials=oauth1_of(x.account))
        clock = MachineClock()
        adapter = XAdapter(settings, session=session, clock=clock, tokens=Shelf(), token_name="x")
        assert (await adapter.publish(part("hello"), reply_to=None, key="k")).id
    assert "could not be counted" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/2/users/me", "account"),
        ("POST", "/2/oauth2/token", "account"),
        ("GET", "/2/users/12/tweets", "read"),
        ("GET", "/2/tweets", "read"),
        ("GET", "/under/a/path/2/tweets/1", "read"),
        ("POST", "/2/tweets", "write"),
        ("DELETE", "/2/tweets/1", "delete"),
        ("POST", "/2/users/12/retweets", "write"),
        ("DELETE", "/2/users/12/retweets/1", "delete"),
        ("GET", "/2/media/upload", "media"),
        ("POST", "/2/media/upload/1/append", "media"),
        ("GET", "/2/usage/tweets", "other"),
        ("GET", "/", "other"),
        ("GET", "/2/users/12/likes", "other"),
    ],
)
def test_what_a_path_of_xs_is_for(method: str, path: str, operation: str) -> None:
    assert of_x.operation(method, path) == operation


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/api/v1/accounts/verify_credentials", "account"),
        ("GET", "/api/v2/instance", "account"),
        ("GET", "/api/v1/accounts/01H%2F9/statuses", "read"),
        ("GET", "/api/v1/statuses/unreblog", "read"),
        ("GET", "/sub/api/v1/statuses/1/source", "read"),
        ("POST", "/api/v1/statuses", "write"),
        ("PUT", "/api/v1/statuses/1", "write"),
        ("POST", "/api/v1/statuses/1/reblog", "write"),
        ("POST", "/api/v1/statuses/1/unreblog", "delete"),
        ("DELETE", "/api/v1/statuses/1", "delete"),
        ("POST", "/api/v2/media", "media"),
        ("GET", "/api/v1/media/1", "media"),
        ("GET", "/api/v1/streaming/user", "stream"),
        ("GET", "/api/v1/accounts/1/followers", "other"),
        ("GET", "/nodeinfo/2.0", "other"),
    ],
)
def test_what_a_path_of_mastodons_is_for(method: str, path: str, operation: str) -> None:
    assert of_mastodon.operation(method, path) == operation


async def test_the_stream_tells_when_it_is_connected_and_when_not(mastodon: Mastodon) -> None:
    ear = Ear()
    async with mastodon_at(mastodon.url, mastodon.token, ear) as adapter:
        listening = asyncio.create_task(adapter.listen(lambda: None))
        await until_true(lambda: ear.states[-1:] == [True])
        assert ("stream", "ok") in ear.heard
        assert set(ear.states[:-1]) == {False}
        mastodon.sandbox.streaming.hang_up()
        await until_true(lambda: ear.states[-1:] == [False])
        await until_true(lambda: ear.states[-1:] == [True], 10)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def test_where_there_is_no_stream_none_is_missing() -> None:
    sandbox, ear = MastodonSandbox("minimal"), Ear()
    account = sandbox.add_account("ada", "Ada")
    async with serve(sandbox.app) as url, mastodon_at(url, account.access_token, ear) as adapter:
        await adapter.listen(lambda: None)
    assert ear.states[-1] is None
    assert True not in ear.states


async def test_a_token_that_may_not_stream_leaves_the_stream_down(mastodon: Mastodon) -> None:
    ear = Ear()
    mastodon.sandbox.faults.add(Fault("refuse-then-401", path="streaming", times=None))
    async with mastodon_at(mastodon.url, mastodon.token, ear) as adapter:
        await adapter.listen(lambda: None)
    assert ear.states[-1] is False
    assert ("stream", "unauthorised") in ear.heard


async def test_a_call_that_was_given_up_here_is_not_held_against_the_network() -> None:
    ear = Ear()

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    seen = of_x.noticing(ear, MachineClock())
    async with (
        raw_server(silent) as url,
        open_session(user_agent="twinpost-tests", seen=seen) as session,
    ):
        asking = asyncio.create_task(session.get(f"{url}/2/tweets"))
        await asyncio.sleep(0.05)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
    assert ear.calls == []


async def test_a_caller_who_has_gone_leaves_its_call_to_be_counted(mastodon: Mastodon) -> None:
    ear = Ear()
    async with mastodon_at(mastodon.url, mastodon.token, ear) as adapter:
        mastodon.sandbox.faults.add(Fault("latency", seconds=0.3))
        asking = asyncio.create_task(adapter.look_up(PostId("1")))
        await asyncio.sleep(0.1)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await until_true(lambda: len(ear.calls) == 1)


async def test_without_anybody_who_counts_nothing_is_traced() -> None:
    async with open_session(user_agent="twinpost-tests") as session:
        assert isinstance(session, aiohttp.ClientSession)
        assert session.trace_configs == []
