"""Who a mention link means: from the status's own list of mentions, else from the link itself.

Names are never searched for in text; a link's address decides. Must not render anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from bridge.networks.fields import text_at, web_address

_HANDLE = re.compile(r"@?([^\s@/]+)(?:@([^\s@/]+))?")
_PROFILE_PATH = re.compile(
    r"/(?:@|users/|u/|profile/|channel/|author/|ap/users/|ap/actor/)?([\w.-]+)/?"
)


class People:
    """The accounts that one status mentions, found by address or by name.

    `mentions` is the status's ``mentions[]``; `host` is the server's own, for local names.
    Handles are full: ``@user@host``.
    """

    def __init__(self, mentions: Iterable[object], host: str = "") -> None:
        self._host = host
        self._by_address: dict[str, str] = {}
        self._by_name: dict[str, str | None] = {}
        for mention in mentions:
            if isinstance(mention, Mapping):
                self._add(mention)

    def _add(self, mention: Mapping[str, object]) -> None:
        address = web_address(mention.get("url"))
        found = _HANDLE.fullmatch(text_at(mention, "acct").strip())
        found = found or _HANDLE.fullmatch(text_at(mention, "username").strip())
        if found is None:
            return
        name, host = found[1], found[2] or self._host or host_of(address or "")
        handle = f"@{name}@{host}" if host else f"@{name}"
        if address is not None:
            self._by_address.setdefault(address_key(address), handle)
        for known_as in {name, text_at(mention, "username").strip()} - {""}:
            # Two people of one name can only be told apart by their hosts.
            key = known_as.casefold()
            same = self._by_name.setdefault(key, handle) == handle
            self._by_name[key] = handle if same else None
        self._by_name[handle.removeprefix("@").casefold()] = handle

    def at(self, address: str) -> str | None:
        """The full handle of the mentioned account whose profile stands at `address`."""
        return self._by_address.get(address_key(address))

    def named(self, written: str) -> str | None:
        """The full handle of the one mentioned account written as ``@name`` or ``@name@host``."""
        return self._by_name.get(written.strip().removeprefix("@").casefold())


def handle_from(address: str) -> str | None:
    """A full handle read off a profile's address, for accounts that no list names."""
    try:
        parts = urlsplit(address)
        found = _PROFILE_PATH.fullmatch(unquote(parts.path))
    except ValueError:
        return None
    host = host_of(address)
    return f"@{found[1]}@{host}" if found and host else None


def host_of(address: str) -> str:
    """The host of an address, with its port if it has one; empty where there is none."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def address_key(address: str) -> str:
    """What two spellings of one address have in common."""
    scheme, separator, rest = address.strip().rstrip("/").partition("://")
    if not separator:
        return address.strip()
    host, slash, path = rest.partition("/")
    del scheme
    return f"{host.lower().removeprefix('www.')}{slash}{path}"
