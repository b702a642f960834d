"""From what people type for a server to its address, with every trick refused. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from bridge.config.values import url as plain_url

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_TOP = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
_LONGEST_NAME = 253
_EXAMPLE = "type a server's name, such as mastodon.social"


def server_address(text: str) -> str:
    """``https://name`` for a name, an address, or a handle (``@ada@mastodon.social``).

    Raises `ValueError` with a sentence for everything else: addresses with a name and password in
    them, numbers in place of a name in any spelling, plain http beyond this machine.
    """
    given = text.strip()
    handle = re.fullmatch(r"@[^@/:\s]+@([^@/:\s]+)", given)
    if handle:
        given = handle[1]
    if not given or any(ord(char) < ord("!") or char in '\\"<>^`{|}' for char in given):
        raise ValueError(_EXAMPLE)
    try:
        parts = urlsplit(given if "://" in given else f"https://{given}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_EXAMPLE) from None
    if "@" in parts.netloc:
        raise ValueError(f"there is a name before the server's own in it; {_EXAMPLE}")
    if parts.scheme == "http":
        return plain_url(f"http://{parts.netloc}")
    if parts.scheme != "https":
        raise ValueError(_EXAMPLE)
    if _is_number(host):
        raise ValueError(f"a server is known by its name, not by a number; {_EXAMPLE}")
    return f"https://{_ascii_name(host)}" + (f":{port}" if port and port != 443 else "")  # noqa: PLR2004 - what https means


def _is_number(host: str) -> bool:
    """An IP address as systems read them, octal, hexadecimal and shortened ones included."""
    try:
        ip_address(host)
    except ValueError:
        pieces = host.rstrip(".").split(".")
        return all(re.fullmatch(r"0x[0-9a-f]*|[0-9]+", piece, re.ASCII) for piece in pieces)
    return True


def _ascii_name(host: str) -> str:
    try:
        name = host.encode("idna").decode().lower()
    except UnicodeError:
        raise ValueError(_EXAMPLE) from None
    labels = name.split(".")
    whole = len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    if len(name) > _LONGEST_NAME or not whole or not _TOP.fullmatch(labels[-1]):
        raise ValueError(f"{_EXAMPLE}, with its ending")
    return name
