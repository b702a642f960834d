"""How a Mastodon-API server says no: one exception, and the wording of each kind of server.

Must not decide when anything is refused; it only knows the words and the headers. The words are
what Mastodon's English locale and GoToSocial's error handler say; clients must not parse them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from aiohttp import web

from bridge.sandbox.clock import SandboxClock

Json = dict[str, object]

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    429: "Too many requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "There was a temporary problem serving your request, please try again",
}

OUTSIDE_SCOPES = "This action is outside the authorized scopes"
NOT_FOUND = "Record not found"
LOGIN_DISABLED = "Your login is currently disabled"
MOVED_AWAY = "Forbidden: your account has Moved or is currently Moving; you cannot take this action"
NO_USER = "This method requires an authenticated user"
TOKEN_INVALID = "The access token is invalid"  # noqa: S105 - a message, not a token
TOKEN_REVOKED = "The access token was revoked"  # noqa: S105 - a message, not a token


class ApiError(Exception):
    """A request that the server refuses: status, message, further fields of the body, headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        fields: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The answer as JSON."""
        body: Json = {"error": self.message, **self.fields}
        return web.json_response(body, status=self.status, headers=self.headers)


def invalid(reason: str) -> ApiError:
    """What a failed Rails validation looks like from outside."""
    return ApiError(422, f"Validation failed: {reason}")


def reset_header(moment: datetime) -> str:
    """An `X-RateLimit-Reset`: ISO 8601 with microseconds and Z, never an epoch."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class MastodonWording:
    """The server's own words for faults on order (`bridge.sandbox.faults.Wording`)."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def error(self, status: int) -> web.Response:
        """The usual body of `status`; what Rails cannot render itself names the status too."""
        title = _TITLES.get(status, "Error")
        body: Json = {"error": title}
        if status == 500:  # noqa: PLR2004 - the one status that Rails words by itself
            body = {"status": status, "error": title}
        return web.json_response(body, status=status)

    def throttled(self, seconds: float | None) -> web.Response:
        """The 429: no `Retry-After`, ever; a reset `seconds` from now, or no header at all."""
        headers = {}
        if seconds is not None:
            reset = self._clock.now() + timedelta(seconds=seconds)
            headers = {
                "X-RateLimit-Limit": "300",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": reset_header(reset),
            }
        return web.json_response({"error": _TITLES[429]}, status=429, headers=headers)
