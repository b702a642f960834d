"""Signing in over HTTP: registering a client, asking the owner, exchanging the code, revoking.

After Doorkeeper as Mastodon sets it up. The page that asks knows no password: whoever can reach a
sandbox may approve. Must not keep or print a secret beyond the answer that hands it out.
"""

from __future__ import annotations

import base64
import binascii
from html import escape
from urllib.parse import unquote, urlencode, urlsplit

from aiohttp import web

from bridge.sandbox.mastodon.door import Door
from bridge.sandbox.mastodon.oauth import OUT_OF_BAND, SCOPES, VAPID_KEY, Application, Token
from bridge.sandbox.mastodon.params import Params, read_params
from bridge.sandbox.mastodon.problems import ApiError, Json, invalid

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main>{body}</main></body></html>
"""
_NO_CLIENT = (
    "Client authentication failed due to unknown client, no client authentication included, or "
    "unsupported authentication method."
)
_NO_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection "
    "URI used in the authorization request, or was issued to another client."
)
_CARRIED = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge",
    "code_challenge_method",
)  # fmt: skip


class OAuthRoutes:
    """The handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.post("/api/v1/apps", self.register),
            web.get("/api/v1/apps/verify_credentials", self.verify_application),
            web.get("/oauth/authorize", self.ask),
            web.post("/oauth/authorize", self.decide),
            web.get("/oauth/authorize/native", self.show_code),
            web.post("/oauth/token", self.token),
            web.post("/oauth/revoke", self.revoke),
        ]

    async def register(self, request: web.Request) -> web.Response:
        """``POST /api/v1/apps``."""
        params = await read_params(request)
        name = (params.text("client_name") or "").strip()
        listed = params.texts("redirect_uris") or (params.text("redirect_uris") or "").split()
        uris = tuple(listed)
        scopes = tuple((params.text("scopes") or "read").split())
        if not name:
            raise invalid("Application name can't be blank")
        if not uris:
            raise invalid("Redirect URI can't be blank")
        if not all(uri == OUT_OF_BAND or urlsplit(uri).scheme for uri in uris):
            raise invalid("Redirect URI must be an absolute URI.")
        if not set(scopes) <= set(SCOPES):
            raise invalid("Scopes doesn't match configured on the server.")
        made = self._door.tokens.register(name, params.text("website") or None, uris, scopes)
        body = self._application(made.name, made.website, made) | {
            "id": made.id,
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "client_secret_expires_at": 0,
        }
        return web.json_response(body)

    async def verify_application(self, request: web.Request) -> web.Response:
        """``GET /api/v1/apps/verify_credentials``: any token will do, a client's own too."""
        token = self._door.bearer(request)
        application = self._door.tokens.application(token.client_id)
        return web.json_response(self._application(token.application, token.website, application))

    async def ask(self, request: web.Request) -> web.Response:
        """``GET /oauth/authorize``: the page with the button."""
        params = Params(dict(request.query))
        application, scopes = self._request(params)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(params.text(name) or "")}">'
            for name in _CARRIED
            if name in params
        )
        choices = "".join(
            f'<option value="{escape(account.id)}">@{escape(account.username)}</option>'
            for account in self._door.state.accounts()
            if not account.domain
        )
        listed = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
        body = (
            f"<h1>Authorization required</h1>"
            f"<p><strong>{escape(application.name)}</strong> would like to access your account. "
            f"Only approve this request if you recognize and trust this source.</p>"
            f"<ul>{listed}</ul>"
            f'<form method="post" action="/oauth/authorize">{hidden}'
            f'<label>Account <select name="account_id">{choices}</select></label> '
            f'<button type="submit" name="decision" value="approve">Authorize</button> '
            f'<button type="submit" name="decision" value="deny">Deny</button></form>'
        )
        page = _PAGE.format(title="Authorization required", body=body)
        return web.Response(text=page, content_type="text/html")

    async def decide(self, request: web.Request) -> web.Response:
        """``POST /oauth/authorize``: the button was pressed; back to the client with a code."""
        params = await read_params(request)
        application, scopes = self._request(params)
        target = params.text("redirect_uri") or ""
        state = params.text("state")
        carried = {"state": state} if state is not None else {}
        account = self._door.state.account(params.text("account_id") or "")
        if account is None or params.text("decision") == "deny":
            refusal = {
                "error": "access_denied",
                "error_description": "The resource owner denied the request.",
            }
            raise self._back(target, refusal | carried)
        code = self._door.tokens.grant(
            application, account.id, target, scopes, params.text("code_challenge")
        )
        raise self._back(target, {"code": code} | carried)

    async def show_code(self, request: web.Request) -> web.Response:
        """``GET /oauth/authorize/native``: the code, to be copied by hand."""
        code = escape(request.query.get("code") or request.query.get("error", ""))
        body = f'<h1>Authorization code</h1><input class="oauth-code" readonly value="{code}">'
        page = _PAGE.format(title="Authorization code", body=body)
        return web.Response(text=page, content_type="text/html")

    async def token(self, request: web.Request) -> web.Response:
        """``POST /oauth/token``."""
        params = await read_params(request)
        application = self._client(request, params)
        kind = params.text("grant_type")
        if kind == "client_credentials":
            scopes = tuple((params.text("scope") or "read").split())
            if not set(scopes) <= set(application.scopes):
                raise _oauth_error(400, "invalid_scope", "The requested scope is invalid.")
            return self._issued(self._door.tokens.issue(None, scopes, application))
        if kind != "authorization_code":
            words = "The authorization grant type is not supported by the authorization server."
            raise _oauth_error(400, "unsupported_grant_type", words)
        issued = self._door.tokens.redeem(
            params.text("code") or "",
            application,
            params.text("redirect_uri") or "",
            params.text("code_verifier"),
        )
        if issued is None:
            raise _oauth_error(400, "invalid_grant", _NO_GRANT)
        return self._issued(issued)

    async def revoke(self, request: web.Request) -> web.Response:
        """``POST /oauth/revoke``: 200 for an unknown token, 403 for another client's."""
        params = await read_params(request)
        client_id, secret = _credentials(request, params)
        application = self._door.tokens.authenticated(client_id, secret)
        token = self._door.tokens.find(params.text("token") or "")
        if application is None or (token and token.client_id != application.client_id):
            words = "You are not authorized to revoke this token"
            raise _oauth_error(403, "unauthorized_client", words)
        if token is not None:
            self._door.tokens.revoke(token.secret)
        return web.json_response({})

    def _request(self, params: Params) -> tuple[Application, tuple[str, ...]]:
        """The client that asks and the scopes it asks for.

        Raises an error page where nobody can be sent back safely, else a way back.
        """
        application = self._door.tokens.application(params.text("client_id"))
        target = params.text("redirect_uri") or ""
        if application is None:
            raise _page_error(401, _NO_CLIENT)
        if target not in application.redirect_uris:
            raise _page_error(400, "The redirect uri included is not valid.")
        scopes = tuple((params.text("scope") or "read").split())
        state = params.text("state")
        carried = {"state": state} if state is not None else {}
        if params.text("response_type") != "code":
            problem = "The authorization server does not support this response type."
            code = "unsupported_response_type"
        elif not set(scopes) <= set(application.scopes):
            code, problem = (
                "invalid_scope",
                "The requested scope is invalid, unknown, or malformed.",
            )
        elif params.text("code_challenge") and params.text("code_challenge_method") != "S256":
            code, problem = (
                "invalid_code_challenge_method",
                "The code_challenge_method must be S256.",
            )
        else:
            return application, scopes
        raise self._back(target, {"error": code, "error_description": problem} | carried)

    def _back(self, target: str, answer: dict[str, str]) -> web.HTTPFound:
        if target == OUT_OF_BAND:
            return web.HTTPFound(f"/oauth/authorize/native?{urlencode(answer)}")
        return web.HTTPFound(f"{target}{'&' if '?' in target else '?'}{urlencode(answer)}")

    def _client(self, request: web.Request, params: Params) -> Application:
        application = self._door.tokens.authenticated(*_credentials(request, params))
        if application is None:
            raise _oauth_error(401, "invalid_client", _NO_CLIENT)
        return application

    def _issued(self, token: Token) -> web.Response:
        body: Json = {
            "access_token": token.secret,
            "token_type": "Bearer",
            "scope": " ".join(token.scopes),
            "created_at": int(token.created_at.timestamp()),
        }
        return web.json_response(body, headers={"Cache-Control": "no-store"})

    def _application(self, name: str, website: str | None, application: Application | None) -> Json:
        uris = application.redirect_uris if application else ()
        return {
            "name": name,
            "website": website,
            "scopes": list(application.scopes) if application else [],
            "redirect_uris": list(uris),
            "redirect_uri": "\n".join(uris),
            "vapid_key": VAPID_KEY,
        }


def _credentials(request: web.Request, params: Params) -> tuple[str | None, str | None]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None, None
        client_id, _, secret = pair.partition(":")
        return unquote(client_id), unquote(secret)
    return params.text("client_id"), params.text("client_secret")


def _oauth_error(status: int, code: str, description: str) -> ApiError:
    return ApiError(status, code, fields={"error_description": description})


def _page_error(status: int, words: str) -> web.HTTPException:
    page = _PAGE.format(title="An error has occurred", body=f"<p>{escape(words)}</p>")
    kind = web.HTTPUnauthorized if status == 401 else web.HTTPBadRequest  # noqa: PLR2004 - HTTP
    return kind(text=page, content_type="text/html")
