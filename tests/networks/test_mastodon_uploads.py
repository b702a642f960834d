"""Files on their way to servers of many makes: straight from disk, awaited, and never in doubt."""

import asyncio
import json
import re
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bridge.core.errors import NetworkError, NoUploads, Refused, Throttled, Transient, Unauthorised
from bridge.core.model import MediaKind
from bridge.networks.mastodon.uploads import LONGEST_PROCESSING, NO_DESCRIPTION
from bridge.ports import LocalMedia, Uploaded
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from tests.fixtures.mastodon import MP4, PNG
from tests.networks.mastodon_servers import (
    STOCK,
    TOKEN,
    ManualClock,
    OddServer,
    adapter_at,
    http,
    odd,
    part,
    raw_server,
    read_request,
    serving,
)

V2, V1 = ("POST", "/api/v2/media"), ("POST", "/api/v1/media")
PROGRESS = ("GET", "/api/v1/media/m1")
READY = {
    "id": "m1",
    "type": "image",
    "url": "https://odd.example/m1.png",
    "description": "a red square",
}
PENDING = READY | {"url": None}
Answer = Callable[[], web.StreamResponse]


def picture(folder: Path, alt: str = "", data: bytes = PNG, mime: str = "image/png") -> LocalMedia:
    path = folder / "secret-project.png"
    path.write_bytes(data)
    kind = MediaKind.VIDEO if mime.startswith("video/") else MediaKind.IMAGE
    return LocalMedia(path, kind, mime, len(data), alt)


def said(body: object, status: int = 200, **headers: str) -> Answer:
    return lambda: web.json_response(body, status=status, headers=headers)


def page(status: int) -> Answer:
    return lambda: web.Response(text="<h1>nginx</h1>", content_type="text/html", status=status)


class Host(OddServer):
    """A server that gives its answers in the order given, and the last one for ever."""

    def __init__(self, *uploads: Answer, looks: tuple[Answer, ...] = (), **more: Any) -> None:
        super().__init__(instance=STOCK, **more)
        self.special[V2] = self._in_turn(list(uploads))
        self.special[PROGRESS] = self._in_turn(list(looks))

    def _in_turn(self, answers: list[Answer]) -> Callable[[web.Request], Any]:
        async def respond(request: web.Request) -> web.StreamResponse:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            return answer()

        return respond

    def count(self, line: str) -> int:
        return self.asked.count(line)


async def outcome(server: OddServer, folder: Path) -> NetworkError:
    async with odd(server) as adapter:
        with pytest.raises(NetworkError) as caught:
            await adapter.upload(picture(folder))
    assert TOKEN not in str(caught.value)
    return caught.value


async def test_a_file_is_sent_under_a_name_that_tells_nothing(tmp_path: Path) -> None:
    server, sent = Host(said(READY)), list[bytes]()

    async def keep(request: web.Request) -> web.StreamResponse:
        file = (await request.post())["file"]
        assert isinstance(file, web.FileField)
        sent.append(file.file.read())
        return web.json_response(READY)

    server.special[V2] = keep
    async with odd(server) as adapter:
        uploaded = await adapter.upload(picture(tmp_path, "a red square"))

    assert (uploaded.id, uploaded.note) == ("m1", "")
    assert sent == [PNG]
    (body,) = server.bodies
    assert body["description"] == "a red square"
    assert re.fullmatch(r"[0-9a-f]{16}\.png", body["file"].filename)
    assert body["file"].content_type == "image/png"
    assert server.headers[-1]["authorization"] == f"Bearer {TOKEN}"


async def test_a_file_without_alt_text_is_sent_without_the_field(tmp_path: Path) -> None:
    server = Host(said(READY))
    async with odd(server) as adapter:
        await adapter.upload(picture(tmp_path))
    assert "description" not in server.bodies[0]


async def test_alt_text_that_a_server_left_out_is_said_to_be_lost(tmp_path: Path) -> None:
    async with odd(Host(said(READY | {"description": None}))) as adapter:
        assert (await adapter.upload(picture(tmp_path, "a box"))).note == (
            "the server left out the alt text"
        )
        assert (await adapter.upload(picture(tmp_path))).note == ""


async def test_a_file_that_is_gone_from_our_own_disk_may_be_fetched_again(tmp_path: Path) -> None:
    medium = picture(tmp_path)
    medium.path.unlink()
    async with odd(Host(said(READY))) as adapter:
        with pytest.raises(Transient, match="cannot be read here"):
            await adapter.upload(medium)


async def test_an_unattached_file_is_not_relied_upon_for_a_whole_day(tmp_path: Path) -> None:
    clock = ManualClock()
    async with odd(Host(said(READY)), clock) as adapter:
        uploaded = await adapter.upload(picture(tmp_path))
    assert uploaded.expires_at == clock.now() + timedelta(hours=20)


