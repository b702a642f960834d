"""Addresses on X and through it: which are its own, what they point at, what to cut off them.

Works on strings alone; must not resolve anything.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from bridge.core.address import X_HOSTS

_STATUS = re.compile(
    r"https?://(?:www\.|mobile\.|m\.)?(?:x|twitter)\.com(?::\d+)?"
    r"/(?P<user>[^/?#]+)(?:/web)?/status(?:es)?/(?P<post>\d+)"
    r"(?:/(?P<media>photo|video)/\d+)?/?(?:[?#].*)?",
    re.IGNORECASE,
)
_TRACKING = frozenset(("s", "t"))
_SHORTENER_HOSTS = (
    "t.co bit.ly j.mp goo.gl ow.ly buff.ly tinyurl.com is.gd v.gd dlvr.it lnkd.in fb.me trib.al "
    "ift.tt wp.me cutt.ly rebrand.ly shorturl.at t.ly rb.gy spr.ly hubs.ly hubs.li amzn.to a.co "
    "nyti.ms reut.rs bbc.in wapo.st cnn.it econ.st on.ft.com on.wsj.com bloom.bg politi.co "
    "apple.co g.co adbl.co soc.cr crwd.fr zpr.io mtr.cool owl.li shor.by tiny.cc bl.ink"
)
_SHORTENERS = frozenset(_SHORTENER_HOSTS.split())


class StatusAddress(NamedTuple):
    """The address of a post on X; `user` may be ``i``, for unknown; `media` is photo or video."""

    user: str
    post: str
    media: str | None


def status_address(address: str) -> StatusAddress | None:
    """What an address names, if it is one of a post on X."""
    found = _STATUS.fullmatch(address)
    return StatusAddress(found["user"], found["post"], found["media"]) if found else None


def is_shortener(address: str) -> bool:
    """Whether an address only leads to another one."""
    return _host(address).removeprefix("www.") in _SHORTENERS


def without_tracking(address: str) -> str:
    """An address on X without the ``s`` and ``t`` that tell who shared it; others untouched."""
    if _host(address) not in X_HOSTS:
        return address
    head, mark, fragment = address.partition("#")
    path, question, query = head.partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] not in _TRACKING]
    if not question or len(kept) == len(query.split("&")):
        return address
    return path + ("?" + "&".join(kept) if kept else "") + mark + fragment


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""
