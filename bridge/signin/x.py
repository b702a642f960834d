"""Signing in on X with OAuth 2.0 and PKCE: ask the owner, exchange the code at once.

X's client may be confidential (it has a secret, sent by HTTP Basic) or public (it names itself).
Must not know commands, and keeps nothing.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import aiohttp

from bridge.core.address import x_site_of
from bridge.core.errors import Unauthorised
from bridge.signin.pkce import Proof
from bridge.signin.redirect import refusal
from bridge.signin.wire import ask

PORT = 8423
"""Where the browser comes back to, unless told otherwise: it must stand in the app's settings."""

SCOPES = "tweet.read tweet.write users.read media.write offline.access"


@dataclass(frozen=True, slots=True)
class Client:
    """An app of the owner's; `secret` is empty for a public one."""

    client_id: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """A pair of tokens, and what they may do."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scopes: str


def question(api: str, client: Client, redirect: str, proof: Proof) -> str:
    """The address at which the owner is asked: on X's own site for its public API."""
    fields = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect,
        "scope": SCOPES,
        "state": proof.state,
        "code_challenge": proof.challenge,
        "code_challenge_method": "S256",
    }
    # Spaces as %20: that is how X's own documentation writes scopes.
    return f"{x_site_of(api)}/i/oauth2/authorize?{urlencode(fields, quote_via=quote)}"


async def exchange(
    session: aiohttp.ClientSession,
    api: str,
    client: Client,
    code: str,
    *,
    redirect: str,
    proof: Proof,
) -> Granted:
    """The tokens for a code, which X takes for 30 seconds. Raises `Unauthorised`, `Transient`."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": proof.verifier,
    }
    headers = {}
    if client.secret:
        # RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
        pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = client.client_id
    told = await ask(session, "POST", f"{api}/2/oauth2/token", form=form, headers=headers)
    if not told.fine:
        raise Unauthorised(
            f"{_why(told.status, refusal(told.body, told.redact))}", status=told.status
        )
    granted = Granted(
        told.text("access_token"), told.text("refresh_token"), " ".join(told.text("scope").split())
    )
    if not granted.access_token:
        raise Unauthorised("X's answer holds no token; begin again", status=told.status)
    if not granted.refresh_token:
        raise Unauthorised(
            "X gave no refresh token, without which a login ends after two hours: allow the app "
            "offline.access in the developer console, then begin again"
        )
    return granted


def missing_scopes(granted: str) -> tuple[str, ...]:
    """What of the scopes that are needed was not granted."""
    return tuple(one for one in SCOPES.split() if one not in granted.split())


def _why(status: int, words: str) -> str:
    if status == 401:  # noqa: PLR2004 - HTTP
        return (
            f"{words} (HTTP 401): X does not know the app by that client ID and secret; copy both "
            "again from the developer console, Keys and tokens. A Web App has a secret, a Native "
            "App has none"
        )
    return (
        f"{words} (HTTP {status}): a code counts once, for 30 seconds, and only with the callback "
        "address that stands in the app's settings; begin again"
    )