@pytest.mark.parametrize("missing", [404, 405])
@pytest.mark.parametrize("answer", [said, page], ids=["json", "html"])
async def test_a_server_without_version_two_is_asked_by_version_one_from_then_on(
    tmp_path: Path, missing: int, answer: Callable[..., Answer]
) -> None:
    server = Host(said({"error": "no"}, missing) if answer is said else page(missing))
    server.special[V1] = server._in_turn([said(READY)])
    async with odd(server) as adapter:
        for _ in range(2):
            await adapter.upload(picture(tmp_path))
    assert [line for line in server.asked if "media" in line] == [
        "POST /api/v2/media",
        "POST /api/v1/media",
        "POST /api/v1/media",
    ]


class TestAFileThatIsWorkedOn:
    async def test_is_awaited(self, tmp_path: Path) -> None:
        busy = (said(PENDING, 206),) * 3
        server = Host(said(PENDING, 202), looks=(*busy, said(READY)))
        clock = ManualClock()
        async with odd(server, clock) as adapter:
            await adapter.upload(picture(tmp_path, data=MP4, mime="video/mp4"))
        assert server.count("GET /api/v1/media/m1") == 4
        assert clock.sleeps == sorted(clock.sleeps)

    async def test_is_awaited_through_failures_of_asking(self, tmp_path: Path) -> None:
        looks = (page(502), said({"error": "x"}, 503), said(PENDING, 206), said(READY))
        async with odd(Host(said(PENDING, 202), looks=looks)) as adapter:
            assert (await adapter.upload(picture(tmp_path))).id == "m1"

    async def test_is_not_awaited_for_ever(self, tmp_path: Path) -> None:
        server, clock = Host(said(PENDING, 202), looks=(said(PENDING, 206),)), ManualClock()
        async with odd(server, clock) as adapter:
            with pytest.raises(Transient, match="600 s"):
                await adapter.upload(picture(tmp_path))
        assert clock.ticks <= LONGEST_PROCESSING + 10
        assert server.count("GET /api/v1/media/m1") < 80

    async def test_and_comes_to_nothing_is_refused_with_the_server_s_reason(
        self, tmp_path: Path
    ) -> None:
        looks = (said(PENDING, 206), said({"error": "Broken stream"}, 422))
        error = await outcome(Host(said(PENDING, 202), looks=looks), tmp_path)
        assert isinstance(error, Refused)
        assert "Broken stream" in error.detail

    async def test_and_is_lost_may_be_sent_again(self, tmp_path: Path) -> None:
        error = await outcome(
            Host(said(PENDING, 202), looks=(said({"error": "gone"}, 404),)), tmp_path
        )
        assert type(error) is Transient

    async def test_while_the_token_is_revoked_is_the_owner_s_business(self, tmp_path: Path) -> None:
        looks = (said({"error": "revoked"}, 401),)
        assert isinstance(await outcome(Host(said(PENDING, 202), looks=looks), tmp_path),
                          Unauthorised)  # fmt: skip

    async def test_but_is_said_to_be_done_is_asked_for_once_more(self, tmp_path: Path) -> None:
        server = Host(said(PENDING), looks=(said(PENDING, 206), said(READY)))
        async with odd(server) as adapter:
            await adapter.upload(picture(tmp_path))
        assert server.count("GET /api/v1/media/m1") == 2

    @pytest.mark.parametrize("look", [said({"error": "what?"}, 404), said(READY)])
    async def test_but_has_an_address_already_needs_no_more_than_one_look(
        self, tmp_path: Path, look: Answer
    ) -> None:
        server = Host(said(READY, 202), looks=(look,))
        async with odd(server) as adapter:
            assert (await adapter.upload(picture(tmp_path))).id == "m1"
        assert server.count("GET /api/v1/media/m1") == 1

    @pytest.mark.parametrize("look", [said({"error": "what?"}, 404), page(405), said(PENDING)])
    async def test_without_an_address_but_done_by_the_server_s_word_is_believed_in_the_end(
        self, tmp_path: Path, look: Answer
    ) -> None:
        async with odd(Host(said(PENDING), looks=(look,))) as adapter:
            assert (await adapter.upload(picture(tmp_path))).id == "m1"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said({"error": "Validation failed: File content type is invalid"}, 422), Refused),
        (said({"error": "bad"}, 400), Refused),
        (said({"error": "too large"}, 413), Refused),
        (page(413), NoUploads),
        (said({"error": "what?"}, 415), Refused),
        (said({"error": "This action is not allowed"}, 403), Unauthorised),
        (said({"error": "outside the authorized scopes"}, 403), Unauthorised),
        (said({"error": "invalid"}, 401), Unauthorised),
        (page(403), Unauthorised),
        (said({"error": "x"}, 429), Throttled),
        (said({"error": "x"}, 409), NoUploads),
        (said({"error": "x"}, 500), Transient),
        (page(502), Transient),
        (page(200), Transient),
        (said([READY]), Transient),
        (said({"ok": True}), Transient),
        (lambda: web.Response(body=b'{"id": "m'), Transient),
        (lambda: web.Response(body=b"x" * 2_000_000), Transient),
    ],
)
async def test_every_answer_is_clear_or_may_be_asked_for_again(
    tmp_path: Path, answer: Answer, kind: type[NetworkError]
) -> None:
    assert type(await outcome(Host(answer), tmp_path)) is kind


