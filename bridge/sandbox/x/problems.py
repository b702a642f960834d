"""X's error bodies, word for word where they are known.

Must not decide when anything is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from aiohttp import web

from bridge.sandbox.clock import SandboxClock

Json = dict[str, object]

TOO_LONG = (
    "Your Tweet text is too long. For more information on how Twitter determines text length see "
    "https://github.com/twitter/twitter-text."
)
TOO_LONG_VIDEO = "This user is not allowed to post a video longer than {} minutes."
USER_MISMATCH = (
    "The `id` query parameter value [{}] must be the same as the authenticating user [{}]"
)
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
REPLY_REFUSED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise "
    "engaged by the author of the post you are replying to."
)
REPLY_GONE = "You attempted to reply to a Tweet that is deleted or not visible to you."
MENTION_REFUSED = "Creating posts with @mentions is not allowed for your access package."
CASHTAG_REFUSED = (
    "Creating posts with more than one cashtag is not allowed for your access package."
)
NOT_PERMITTED = "You are not permitted to perform this action."
NOT_YOURS = "You are not authorized to delete this Tweet."
MEDIA_INVALID = "Your media IDs are invalid."
INVALID = "One or more parameters to your request was invalid."

_TITLES = {
    400: "Invalid Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class Refusal(Exception):
    """A request that X refuses: the status and body of its answer."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('detail', '')}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The answer."""
        return problem_response(self.status, self.body, self.headers)


def problem_response(
    status: int, body: Json, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer in problem form."""
    return web.Response(
        status=status,
        text=json.dumps(body, ensure_ascii=False),
        content_type="application/problem+json",
        headers=headers,
    )


def plain(status: int, detail: str | None = None) -> Json:
    """A problem without a type of its own."""
    title = _TITLES.get(status, "Error")
    return {"title": title, "detail": detail or title, "type": "about:blank", "status": status}


def forbidden(detail: str) -> Refusal:
    """403 with a reason for people."""
    return Refusal(403, plain(403, detail))


class Problems:
    """Bodies whose `type` names a host: the old name where the sandbox speaks the old dialect."""

    def __init__(self, *, old: bool) -> None:
        self._old = old
        self._types = f"https://api.{'twitter' if old else 'x'}.com/2/problems/"

    def invalid(self, message: str, parameter: str = "", value: str = "") -> Refusal:
        """400 for one parameter or body field."""
        error: Json = {"message": message}
        if parameter:
            error["parameters"] = {parameter: [value]}
        body: Json = {
            "errors": [error],
            "title": "Invalid Request",
            "detail": INVALID,
            "type": f"{self._types}invalid-request",
        }
        return Refusal(400, body)

    def not_found(self, kind: str, parameter: str, value: str) -> Json:
        """One entry of `errors`: what was asked for is not there. `kind` is ``tweet``, ``user``."""
        return {
            "value": value,
            "detail": f"Could not find {kind} with {parameter}: [{value}].",
            "title": "Not Found Error",
            "resource_type": kind,
            "parameter": parameter,
            "resource_id": value,
            "type": f"{self._types}resource-not-found",
        }

    def not_visible(self, kind: str, parameter: str, value: str) -> Json:
        """One entry of `errors`: what was asked for is not for the asking account's eyes."""
        return {
            "value": value,
            "detail": "Sorry, you are not authorized to see the "
            f"{kind} with {parameter}: [{value}].",
            "title": "Authorization Error",
            "resource_type": kind,
            "parameter": parameter,
            "resource_id": value,
            "section": "data",
            "type": f"{self._types}not-authorized-for-resource",
        }

    def out_of_credits(self, account_id: str) -> Refusal:
        """402, in the form of the time that the dialect belongs to."""
        if self._old:
            detail = (
                f"Your enrolled account [{account_id}] does not have any credits to fulfill this "
                "request"
            )
            body = {"title": "CreditsDepleted", "detail": detail, "type": f"{self._types}credits"}
            return Refusal(402, dict(body))
        return Refusal(
            402,
            {
                "title": "Payment Required",
                "detail": "credits depleted",
                "type": f"{self._types}credits-depleted",
                "status": 402,
            },
        )

    def spend_cap(self, account_id: str, reset: date) -> Refusal:
        """403: the owner's own spending limit is reached until `reset`."""
        detail = (
            f"Your enrolled account [{account_id}] has reached its billing cycle spend cap. API "
            f"requests will be blocked until the next cycle begins on {reset.isoformat()}."
        )
        return Refusal(
            403,
            {
                "title": "SpendCapReached",
                "detail": detail,
                "type": f"{self._types}credits",
                "reset_date": reset.isoformat(),
                "account_id": account_id,
            },
        )


class XWording:
    """How injected faults are worded here."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def error(self, status: int) -> web.Response:
        """The plain problem of `status`."""
        return problem_response(status, plain(status))

    def throttled(self, seconds: float | None) -> web.Response:
        """429, with `x-rate-limit-*` (epoch seconds of sandbox time) unless `seconds` is None."""
        headers = {}
        if seconds is not None:
            reset = int(self._clock.now().timestamp() + seconds)
            headers = {
                "x-rate-limit-limit": "100",
                "x-rate-limit-remaining": "0",
                "x-rate-limit-reset": str(reset),
            }
        return problem_response(429, plain(429), headers)
