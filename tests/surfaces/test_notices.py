"""The owner is told once, reminded, and told when it is over; each way against a real server."""

import asyncio
import json
import logging
import ssl
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bridge.config.surface_settings import EmailSettings, NtfySettings, WebhookSettings
from bridge.core.errors import Unauthorised
from bridge.core.secret import Secret
from bridge.net.session import open_session, trusting
from bridge.sandbox.server import serve
from bridge.surfaces.notices import ways as ways_module
from bridge.surfaces.notices.mail import Mail
from bridge.surfaces.notices.surface import NoticeSurface
from bridge.surfaces.notices.ways import Notice, NotTold, Ntfy, Program, Way, Webhook
from tests.surfaces.stage import Bridge, bridged
from tests.surfaces.test_mqtt import ran

NOTICE = Notice(
    datetime(2026, 11, 22, 12, tzinfo=UTC),
    "new",
    "held",
    "personal",
    "held:1",
    "personal: a post needs you",
    "It was lost. مرحبا",
)
session = partial(open_session, user_agent="twinpost/test")


@dataclass
class Teller:
    """A way that remembers, and fails on order."""

    name: str = "webhook"
    told: list[Notice] = field(default_factory=list)
    broken: bool = False
    tries: int = 0

    async def tell(self, notice: Notice) -> None:
        self.tries += 1
        if self.broken:
            raise NotTold("HTTP 500")
        self.told.append(notice)

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(each.occasion, each.kind) for each in self.told]


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with bridged(tmp_path) as made:
        yield made


def surface(bridge: Bridge, folder: Path, *ways: Way, silent: int = 3) -> NoticeSurface:
    return NoticeSurface(
        ways,
        folder,
        bridge.clock,
        remind_every=timedelta(hours=24),
        silent_after=timedelta(days=silent),
        redacted=lambda text: text.replace("canary", "***"),
    )


async def test_a_post_that_needs_its_owner_is_told_once_reminded_of_and_over(
    bridge: Bridge, tmp_path: Path
) -> None:
    way = Teller()
    told = surface(bridge, tmp_path, way)
    await told.turn(bridge.control, bridge.look)
    assert way.said == []
    await bridge.fail_one()
    for _ in range(3):
        await told.turn(bridge.control, bridge.look)
    assert way.said == [("new", "held")]
    assert "twinpost why" in way.told[0].text
    assert "422" in way.told[0].text
    bridge.clock.pass_time(24 * 3600)
    await told.turn(bridge.control, bridge.look)
    assert way.said[1:] == [("reminder", "held")]
    await bridge.commands.drop(way.told[0].key.rpartition(":")[2])
    await told.turn(bridge.control, bridge.look)
    await told.turn(bridge.control, bridge.look)
    assert way.said[2:] == [("recovered", "held")]