@pytest.mark.parametrize(
    ("answer", "of_the_server"),
    [
        (said({"error": "Error processing thumbnail"}, 500), False),
        (page(500), True),
        (page(503), True),
    ],
)
async def test_a_file_that_breaks_the_server_s_work_holds_up_nothing_else(
    tmp_path: Path, answer: Answer, of_the_server: bool
) -> None:
    error = await outcome(Host(answer), tmp_path)
    assert isinstance(error, Transient)
    assert error.unreachable is of_the_server


async def test_a_used_up_limit_says_when_it_opens_again(tmp_path: Path) -> None:
    clock = ManualClock()
    reset = (clock.now() + timedelta(minutes=20)).isoformat()
    answer = http(b"{}", f"X-RateLimit-Reset: {reset}", status_line="429 Slow Down")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_request(reader)
        writer.write(answer if head.startswith("POST") else http(json.dumps(STOCK).encode()))
        await writer.drain()

    async with raw_server(talk) as url, adapter_at(url, clock) as adapter:
        with pytest.raises(Throttled) as caught:
            await adapter.upload(picture(tmp_path))
    assert caught.value.until == clock.now() + timedelta(minutes=20)


async def test_the_thirty_first_file_of_half_an_hour_waits_for_its_turn(tmp_path: Path) -> None:
    sandbox = MastodonSandbox()
    me = sandbox.add_account("me")
    async with serve(sandbox.app) as url, adapter_at(url, token=me.access_token) as adapter:
        medium = picture(tmp_path)
        for _ in range(30):
            await adapter.upload(medium)
        with pytest.raises(Throttled) as caught:
            await adapter.upload(medium)
    assert caught.value.until is not None


async def test_a_connection_that_breaks_while_the_file_is_sent_leaves_no_doubt(
    tmp_path: Path,
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with raw_server(talk) as url, adapter_at(url) as adapter:
        with pytest.raises(Transient) as caught:
            await adapter.upload(picture(tmp_path, data=PNG + b"\0" * 3_000_000))
    assert caught.value.unreachable


async def test_the_token_does_not_follow_a_redirect(tmp_path: Path) -> None:
    elsewhere = OddServer(instance=STOCK)
    async with serving(elsewhere):
        target = f"{elsewhere.url}/take"
        server = Host(lambda: web.Response(status=307, headers={"Location": target}))
        assert isinstance(await outcome(server, tmp_path), Transient)
    assert not elsewhere.asked


async def test_a_server_that_demands_alt_text_is_told_that_there_is_none(tmp_path: Path) -> None:
    sandbox = MastodonSandbox("gotosocial", alt_least=5)
    me = sandbox.add_account("me")
    async with serve(sandbox.app) as url, adapter_at(url, token=me.access_token) as adapter:
        uploaded: Uploaded = await adapter.upload(picture(tmp_path))
        made = await adapter.publish(part(), reply_to=None, key="k", media=[uploaded.id])
        post = await adapter.look_up(made.id)
        assert post is not None
        assert [medium.alt for medium in post.media] == [NO_DESCRIPTION]
        with pytest.raises(Refused, match="between 5 and"):
            await adapter.upload(picture(tmp_path, "cat"))


async def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    size = 90 * 1024 * 1024
    received = 0

    async def take(request: web.Request) -> web.StreamResponse:
        nonlocal received
        async for piece in request.content.iter_chunked(64 * 1024):
            received += len(piece)
        return web.json_response(READY)

    app = web.Application(client_max_size=2**30)
    app.router.add_post("/api/v2/media", take)
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.truncate(size)
    medium = LocalMedia(path, MediaKind.VIDEO, "video/mp4", size)
    async with serve(app) as url, adapter_at(url) as adapter:
        await adapter.capabilities()
        tracemalloc.start()
        try:
            await adapter.upload(medium)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert received > size
    assert peak < 8 * 1024 * 1024
