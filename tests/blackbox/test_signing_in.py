"""Signing in on servers whose rights, registration and answers are not Mastodon's."""

import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.blackbox.consent import Consent
from tests.blackbox.fediverse import Server
from tests.blackbox.makes import MAKES
from tests.blackbox.stage import served
from tests.fixtures.terminal import at_a_terminal

NARROW = "read:accounts read:statuses write:statuses write:media"
WIDE = "read write"
ADDRESS = r"\n  (http://\S+)\n"


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])


async def follows(address: str) -> None:
    """Open the page, which agrees at once, and go wherever it leads."""
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        await answer.text()


async def signs_in(folder: Path, consent: Consent, pages: int = 1) -> str:
    """`twinpost login mastodon` on that server; gives what was shown."""
    async with served(consent.on(consent.server.app)) as url:
        config = folder / "config.yaml"
        config.write_text(
            f'state: ./state\nbridges:\n  - name: personal\n    mastodon: {{url: "{url}"}}\n'
            "    x: {url: http://127.0.0.1:9}\n",
            encoding="utf-8",
        )
        async with at_a_terminal(folder, "login", "mastodon", "--port", free_port()) as terminal:
            for _ in range(pages):
                await follows((await terminal.reads(ADDRESS))[1])
            assert await terminal.ends() == 0, terminal.shown
    return terminal.shown


@pytest.mark.parametrize(
    ("make", "given", "asked"),
    [
        ("pixelfed", {"known": frozenset(("read", "write", "follow", "push"))}, [WIDE]),
        (
            "sharkey",
            {"known": frozenset(("read", "write")), "answer": {"scope": ["read", "write"]}},
            [NARROW, WIDE],
        ),
        ("friendica", {"answer": {"scope": "write read push follow"}}, [NARROW]),
        (
            "mitra",
            {"known": frozenset(("read", "write")), "refuses_at": "register"},
            [WIDE],
        ),
        (
            "mastodon-4-6",
            {
                "pkce": True,
                "metadata": {
                    "issuer": "BASE/",
                    "token_endpoint": "BASE/oauth/token",
                    "scopes_supported": ["read", "write", "profile", *NARROW.split()],
                    "code_challenge_methods_supported": ["plain", "S256"],
                },
            },
            [NARROW.replace("read:accounts", "profile")],
        ),
    ],
)
async def test_every_make_gives_a_token(
    tmp_path: Path, make: str, given: dict[str, Any], asked: list[str]
) -> None:
    server = Server(MAKES[make])
    server.odd_account = {"id": 109, "source": None, "url": None} if make == "sharkey" else {}
    consent = Consent(server, **given)
    shown = await signs_in(tmp_path, consent, len(asked))
    assert consent.asked == asked
    shown = " ".join(shown.split())
    assert "Signed in on Mastodon as @ada@127.0.0.1" in shown
    assert ("wide ones: read, write" in shown) is (make in {"sharkey", "mitra"})
    assert "mastodon-token" not in shown
