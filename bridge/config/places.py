"""What names a place outside: ports, topics, mailboxes, addresses that notices are sent to.

Every function takes the text and returns the value, or raises `ValueError` with a sentence that
says what is expected. Pure; must not know where a text came from.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bridge.config import values

_MAILBOX = re.compile(r"[^@\s<>,;\"\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_HIGHEST_PORT = 65535
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,64}(?:/[A-Za-z0-9_-]{1,64}){0,4}")
_LONGEST_ARGUMENT = 4096


def port(text: str) -> int:
    """A port that can be connected to."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _HIGHEST_PORT):
        raise ValueError("expected a port from 1 to 65535")
    return int(text)


def hook(text: str) -> str:
    """An ``https`` address with whatever path; plain ``http`` on this machine only."""
    expected = "expected an address such as https://hooks.example/abc"
    try:
        parts = urlsplit(text)
        name, number = parts.hostname, parts.port
    except ValueError:
        raise ValueError(expected) from None
    del number
    if parts.scheme not in {"http", "https"} or not name or not text.isprintable() or " " in text:
        raise ValueError(expected)
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected an address without a name or password in it")
    server = f"{parts.scheme}://{f'[{name}]' if ':' in name else name}"
    values.url(server)  # refuses plain http to other machines
    return text


def mailbox(text: str) -> str:
    """An e-mail address alone, without a name."""
    if not _MAILBOX.fullmatch(text):
        raise ValueError("expected an e-mail address such as me@example.org")
    return text


def topic_prefix(text: str) -> str:
    """What MQTT topics begin with: levels of letters, digits, ``-`` and ``_``."""
    if not _PREFIX.fullmatch(text):
        raise ValueError("expected a topic of letters, digits, - and _, such as twinpost")
    return text


def ntfy_topic(text: str) -> str:
    """What ntfy takes as a topic."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise ValueError("expected a topic of letters, digits, - and _, 64 at most")
    return text


def argument(text: str) -> str:
    """One word of a command; it goes to the program as it stands."""
    if not text or "\x00" in text or len(text) > _LONGEST_ARGUMENT:
        raise ValueError("expected a word of a command")
    return text


def password(text: str) -> str:
    """A password: anything on one line."""
    if not text or not text.isprintable():
        raise ValueError("expected a password on one line")
    return text
