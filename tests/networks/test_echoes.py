"""A server that echoes its requests, whole or in part, has nothing of them repeated in an error."""

import html
import random
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from aiohttp import web

from bridge.core.errors import NetworkError
from bridge.core.redaction import FRAGMENT
from bridge.networks.x.settings import OAuth1Credentials
from tests.networks.mastodon_servers import STOCK, OddServer, odd, part
from tests.networks.x_stage import CREATE, adapter_for, odd_x

TEXT = "private words of somebody who said “so”, & more\nthan anybody should repeat"
KEYS = OAuth1Credentials(
    "consumer-key-canary-1", "consumer-secret-canary-2", "access-token-canary-3", "secret-canary-4"
)
ROUNDS = 40


def pieces(*secrets: str) -> set[str]:
    lines = [" ".join(secret.split()) for secret in secrets]
    return {line[at : at + FRAGMENT] for line in lines for at in range(len(line) - FRAGMENT + 1)}


def echoes(heard: str, seed: int) -> Iterator[web.Response]:
    """What was heard, cut and encoded in some way, in a JSON problem and in a page's title."""
    chance = random.Random(seed)
    begin = chance.randrange(len(heard))
    cut = heard[begin : begin + chance.randrange(1, 2000)]
    encoded = chance.choice((str, quote, html.escape))(cut)
    said = "x" * chance.randrange(280) + " " + encoded
    status = chance.choice((400, 401, 403, 422, 429))
    yield web.json_response(
        {"title": "Forbidden", "detail": said, "error": said, "error_description": said},
        status=status,
    )
    page = f"<html><title>{html.escape(encoded[:900])}</title></html>"
    yield web.Response(text=page, status=status, content_type="text/html")


@pytest.mark.parametrize("form", [0, 1], ids=["problem", "page"])
async def test_no_error_of_x_repeats_a_piece_of_the_request(form: int) -> None:
    seeds = list(range(ROUNDS))
    spilled = pieces(TEXT, *(getattr(KEYS, name) for name in KEYS.__slots__))
    signatures: set[str] = set()

    async def echo(request: web.Request) -> web.Response:
        sent = request.headers["Authorization"]
        signatures.update(pieces(*(each for each in sent.split('"')[1::2])))
        return list(echoes(f"{sent} {await request.text()} {sent}", seeds.pop()))[form]

    async with odd_x() as server, adapter_for(server.url, KEYS) as adapter:
        server.says(CREATE, echo)
        while seeds:
            with pytest.raises(NetworkError) as raised:
                await adapter.publish(part(TEXT), reply_to=None, key="k")
            shown = f"{raised.value!s} {raised.value!r} {raised.value.__dict__}"
            assert not [piece for piece in spilled | signatures if piece in shown], shown


@pytest.mark.parametrize("form", [0, 1], ids=["problem", "page"])
async def test_no_error_of_mastodon_repeats_a_piece_of_the_request(form: int) -> None:
    seeds, spilled = list(range(ROUNDS)), pieces(TEXT)

    async def echo(request: web.Request) -> web.Response:
        sent = request.headers["Authorization"]
        spilled.update(pieces(sent.removeprefix("Bearer ")))
        return list(echoes(f"{sent} {await request.text()} {sent}", seeds.pop()))[form]

    server = OddServer(instance=STOCK, special={("POST", "/api/v1/statuses"): echo})
    async with odd(server) as adapter:
        while seeds:
            with pytest.raises(NetworkError) as raised:
                await adapter.publish(part(TEXT), reply_to=None, key="k" * 64)
            shown = f"{raised.value!s} {raised.value!r} {raised.value.__dict__}"
            assert not [piece for piece in spilled if piece in shown], shown
