"""What comes back from the page on which the owner agreed: a code, if it is the answer to us.

Pure. No message quotes what came.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from bridge.core.errors import Unauthorised
from bridge.core.redaction import Redactor, quoted

_LONGEST_CODE = 2048
_LONGEST_REASON = 200


class NotOurs(Unauthorised):
    """An answer to another question than ours, or to none: somebody may be trying something."""


class ScopeRefused(Unauthorised):
    """The network does not know a right that it was asked for."""


def code_in_address(typed: str, state: str) -> str:
    """The code in the whole address that a browser was sent to. Raises as `code_in`."""
    text = typed.strip()
    query = urlsplit(text).query if "://" in text else text.removeprefix("?")
    fields = dict(parse_qsl(query))
    if not fields:
        raise NotOurs(
            "that is not the address of the page you came to: copy all of it, from http:// to its "
            "end, out of the browser's address bar"
        )
    return code_in(fields, state)


def code_in(fields: Mapping[str, str], state: str) -> str:
    """The code among the fields of the address.

    Raises `NotOurs` where `state` is not the one that was sent, and `Unauthorised` where the owner
    or the network refused: `ScopeRefused` where that is for the rights that were asked for.
    """
    if not hmac.compare_digest(fields.get("state", "").encode(), state.encode()):
        raise NotOurs(
            "this answer does not belong to this sign-in (its state is missing or another one), "
            "so it is not used; begin again with a fresh address"
        )
    if "error" in fields:
        kind = ScopeRefused if fields["error"] == "invalid_scope" else Unauthorised
        raise kind(refusal(fields, Redactor([state, fields.get("code", "")])))
    return plain_code(fields.get("code", ""))


def plain_code(typed: str) -> str:
    """A code as a page shows it. Raises `Unauthorised`."""
    code = typed.strip()
    if not code or len(code) > _LONGEST_CODE or not code.isascii() or not code.isprintable():
        raise Unauthorised("there is no code in the answer; begin again")
    return code


def refusal(fields: Mapping[str, object], redact: Redactor) -> str:
    """An OAuth error as a sentence: its code and description, on one line, without secrets."""
    if fields.get("error") == "access_denied":
        return "the request was denied on the network's page; nothing was changed"
    told = [str(fields.get(name) or "") for name in ("error", "error_description")]
    words = quoted(": ".join(each for each in told if each), redact, _LONGEST_REASON)
    return f"the network refused: {words or 'without a reason'}"
