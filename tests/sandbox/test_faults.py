"""What a fault does to an answer, seen from the other end of a real connection."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import Fault, FaultPlan, fault_from_json
from bridge.sandbox.server import serve


class PlainWording:
    def error(self, status: int) -> web.Response:
        return web.json_response({"error": status}, status=status)

    def throttled(self, seconds: float | None) -> web.Response:
        headers = {} if seconds is None else {"retry-after": f"{seconds:.0f}"}
        return web.json_response({"error": "slow down"}, status=429, headers=headers)


@dataclass
class Shop:
    """A server whose only state is what was bought."""

    url: str
    http: aiohttp.ClientSession
    plan: FaultPlan
    bought: list[str] = field(default_factory=list)

    async def buy(self, what: str = "tea") -> tuple[int, str]:
        async with self.http.post(f"{self.url}/buy", json={"what": what}) as answer:
            return answer.status, await answer.text()

    async def control(self, method: str, path: str, body: object = None) -> tuple[int, object]:
        async with self.http.request(method, f"{self.url}/sandbox/{path}", json=body) as answer:
            raw = await answer.read()
            return answer.status, json.loads(raw) if raw else None


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    plan = FaultPlan(SandboxClock(), PlainWording())
    bought: list[str] = []

    async def buy(request: web.Request) -> web.Response:
        bought.append((await request.json())["what"])
        return web.json_response({"bought": len(bought)}, status=201)

    async def deliver(request: web.Request) -> web.Response:
        form = await request.post()
        parcel = form["parcel"]
        assert isinstance(parcel, web.FileField)
        return web.json_response({"bytes": len(parcel.file.read())})

    app = web.Application(middlewares=[plan.middleware])
    app.router.add_post("/buy", buy)
    app.router.add_post("/deliver", deliver)
    app.add_routes(plan.routes(bought.clear))
    async with serve(app) as url, aiohttp.ClientSession() as http:
        yield Shop(url, http, plan, bought)


async def test_accept_then_500_keeps_the_effect_and_hides_the_answer(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-500"))

    assert await shop.buy() == (500, '{"error": 500}')
    assert shop.bought == ["tea"]
    assert (await shop.buy())[0] == 201


@pytest.mark.parametrize("status", [500, 502, 503, 404])
async def test_refuse_then_a_status_has_no_effect(shop: Shop, status: int) -> None:
    shop.plan.add(Fault(f"refuse-then-{status}"))

    assert await shop.buy() == (status, f'{{"error": {status}}}')
    assert shop.bought == []


@pytest.mark.parametrize(("name", "bought"), [("accept-then-reset", 1), ("refuse-then-reset", 0)])
async def test_a_reset_ends_the_connection_without_an_answer(
    shop: Shop, name: str, bought: int
) -> None:
    shop.plan.add(Fault(name, "POST", "^/buy$"))

    with pytest.raises(aiohttp.ClientOSError, match="reset by peer"):
        await shop.buy()
    assert len(shop.bought) == bought


async def test_accept_then_hang_says_nothing_until_its_time_is_over(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-hang", seconds=30))
    shop.plan.add(Fault("accept-then-hang", seconds=0.01))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(shop.buy(), 0.1)
    with pytest.raises(aiohttp.ClientError):
        await shop.buy()
    assert shop.bought == ["tea", "tea"]


async def test_a_hanging_answer_does_not_delay_the_end() -> None:
    plan = FaultPlan(SandboxClock(), PlainWording())
    plan.add(Fault("accept-then-hang"))
    asked = asyncio.Event()

    async def ask(_request: web.Request) -> web.Response:
        asked.set()
        return web.Response()

    app = web.Application(middlewares=[plan.middleware])
    app.router.add_get("/", ask)
    async with aiohttp.ClientSession() as http:
        async with serve(app) as url:
            waiting = asyncio.create_task(http.get(url))
            await asked.wait()
            began = time.monotonic()
        assert time.monotonic() - began < 1
        with pytest.raises(aiohttp.ClientError):
            await waiting


async def test_an_open_stream_does_not_delay_the_end() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b":thump\n\n")
            await asyncio.sleep(0.01)

    plan = FaultPlan(SandboxClock(), PlainWording())
    app = web.Application(middlewares=[plan.middleware])
    app.router.add_get("/", stream)
    async with aiohttp.ClientSession() as http:
        async with serve(app) as url:
            answer = await http.get(url)
            assert await answer.content.readline() == b":thump\n"
            began = time.monotonic()
        assert time.monotonic() - began < 1
        answer.close()


async def test_an_error_page_may_be_html(shop: Shop) -> None:
    shop.plan.add(Fault("refuse-then-html"))
    shop.plan.add(Fault("accept-then-html", status=503))

    status, text = await shop.buy()
    assert (status, text[:15]) == (502, "<!DOCTYPE html>")
    assert shop.bought == []
    assert (await shop.buy())[0] == 503
    assert shop.bought == ["tea"]


async def test_truncated_json_comes_in_a_complete_message(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-truncated"))

    status, text = await shop.buy()
    assert (status, text) == (201, '{"boug')


async def test_a_cut_answer_ends_before_its_promised_length(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-cut"))

    with pytest.raises(aiohttp.ClientPayloadError):
        await shop.buy()
    assert shop.bought == ["tea"]


async def test_an_empty_answer_keeps_the_genuine_status(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-empty"))
    shop.plan.add(Fault("refuse-then-empty", status=503))

    assert await shop.buy() == (201, "")
    assert await shop.buy() == (503, "")
    assert shop.bought == ["tea"]


async def test_slow_bytes_arrive_whole_and_late(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-slow", seconds=0.15))

    began = time.monotonic()
    assert await shop.buy() == (201, '{"bought": 1}')
    # A timer may fire a tick early.
    assert time.monotonic() - began >= 0.14


async def test_throttling_comes_with_headers_or_without(shop: Shop) -> None:
    shop.plan.add(Fault("refuse-then-429", seconds=7))
    shop.plan.add(Fault("refuse-then-429-bare"))

    async with shop.http.post(f"{shop.url}/buy", json={}) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    async with shop.http.post(f"{shop.url}/buy", json={}) as answer:
        assert (answer.status, answer.headers.get("retry-after")) == (429, None)
    assert shop.bought == []


async def test_a_latency_stays_until_cleared_and_comes_on_top_of_other_faults(shop: Shop) -> None:
    shop.plan.add(Fault("latency", times=None, seconds=0.05))
    shop.plan.add(Fault("refuse-then-503"))

    began = time.monotonic()
    assert (await shop.buy())[0] == 503
    assert (await shop.buy())[0] == 201
    assert time.monotonic() - began >= 0.1
    shop.plan.clear()
    assert shop.plan.pending == ()


async def test_faults_strike_only_what_they_match_and_in_the_order_they_were_asked_for(
    shop: Shop,
) -> None:
    shop.plan.add(Fault("refuse-then-500", "DELETE"))
    shop.plan.add(Fault("refuse-then-500", "POST", "^/sell"))
    shop.plan.add(Fault("refuse-then-502", "POST", "^/b", times=2))
    shop.plan.add(Fault("refuse-then-503"))

    assert [(await shop.buy())[0] for _ in range(4)] == [502, 502, 503, 201]


async def test_an_unknown_path_can_be_made_to_fail_too(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-empty", path="nowhere"))

    async with shop.http.get(f"{shop.url}/nowhere") as answer:
        assert (answer.status, await answer.read()) == (404, b"")


@pytest.mark.parametrize(
    ("stated", "complaint"),
    [
        ({}, "needs a name"),
        ({"name": "explode"}, "no fault is called"),
        ({"name": "accept-then-maybe"}, "no fault is called"),
        ({"name": "accept-then-500", "times": 0}, "times"),
        ({"name": "accept-then-500", "times": True}, "wrong type"),
        ({"name": "accept-then-500", "path": "("}, "regular expression"),
        ({"name": "accept-then-500", "paht": "x"}, "no 'paht'"),
        ({"name": "accept-then-slow", "seconds": -1}, "negative"),
        ({"name": "accept-then-html", "status": 99}, "status"),
        ([], "JSON object"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(stated: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fault_from_json(stated)


async def test_faults_can_be_ordered_and_dropped_over_http(shop: Shop) -> None:
    status, pending = await shop.control(
        "POST", "faults", [{"name": "accept-then-500", "times": 2}, {"name": "latency"}]
    )
    assert status == 201
    assert isinstance(pending, list)
    assert [one["name"] for one in pending] == ["accept-then-500", "latency"]
    assert (await shop.control("POST", "faults", {"name": "no"}))[0] == 400
    assert (await shop.buy())[0] == 500
    assert (await shop.control("DELETE", "faults"))[0] == 204
    assert (await shop.buy())[0] == 201


async def test_every_request_is_logged_with_its_body_and_never_with_a_credential(
    shop: Shop,
) -> None:
    shop.plan.add(Fault("accept-then-500"))
    await shop.buy("Grüner Tee")
    async with shop.http.post(
        f"{shop.url}/buy?q=1&q=2&access_token=tell-nobody",
        json={"what": "x", "client_secret": "tell-nobody"},
        headers={"Authorization": "Bearer tell-nobody"},
    ):
        pass
    form = aiohttp.FormData({"to": "me", "password": "tell-nobody"})
    form.add_field("parcel", b"12345", filename="parcel.bin")
    async with shop.http.post(f"{shop.url}/deliver", data=form) as answer:
        assert await answer.json() == {"bytes": 5}

    _, log = await shop.control("GET", "requests")
    assert isinstance(log, list)
    assert [(e["method"], e["path"], e["status"], e["fault"]) for e in log] == [
        ("POST", "/buy", 500, "accept-then-500"),
        ("POST", "/buy", 201, ""),
        ("POST", "/deliver", 200, ""),
    ]
    assert json.loads(log[0]["body"]) == {"what": "Grüner Tee"}
    assert log[1]["query"][:2] == [["q", "1"], ["q", "2"]]
    assert json.loads(log[2]["body"])["parcel"] == "<5 bytes>"
    assert "tell-nobody" not in json.dumps(log)
    assert datetime.fromisoformat(log[0]["at"]).utcoffset() == timedelta()


async def test_a_request_without_an_answer_is_logged_with_status_0(shop: Shop) -> None:
    shop.plan.add(Fault("accept-then-reset"))
    with pytest.raises(aiohttp.ClientError):
        await shop.buy()

    assert [entry.status for entry in shop.plan.requests] == [0]


async def test_reset_forgets_state_faults_log_and_time_shift(shop: Shop) -> None:
    await shop.buy()
    shop.plan.add(Fault("refuse-then-500"))
    await shop.control("POST", "time", {"shift_seconds": 86400})

    assert (await shop.control("POST", "reset"))[0] == 204
    assert (shop.bought, shop.plan.requests, shop.plan.pending) == ([], (), ())
    status, time_now = await shop.control("POST", "time", {"shift_seconds": 0})
    assert status == 200
    assert isinstance(time_now, dict)
    assert abs(datetime.fromisoformat(time_now["now"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_time_shift_that_is_no_number_is_refused(shop: Shop) -> None:
    bodies: list[object] = [{}, {"shift_seconds": "tomorrow"}, [], {"shift_seconds": 1e300}]
    for body in bodies:
        assert (await shop.control("POST", "time", body))[0] == 400


def test_shifts_add_up() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    clock = SandboxClock(lambda: noon)
    clock.shift(60)
    clock.shift(-30.5)
    assert clock.now() == noon + timedelta(seconds=29.5)
    clock.reset()
    assert clock.now() == noon
