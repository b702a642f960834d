"""Signing in on a server that speaks the Mastodon API: register an app, ask the owner, get a token.

What a server says about itself (RFC 8414) is used as far as it stays on that server; without it the
paths of the API's documentation are. Must not know commands, and keeps nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

import aiohttp

from bridge.core.crossposters import OWN_NAME
from bridge.core.errors import Refused, Unauthorised
from bridge.signin.pkce import Proof
from bridge.signin.redirect import ScopeRefused, refusal
from bridge.signin.wire import Answer, ask

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
APP_NAME = OWN_NAME
WIDE = "read write"
"""The rights that every make of server knows."""

_READING, _WRITING = "read:statuses", ("write:statuses", "write:media")
_WIDE_ONLY = frozenset(("gotosocial", "pixelfed"))
"""GoToSocial's streaming wants the whole of them; Pixelfed has no others."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where to ask. `scopes` are those that the server names; empty where it names none."""

    authorize: str
    token: str
    register: str
    pkce: bool = False
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class App:
    """What the server gave for an app of ours; good for `redirect` and `scopes` only."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    redirect: str
    scopes: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and what it may do as the server said; empty where it did not."""

    access_token: str = field(repr=False)
    scopes: str


def endpoints(base: str, metadata: Mapping[str, object]) -> Endpoints:
    """Where `base` is to be asked, by its metadata (empty where it has none).

    Metadata of another issuer says nothing, and an endpoint elsewhere would be given our secrets:
    both are left aside for the usual paths.
    """

    def at(name: str, usual: str) -> str:
        named = metadata.get(name)
        return named if isinstance(named, str) and _is_at(base, named) else base + usual

    if str(metadata.get("issuer", "")).rstrip("/") != base:
        metadata = {}
    return Endpoints(
        authorize=at("authorization_endpoint", "/oauth/authorize"),
        token=at("token_endpoint", "/oauth/token"),
        register=at("app_registration_endpoint", "/api/v1/apps"),
        pkce="S256" in _texts(metadata, "code_challenge_methods_supported"),
        scopes=frozenset(_texts(metadata, "scopes_supported")),
    )


def scopes_for(software: str, known: frozenset[str]) -> str:
    """The least that the bridge works with on a server of that make, divided by spaces."""
    if software in _WIDE_ONLY:
        return WIDE
    profile = "profile" if "profile" in known else "read:accounts"
    narrow = (profile, _READING, *_WRITING)
    # Some makes know the wide ones only, and say so.
    named = (one if one in known or not known else one.partition(":")[0] for one in narrow)
    return " ".join(dict.fromkeys(named))


def missing_scopes(wanted: str, granted: str) -> tuple[str, ...]:
    """What of `wanted` is not in `granted`, where a wide scope includes its narrow ones."""
    has = set(granted.replace(",", " ").split())
    if "read" in has or "read:accounts" in has:
        has.add("profile")
    return tuple(one for one in wanted.split() if not {one, one.partition(":")[0]} & has)


def question(endpoints: Endpoints, app: App, proof: Proof) -> str:
    """The address at which the owner is asked."""
    fields = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect,
        "scope": app.scopes,
        "state": proof.state,
    }
    if endpoints.pkce:
        fields |= {"code_challenge": proof.challenge, "code_challenge_method": "S256"}
    return f"{endpoints.authorize}?{urlencode(fields)}"


async def discover(session: aiohttp.ClientSession, base: str) -> Endpoints:
    """Ask a server where it is to be asked. Raises `Transient`."""
    try:
        told = await ask(session, "GET", f"{base}/.well-known/oauth-authorization-server")
    except Refused:
        return endpoints(base, {})
    return endpoints(base, told.body if told.fine else {})


async def register(
    session: aiohttp.ClientSession, endpoints: Endpoints, redirect: str, scopes: str
) -> App:
    """Make an app at the server, for one way back. Raises `Unauthorised` and `Transient`.

    `ScopeRefused` says that it may go better with other `scopes`: the words of a server that knows
    no such right are its own.
    """
    form = {"client_name": APP_NAME, "redirect_uris": redirect, "scopes": scopes}
    told = await ask(session, "POST", endpoints.register, form=form)
    client_id, secret = told.text("client_id"), told.text("client_secret")
    if told.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        raise ScopeRefused(f"registering an app: {_words(told)}", status=told.status)
    if not told.fine or not client_id or not secret:
        raise Unauthorised(f"registering an app: {_words(told)}", status=told.status)
    return App(client_id, secret, redirect, scopes)


async def exchange(
    session: aiohttp.ClientSession, endpoints: Endpoints, app: App, code: str, proof: Proof
) -> Granted:
    """The token for a code. Raises `Unauthorised` and `Transient`."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect,
        "scope": app.scopes,
    }
    if endpoints.pkce:
        form["code_verifier"] = proof.verifier
    told = await ask(session, "POST", endpoints.token, form=form)
    token = told.text("access_token")
    if not told.fine or not token:
        raise Unauthorised(f"getting a token: {_words(told)}", status=told.status)
    return Granted(token, " ".join(told.text("scope").split()))


def _words(answer: Answer) -> str:
    if answer.fine:
        return "the server's answer lacks what it promises; is it a server of the Mastodon kind?"
    if answer.text("error"):
        return f"{refusal(answer.body, answer.redact)} (HTTP {answer.status})"
    return f"the server answered HTTP {answer.status}; is it a server of the Mastodon kind?"


def _is_at(base: str, address: str) -> bool:
    """Whether an address is one of the same server, and can be shown on a terminal."""
    if not re.fullmatch(r"[!-~]{1,2000}", address):
        return False
    try:
        ours, theirs = urlsplit(base), urlsplit(address)
    except ValueError:
        return False
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def _texts(data: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = data.get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
