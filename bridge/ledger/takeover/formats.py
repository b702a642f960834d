"""One function a tool: from the bytes of its memory to what it knew.

renatolond/mastodon-twitter-poster keeps the table `statuses` in PostgreSQL (`masto_id`, `tweet_id`,
for each server in `mastodon_clients`); FedStoa/moa the table `mapping` (`mastodon_id`,
`twitter_id`) in SQLite or MySQL; robertoszek/pleroma-bot the file ``posts.json``, a mapping of
tweets to posts for each server; Linus2punkt0/bluesky-crossposter a line of JSON for each post in
``database.json``, in an old and a new form; halcy/MastodonToTwitter the file
``mtt_status_associations.json``, a mapping of toots to tweets.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final

from bridge.core.model import Network
from bridge.ledger.takeover.found import Found, Known, host, identifier, moment, x_identifier
from bridge.ledger.takeover.tables import Line, from_csv, from_dump

LARGEST: Final = 256 << 20
"""Bytes that are read of a file; a million posts are less."""

_SQLITE = b"SQLite format 3\x00"
_NEVER_SENT = frozenset({"skipped", "failedtopost", "duplicate", "failed"})
_STATUSES = ("id", "mastodon_client_id", "masto_id", "tweet_id", "created_at", "updated_at")
_CLIENTS = ("id", "domain", "client_id", "client_secret", "created_at", "updated_at")
_MAPPING = ("id", "mastodon_id", "twitter_id", "created")


class Format(StrEnum):
    """Whose memory it is; the value is what `--format` takes."""

    POSTER = "mastodon-twitter-poster"
    MOA = "moa"
    PLEROMA_BOT = "pleroma-bot"
    BLUESKY = "bluesky-crossposter"
    MTT = "mastodon-to-twitter"


def read(content: bytes, given: Format | None = None) -> Found:
    """What the file tells. Raises `ValueError` with a sentence where it is of no known format."""
    kind = given or guess(content)
    return FORMATS[kind](content)


def guess(content: bytes) -> Format:
    """Whose memory this is, told by its form. Raises `ValueError`."""
    if content.startswith(_SQLITE):
        return Format.MOA
    head = content[:65536].decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if head.startswith("{"):
        first = head.partition("\n")[0]
        if '"services"' in first or '"skeet"' in first:
            return Format.BLUESKY
        # A mapping of mappings, or a mapping.
        inner = head[1:].partition(":")[2].partition("{")[0].strip()
        nested = not inner and "{" in head[1:]
        return Format.PLEROMA_BOT if nested or '"http' in head[:50] else Format.MTT
    if "masto_id" in head or "mastodon_clients" in head or "public.statuses" in head:
        return Format.POSTER
    if "twitter_id" in head or "`mapping`" in head or "mapping" in head:
        return Format.MOA
    names = ", ".join(each.value for each in Format)
    raise ValueError(f"its format is none of those known here; name it by --format: {names}")


def poster(content: bytes) -> Found:
    """`statuses`, as CSV, or in a plain dump."""
    text, found = _text(content), Found()
    if text.lstrip().lower().startswith(("--", "set ", "copy ", "insert ", "pg", "select ")):
        lines = list(from_dump(text, {"statuses": _STATUSES, "mastodon_clients": _CLIENTS}))
    else:
        lines = list(from_csv(text, "statuses"))
    servers = {
        line.row.get("id"): host(line.row.get("domain") or "")
        for line in lines
        if line.table == "mastodon_clients" and line.row is not None
    }
    for line in lines:
        if line.table == "statuses":
            row = line.row or {}
            server = row.get("domain") or servers.get(row.get("mastodon_client_id")) or None
            pair = Known(
                identifier(row.get("masto_id")),
                x_identifier(row.get("tweet_id")),
                at=moment(row.get("created_at")),
                server=server,
            )
            _add(found, pair, line.place)
    return found


def moa(content: bytes) -> Found:
    """`mapping`, as the SQLite file itself, as CSV, or in a plain dump."""
    found = Found()
    if content.startswith(_SQLITE):
        lines: Iterable[Line] = _moa_tables(content)
    else:
        text = _text(content)
        insert = text.lstrip()[:2] in {"--", "/*"} or text.lstrip().upper().startswith("INSERT")
        defaults = {"mapping": _MAPPING}
        lines = from_dump(text, defaults) if insert else from_csv(text, "mapping")
    for line in lines:
        if line.table == "mapping":
            row = line.row or {}
            # Zero stands for nothing: what was posted to Instagram, say.
            if row and "0" in {row.get("mastodon_id"), row.get("twitter_id")}:
                found.others += 1
                continue
            pair = Known(
                identifier(row.get("mastodon_id")),
                x_identifier(row.get("twitter_id")),
                at=moment(row.get("created")),
            )
            _add(found, pair, line.place)
    return found


def _moa_tables(content: bytes) -> Iterable[Line]:
    database = sqlite3.connect(":memory:")
    try:
        # Without its log, which is of no use here: a database in memory can have none.
        database.deserialize(content[:18] + b"\x01\x01" + content[20:])
        rows = database.execute("SELECT id, mastodon_id, twitter_id, created FROM mapping")
        for row in rows.fetchall():
            values = [None if value is None else str(value) for value in row]
            yield Line(f"row {row[0]}", "mapping", dict(zip(_MAPPING, values, strict=True)))
    except sqlite3.Error as error:
        yield Line(f"the database ({error})", "mapping", None)
    finally:
        database.close()


def pleroma_bot(content: bytes) -> Found:
    """``posts.json``: servers, of each a mapping of tweets to posts; all written on X."""
    found = Found()
    for server, posts in _object(content, found).items():
        if not isinstance(posts, Mapping):
            found.unread.append(f"the entry of {server!r}")
            continue
        for tweet, post in posts.items():
            # Noted before it was posted; where that failed it was not tried again.
            pair = Known(identifier(post), x_identifier(tweet), Network.X, server=host(server))
            place = f"tweet {tweet!r} of {server!r}"
            if post == "" and pair.x is not None:
                found.pairs.append(pair)
            else:
                _add(found, pair, place)
    return found


def bluesky(content: bytes) -> Found:
    """A line of JSON for each post; what went to both networks counts."""
    found = Found()
    for number, line in enumerate(_text(content).splitlines(), 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            entry = json.loads(line)
            if "services" in entry:
                ids = {name: entry["services"][name]["id"] for name in ("mastodon", "twitter")}
                origin = entry["origin"]
            else:
                old = entry["ids"]
                ids = {
                    "mastodon": old.get("mastodon_id", old.get("mastodonId", "")),
                    "twitter": old.get("twitter_id", old.get("twitterId", "")),
                }
                origin = "bluesky"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            found.unread.append(place)
            continue
        _bluesky_pair(found, ids, str(origin), place)
    return found


def _bluesky_pair(found: Found, ids: Mapping[str, object], origin: str, place: str) -> None:
    sent = {name: value for name, value in ids.items() if not _never_sent(value)}
    if not sent:
        found.others += 1
        return
    mastodon, x = identifier(sent.get("mastodon")), x_identifier(sent.get("twitter"))
    if len([one for one in (mastodon, x) if one]) != len(sent):
        found.unread.append(place)
        return
    if mastodon is None or x is None:
        # Skipped on purpose, or still to be sent: it stands on one of the two alone.
        found.others += 1
        return
    written = {"mastodon": Network.MASTODON, "twitter": Network.X}.get(origin)
    found.pairs.append(Known(mastodon, x, written))


def _never_sent(value: object) -> bool:
    return value is None or str(value).strip().lower() in _NEVER_SENT | {""}


def mtt(content: bytes) -> Found:
    """A mapping of toots to tweets; of a thread, the last tweet."""
    found = Found()
    for toot, tweet in _object(content, found).items():
        _add(found, Known(identifier(toot), x_identifier(tweet)), f"toot {toot!r}")
    return found


FORMATS: Final[Mapping[Format, Callable[[bytes], Found]]] = {
    Format.POSTER: poster,
    Format.MOA: moa,
    Format.PLEROMA_BOT: pleroma_bot,
    Format.BLUESKY: bluesky,
    Format.MTT: mtt,
}


def _add(found: Found, pair: Known, place: str) -> None:
    if pair.mastodon is None or pair.x is None:
        found.unread.append(place)
    else:
        found.pairs.append(pair)


def _object(content: bytes, found: Found) -> Mapping[str, object]:
    try:
        entries = json.loads(_text(content))
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict):
        found.unread.append("the file, which is no JSON object")
        return {}
    return entries


def _text(content: bytes) -> str:
    """The text of a file; what is not UTF-8 becomes a mark that no id has."""
    return content.decode("utf-8-sig", "replace")
