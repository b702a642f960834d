"""Refused uploads: what is about one file is told from what is about the account or the server."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import web

from bridge.core.errors import NetworkError, NoUploads, Refused, Transient, Unauthorised
from bridge.core.model import MediaKind
from bridge.ports import LocalMedia
from tests.fakes import VirtualClock
from tests.fixtures.x_client import PNG
from tests.fixtures.x_files import mp4
from tests.networks.mastodon_servers import STOCK, OddServer, odd
from tests.networks.x_stage import OddX, Reply, adapter_for, odd_x, problem

Body = Callable[[int], web.Response]

ABOUT_A_FILE = {400, 413, 415, 422}
MAY_PASS = {404, 408, 425}
WITH_KINDS_OF_THEIR_OWN = {401, 402, 403, 429}
CLIENT_ERRORS = [
    status.value
    for status in HTTPStatus
    if 400 <= status < 500 and status not in WITH_KINDS_OF_THEIR_OWN | MAY_PASS
]


def of_x(status: int) -> web.Response:
    return problem(status, title="Invalid Request", detail="the file is not whole")


def of_mastodon(status: int) -> web.Response:
    return web.json_response({"error": "Validierung fehlgeschlagen"}, status=status)


def of_a_proxy(status: int) -> web.Response:
    return web.Response(status=status, text="<h1>nginx</h1>", content_type="text/html")


def bare(status: int) -> web.Response:
    return web.Response(status=status)


def without_words(status: int) -> web.Response:
    return web.json_response({}, status=status)


NOT_THE_API = (of_a_proxy, bare, without_words)


def x_steps() -> Iterator[tuple[str, bool]]:
    """Every request of an upload, and whether it is one of a film."""
    yield "POST /2/media/upload", False
    for step in ("initialize", "5/append", "5/finalize"):
        yield f"POST /2/media/upload/{step}", True
    yield "GET /2/media/upload", True


async def refused_by_x(
    odd_one: OddX, step: str, answer: web.Response, folder: Path
) -> NetworkError:
    """What an upload to X ends with, where `step` is answered so."""
    odd_one.says("POST /2/media/upload", problem(200, data={"id": "5"}))
    odd_one.says("POST /2/media/upload/initialize", problem(200, data={"id": "5"}))
    odd_one.says("POST /2/media/upload/5/append", problem(200, data={}))
    working = {"state": "pending", "check_after_secs": 0}
    odd_one.says(
        "POST /2/media/upload/5/finalize",
        problem(200, data={"id": "5", "processing_info": working}),
    )
    odd_one.says(step, answer)
    film = dict(x_steps())[step]
    content = mp4() if film else PNG
    path = folder / "file"
    path.write_bytes(content)
    kind, mime = (MediaKind.VIDEO, "video/mp4") if film else (MediaKind.IMAGE, "image/png")
    async with adapter_for(odd_one.url, clock=VirtualClock()) as adapter:
        with pytest.raises(NetworkError) as caught:
            await adapter.upload(LocalMedia(path, kind, mime, len(content)))
    return caught.value


@pytest.mark.parametrize("step", [step for step, _ in x_steps()])
async def test_a_403_of_x_is_about_the_account_at_every_step_whatever_it_says(
    tmp_path: Path, step: str
) -> None:
    async with odd_x() as odd_one:
        for body in (of_x, *NOT_THE_API):
            error = await refused_by_x(odd_one, step, body(403), tmp_path)
            assert isinstance(error, Unauthorised), body
            assert "media.write" in str(error)


@pytest.mark.parametrize("step", ["POST /2/media/upload", "POST /2/media/upload/initialize"])
async def test_only_x_itself_refuses_a_file(tmp_path: Path, step: str) -> None:
    async with odd_x() as odd_one:
        for status in CLIENT_ERRORS:
            for body in (of_x, *NOT_THE_API):
                error = await refused_by_x(odd_one, step, body(status), tmp_path)
                about_it = status in ABOUT_A_FILE and body is of_x
                assert isinstance(error, Refused if about_it else NoUploads), (status, body)


async def refused_by_mastodon(
    answer: web.Response, folder: Path, *, looking: bool = False
) -> NetworkError:
    """What an upload ends with, where it, or the look at its progress, is answered so."""
    server = OddServer(instance=STOCK)

    def says(response: web.Response) -> Reply:
        async def say(_request: web.Request) -> web.Response:
            return web.Response(
                status=response.status, headers=response.headers, body=response.body
            )

        return say

    upload = web.json_response({"id": "m1", "url": None}, status=202) if looking else answer
    for version in (1, 2):
        server.special["POST", f"/api/v{version}/media"] = says(upload)  # type: ignore[assignment]
    server.special["GET", "/api/v1/media/m1"] = says(answer)  # type: ignore[assignment]
    path = folder / "file.png"
    path.write_bytes(PNG)
    async with odd(server) as adapter:
        with pytest.raises(NetworkError) as caught:
            await adapter.upload(LocalMedia(path, MediaKind.IMAGE, "image/png", len(PNG)))
    return caught.value


@pytest.mark.parametrize("looking", [False, True])
@pytest.mark.parametrize("status", [401, 403])
async def test_a_mastodon_login_that_may_not_upload_is_about_the_account_in_any_language(
    tmp_path: Path, status: int, *, looking: bool
) -> None:
    for body in (of_mastodon, *NOT_THE_API):
        error = await refused_by_mastodon(body(status), tmp_path, looking=looking)
        assert isinstance(error, Unauthorised), body
        assert "twinpost login mastodon" in str(error)


async def test_only_a_mastodon_api_itself_refuses_a_file(tmp_path: Path) -> None:
    for status in [*CLIENT_ERRORS, 404]:
        for body in (of_mastodon, of_a_proxy, without_words):
            error = await refused_by_mastodon(body(status), tmp_path)
            about_it = status in ABOUT_A_FILE and body is of_mastodon
            assert isinstance(error, Refused if about_it else NoUploads), (status, body)


@pytest.mark.parametrize("status", sorted(MAY_PASS - {404}))
async def test_what_passes_by_itself_is_about_nothing_but_this_moment(
    tmp_path: Path, status: int
) -> None:
    assert type(await refused_by_mastodon(of_a_proxy(status), tmp_path)) is Transient
