"""Who may open the page: a password, sessions, and patience with those who guess.

Tokens come from `secrets` and are kept as digests; whatever is compared takes the same time however
much of it fits. Nothing outlives the process. Must not know HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bridge.net.clients import client_key

LONGEST_SESSION: Final = 12 * 3600.0
"""Seconds without a request after which a session is over."""

MOST_SESSIONS: Final = 64
MOST_TRACES: Final = 256
"""Sessions whose browsers are still told from strangers after they have ended."""

FREE_TRIES: Final = 5
"""Wrong passwords of one client before it has to wait."""

FIRST_WAIT: Final = 10.0
LONGEST_WAIT: Final = 900.0
TRIES_A_MINUTE: Final = 300
"""Passwords of unknown browsers that are looked at in all, so many that no single client uses them
up, and so few that even a short password outlives years of guessing."""

_MOST_ADDRESSES: Final = 1024
_MINUTE: Final = 60.0


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same; how long it takes tells nothing of either."""
    return hmac.compare_digest(_digest(one), _digest(other))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Client:
    """Who tries a password: an address, and the trace of the session that the browser once had.

    With a trace it is counted apart from all others, whatever comes from the same address.
    """

    address: str
    trace: bytes | None = None

    @property
    def key(self) -> str:
        """What is counted together."""
        return client_key(self.address) if self.trace is None else self.trace.hex()


@dataclass(slots=True)
class Session:
    """One browser. `csrf` has to come along with everything that it asks to be done."""

    csrf: str
    used: float


class Sessions:
    """The browsers that know the password. Without one set, everybody is the same session."""

    def __init__(self, password: str | None, monotonic: Callable[[], float]) -> None:
        self._password = password
        self._monotonic = monotonic
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._traces: OrderedDict[bytes, None] = OrderedDict()
        self._everybody = Session(secrets.token_urlsafe(32), 0.0)

    @property
    def asks(self) -> bool:
        """Whether a password is needed at all."""
        return self._password is not None

    def of(self, token: str | None) -> Session | None:
        """The session of a browser that sent `token`; None where it has to sign in."""
        if self._password is None:
            return self._everybody
        if not token:
            return None
        key = _digest(token)
        session = self._sessions.get(key)
        if session is None:
            return None
        now = self._monotonic()
        if now - session.used > LONGEST_SESSION:
            del self._sessions[key]
            return None
        session.used = now
        self._sessions.move_to_end(key)
        return session

    def open(self, password: str) -> str | None:
        """A new token for whoever knows the password; None for everybody else."""
        if self._password is None or not same(password, self._password):
            return None
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = Session(secrets.token_urlsafe(32), self._monotonic())
        self._traces[_digest(token)] = None
        while len(self._traces) > MOST_TRACES:
            self._traces.popitem(last=False)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def trace_of(self, token: str | None) -> bytes | None:
        """What is left of the session that a browser once had, however it ended; None for none."""
        trace = _digest(token) if token else None
        return trace if trace in self._traces else None

    def close(self, token: str | None) -> None:
        """Forget a session."""
        if token:
            self._sessions.pop(_digest(token), None)


class Patience:
    """Bounds how often a password may be tried: by each client, and by all strangers together."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._minute = 0.0
        self._tries = 0

    def wait(self, client: Client) -> float:
        """Seconds that `client` has to wait before the next try; counts this try where zero."""
        now = self._monotonic()
        _, until = self._wrong.get(client.key, (0, 0.0))
        if until > now:
            return until - now
        if client.trace is not None:
            return 0.0
        if now - self._minute >= _MINUTE or self._tries == 0:
            self._minute, self._tries = now, 0
        if self._tries >= TRIES_A_MINUTE:
            return self._minute + _MINUTE - now
        self._tries += 1
        return 0.0

    def wrong(self, client: Client) -> None:
        """Remember a wrong password."""
        count = self._wrong.pop(client.key, (0, 0.0))[0] + 1
        late = count - FREE_TRIES
        wait = min(FIRST_WAIT * 2 ** min(late, 16), LONGEST_WAIT) if late >= 0 else 0.0
        self._wrong[client.key] = (count, self._monotonic() + wait)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, client: Client) -> None:
        """Forget what was wrong before."""
        self._wrong.pop(client.key, None)