async def test_what_was_told_is_known_after_a_restart(bridge: Bridge, tmp_path: Path) -> None:
    await bridge.fail_one()
    await surface(bridge, tmp_path, Teller()).turn(bridge.control, bridge.look)
    again = Teller()
    await surface(bridge, tmp_path, again).turn(bridge.control, bridge.look)
    assert again.said == []
    file = tmp_path / "notices.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("{damaged", encoding="utf-8")
    await surface(bridge, tmp_path, again).turn(bridge.control, bridge.look)
    assert again.said == [("new", "held")]


async def test_a_way_that_fails_is_tried_again_alone_and_said_to_fail_once(
    bridge: Bridge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fine, broken = Teller("ntfy"), Teller("webhook", broken=True)
    told = surface(bridge, tmp_path, fine, broken)
    await bridge.fail_one()
    for _ in range(5):
        await told.turn(bridge.control, bridge.look)
        bridge.clock.pass_time(70)
    assert fine.said == [("new", "held")]
    assert 2 <= broken.tries < 5
    assert caplog.text.count("did not get through by webhook") == 1
    assert "again" not in caplog.text.replace("tried again", "")
    broken.broken = False
    bridge.clock.pass_time(3600)
    await told.turn(bridge.control, bridge.look)
    assert broken.said == [("new", "held")]
    assert fine.said == [("new", "held")]
    assert caplog.text.count("notices get through by webhook again") == 1


async def test_a_lasting_refusal_is_told_and_a_short_one_is_not(
    bridge: Bridge, tmp_path: Path
) -> None:
    way = Teller()
    told = surface(bridge, tmp_path, way)
    bridge.x.read_errors += [Unauthorised("HTTP 401: canary", status=401)]
    await bridge.daemon.once()
    await told.turn(bridge.control, bridge.look)
    assert way.said == []
    bridge.clock.pass_time(180)
    await told.turn(bridge.control, bridge.look)
    assert way.said == [("new", "sign-in")]
    assert "twinpost login x" in way.told[0].text
    assert "canary" not in way.told[0].text
    await bridge.passes()
    await told.turn(bridge.control, bridge.look)
    assert way.said[1:] == [("recovered", "sign-in")]


async def test_silence_is_told_where_posts_came_that_were_meant_to_cross(
    bridge: Bridge, tmp_path: Path
) -> None:
    way = Teller()
    told = surface(bridge, tmp_path, way)
    bridge.clock.pass_time(10 * 24 * 3600)
    await told.turn(bridge.control, bridge.look)
    assert way.said == []
    await bridge.fail_one()
    bridge.clock.pass_time(2 * 24 * 3600)
    await told.turn(bridge.control, bridge.look)
    assert ("new", "silent") not in way.said
    bridge.clock.pass_time(25 * 3600)
    await told.turn(bridge.control, bridge.look)
    assert ("new", "silent") in way.said


async def test_the_task_itself_tells_soon_after_an_event(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.surfaces.notices import surface as module

    monkeypatch.setattr(module, "SETTLE", 0.0)
    way = Teller()
    told = surface(bridge, tmp_path, way)
    bridge.listeners.append(told.hear)
    async with told.at_work(bridge.control, bridge.look):
        await bridge.fail_one()
        async with asyncio.timeout(10):
            while not way.said:  # noqa: ASYNC110 - the task tells when
                await asyncio.sleep(0.01)


@dataclass
class Inbox:
    """An address that takes what is posted to it."""

    url: str = ""
    status: int = 200
    wait: float = 0.0
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    made = Inbox()

    async def take(request: web.Request) -> web.Response:
        made.got.append((request.path, dict(request.headers), await request.json()))
        await asyncio.sleep(made.wait)
        return web.Response(status=made.status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    async with serve(app) as made.url:
        yield made


async def test_a_webhook_gets_the_notice_as_json(inbox: Inbox) -> None:
    await Webhook(WebhookSettings(Secret(f"{inbox.url}/hook/canary")), session).tell(NOTICE)
    ((path, _, body),) = inbox.got
    assert path == "/hook/canary"
    assert (body["occasion"], body["kind"], body["text"]) == ("new", "held", NOTICE.text)


async def test_ntfy_gets_topic_and_words_in_the_body(inbox: Inbox) -> None:
    settings = NtfySettings(Secret("my-topic"), inbox.url, Secret("tk_canary"))
    await Ntfy(settings, session).tell(NOTICE)
    ((path, headers, body),) = inbox.got
    assert path == "/"
    assert headers["Authorization"] == "Bearer tk_canary"
    assert (body["topic"], body["title"], body["message"]) == (
        "my-topic", NOTICE.title, NOTICE.text
    )  # fmt: skip


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_an_address_that_refuses_or_sends_elsewhere_was_not_told(
    inbox: Inbox, status: int
) -> None:
    inbox.status = status
    with pytest.raises(NotTold, match=f"HTTP {status}"):
        await Webhook(WebhookSettings(Secret(f"{inbox.url}/canary")), session).tell(NOTICE)
    assert len(inbox.got) == 1


async def test_an_address_that_does_not_answer_is_given_up_and_not_named(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways_module, "PATIENCE", 0.1)
    inbox.wait = 1
    for url in (f"{inbox.url}/canary", "http://127.0.0.1:1/canary"):
        with pytest.raises(NotTold) as caught:
            await Webhook(WebhookSettings(Secret(url)), session).tell(NOTICE)
        assert "canary" not in str(caught.value)


async def test_a_program_gets_the_notice_as_its_input_and_no_token_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASTODON_ACCESS_TOKEN", "canary")
    program = tmp_path / "tell"
    program.write_text(f'#!/bin/sh\ncat > "{tmp_path}/in"\nenv > "{tmp_path}/env"\necho "$1"\n')
    program.chmod(0o700)
    await Program((str(program), "; touch /nothing")).tell(NOTICE)
    assert (tmp_path / "in").read_text() == f"{NOTICE.title}\n\n{NOTICE.text}\n"
    environment = (tmp_path / "env").read_text()
    assert "TWINPOST_KIND=held" in environment
    assert "canary" not in environment


@pytest.mark.parametrize("command", [("/bin/false",), ("/no/such/program",)])
async def test_a_program_that_fails_has_not_told(command: tuple[str, ...]) -> None:
    with pytest.raises(NotTold):
        await Program(command).tell(NOTICE)


async def test_a_program_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways_module, "PATIENCE", 0.2)
    began = time.monotonic()
    with pytest.raises(NotTold, match="had not ended"):
        await Program(("/bin/sh", "-c", "sleep 30 & sleep 30")).tell(NOTICE)
    assert time.monotonic() - began < 5


@dataclass
class PostOffice:
    """A small SMTP server: with STARTTLS, TLS from the start, or neither."""

    security: str
    tls: ssl.SSLContext
    port: int = 0
    lines: list[str] = field(default_factory=list)
    refuse: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())
            await writer.drain()

        await say("220 hello")
        encrypted = self.security == "tls"
        while line := (await reader.readline()).decode().rstrip():
            self.lines.append(line)
            verb = line.split()[0].upper()
            if verb == "EHLO":
                more = [] if encrypted or self.security != "starttls" else ["250-STARTTLS"]
                await say("\r\n".join(["250-me", *more, "250 AUTH PLAIN"]))
            elif verb == "STARTTLS":
                await say("220 go on")
                await writer.start_tls(self.tls)
                encrypted = True
            elif verb == "AUTH":
                await say("535 no" if self.refuse else "235 welcome")
            elif verb == "DATA":
                await say("354 go on")
                while (body := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    self.lines.append(body)
                await say("250 taken")
            elif verb == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 fine")
        writer.close()


async def post_office(folder: Path, security: str) -> tuple[PostOffice, ssl.SSLContext, Any]:
    key, cert = folder / "key.pem", folder / "cert.pem"
    await ran([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
        "-out", cert, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
    ])  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    office = PostOffice(security, context)
    server = await asyncio.start_server(
        office.serve, "127.0.0.1", 0, ssl=context if security == "tls" else None
    )
    office.port = server.sockets[0].getsockname()[1]
    return office, trusting(cert), server


def settings_of(office: PostOffice, **more: Any) -> EmailSettings:
    return EmailSettings("127.0.0.1", office.port, "a@example.org", ("b@example.org",), **more)


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
async def test_a_letter_is_handed_over(tmp_path: Path, security: str) -> None:
    office, trusted, server = await post_office(tmp_path, security)
    login = {"username": "me", "password": Secret("canary")}
    await Mail(settings_of(office, security=security, **login), trusted).tell(NOTICE)
    server.close()
    assert "Subject: personal: a post needs you" in office.lines
    assert "To: b@example.org" in office.lines
    assert "Auto-Submitted: auto-generated" in office.lines


async def test_no_letter_and_no_password_goes_in_the_clear(tmp_path: Path) -> None:
    office, trusted, server = await post_office(tmp_path, "none")
    login = {"username": "me", "password": Secret("canary")}
    with pytest.raises(NotTold):
        await Mail(settings_of(office, security="starttls", **login), trusted).tell(NOTICE)
    server.close()
    assert not any(line.startswith(("AUTH", "DATA")) for line in office.lines)


async def test_a_server_that_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    office, _, server = await post_office(tmp_path, "starttls")
    with pytest.raises(NotTold):
        await Mail(settings_of(office), ssl.create_default_context()).tell(NOTICE)
    server.close()
    assert not any(line.startswith("DATA") for line in office.lines)


async def test_a_refused_password_is_not_repeated(tmp_path: Path) -> None:
    office, trusted, server = await post_office(tmp_path, "tls")
    office.refuse = True
    login = {"username": "me", "password": Secret("canary")}
    with pytest.raises(NotTold, match="535") as caught:
        await Mail(settings_of(office, security="tls", **login), trusted).tell(NOTICE)
    server.close()
    assert "canary" not in str(caught.value)


def test_what_is_written_down_holds_no_more_than_titles(tmp_path: Path) -> None:
    from bridge.surfaces.notices.told import Told, recall, remember

    at = datetime(2026, 11, 22, tzinfo=UTC)
    memory = {"ntfy": {"held:1": Told(at, at, "title", "personal", "held")}}
    remember(tmp_path, memory)
    assert recall(tmp_path) == memory
    row = json.loads((tmp_path / "notices.json").read_text())["ntfy"]["held:1"]
    assert set(row) == {"first", "last", "title", "bridge", "kind"}
