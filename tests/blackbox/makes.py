"""How servers that speak the Mastodon API differ, make by make: from their documents and sources.

What a make is not known to do differently, it does as Mastodon does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

from tests.blackbox import snac

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def milliseconds(at: datetime) -> str:
    """As Mastodon writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def seconds(at: datetime) -> str:
    """Without fractions."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def with_offset(at: datetime) -> str:
    """In a zone of its own."""
    return at.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()


def without_zone(at: datetime) -> str:
    """In UTC, without a word about it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def number(at: datetime, count: int) -> str:
    return str((int(at.timestamp() * 1000) << 16) + count)


def small_number(_at: datetime, count: int) -> str:
    return str(1000 + count)


def ulid(at: datetime, count: int) -> str:
    return f"01{int(at.timestamp() * 1000):012X}{count:012X}"


def flake(at: datetime, count: int) -> str:
    return f"A{int(at.timestamp() * 1000):012x}{count:04x}ZqY"


def uuid7(at: datetime, count: int) -> str:
    stamp = f"{int(at.timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{count:012x}"


def aid(at: datetime, count: int) -> str:
    left, digits = int(at.timestamp() * 1000) - 946684800000, ""
    while left:
        left, place = divmod(left, 36)
        digits = ALPHABET[place] + digits
    return f"{digits}{ALPHABET[count // 36 % 36]}{ALPHABET[count % 36]}"


def digest(_at: datetime, count: int) -> str:
    return f"{(count + 7) * 0x9E3779B97F4A7C15 % 2**128:032x}"


@dataclass(frozen=True)
class Make:
    """One make of server.

    `v1` and `v2` are its instance documents (None: there is no such route). `cursors` are the
    cursors that it heeds. `media` says which routes take files, and with which answer: ``done``
    (200), ``busy`` (202 without an address, then 206), ``accepted`` (202, but done). `edits` is
    what an edit takes away that does not name it: ``all`` of the rest, or ``nothing``; ``none``
    where there are no edits. `gone` answers for a post that is no more. `boost` answers with a
    ``wrapper`` or with the ``original``. `leaves_out` are fields that its statuses never have,
    `nulls` such as are null. `limits` are the headers about its limits. `markup` makes HTML of a
    text, and `typed` is what one has to type so that a text is shown as it stands.
    """

    v1: dict[str, Any] | None
    v2: dict[str, Any] | None
    new_id: Callable[[datetime, int], str] = number
    time: Callable[[datetime], str] = milliseconds
    id_is_number: bool = False
    cursors: frozenset[str] = frozenset({"min_id", "max_id", "since_id"})
    links: bool = True
    media: Literal["done", "busy", "accepted"] = "done"
    media_v2: bool = True
    markup: Callable[[str], str] | None = None
    typed: Callable[[str], str] = str
    source: Literal["plain", "markdown", "none"] = "none"
    polls: bool = True
    edits: Literal["all", "nothing", "none"] = "nothing"
    gone: Literal["404", "410", "page"] = "404"
    boost: Literal["wrapper", "original"] = "wrapper"
    quotes: Literal["mastodon", "pleroma", "none"] = "none"
    warnings: bool = True
    application: bool = False
    needs_media: bool = False
    idempotency: Literal["replay", "refuse", "none"] = "none"
    leaves_out: frozenset[str] = frozenset()
    nulls: frozenset[str] = frozenset()
    limits: dict[str, str] = field(default_factory=dict)
    audiences: tuple[str, ...] = ()
    """Audiences of its own, beside the four of Mastodon."""
    scopes: frozenset[str] | None = None
    """The scopes that it knows; None for all. `metadata` says whether it tells them."""
    metadata: bool = False


_STOCK_FILES = {
    "supported_mime_types": ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"],
    "image_size_limit": 16777216,
    "image_matrix_limit": 33177600,
    "video_size_limit": 103809024,
    "video_frame_rate_limit": 120,
    "video_matrix_limit": 8294400,
}
_STOCK_POLLS = {
    "max_options": 4,
    "max_characters_per_option": 50,
    "min_expiration": 300,
    "max_expiration": 2629746,
}


def _configuration(characters: object, media: int = 4, **more: Any) -> dict[str, Any]:
    statuses = {
        "max_characters": characters,
        "max_media_attachments": media,
        "characters_reserved_per_url": 23,
    }
    base = {"statuses": statuses, "media_attachments": _STOCK_FILES, "polls": _STOCK_POLLS}
    return base | more


_MASTODON = {"source_url": "https://github.com/mastodon/mastodon", "domain": "home.example"}
_ISO_LIMITS = {
    "X-RateLimit-Limit": "300",
    "X-RateLimit-Remaining": "299",
    "X-RateLimit-Reset": "2031-01-01T00:00:00.123456Z",
}

MASTODON_42 = Make(
    v1={"version": "4.2.10", "configuration": _configuration(500)},
    v2=_MASTODON | {"version": "4.2.10", "configuration": _configuration(500)},
    media="busy", source="plain", edits="all", application=True, idempotency="replay",
    limits=_ISO_LIMITS,
)  # fmt: skip
MASTODON_46 = Make(
    v1={"version": "4.6.1", "configuration": _configuration(500)},
    v2=_MASTODON
    | {
        "version": "4.6.1",
        "api_versions": {"mastodon": 10},
        "configuration": _configuration(500)
        | {"media_attachments": _STOCK_FILES | {"description_limit": 1500}},
    },
    media="busy", source="plain", edits="all", application=True, idempotency="replay",
    quotes="mastodon", metadata=True, limits=_ISO_LIMITS,
)  # fmt: skip
GOTOSOCIAL = Make(
    v1={"version": "0.20.1+git-7c8b3f2", "configuration": _configuration(5000, 6, accounts={})},
    v2={
        "version": "0.20.1+git-7c8b3f2",
        "source_url": "https://codeberg.org/superseriousbusiness/gotosocial",
        "configuration": _configuration(
            5000,
            6,
            accounts={"allow_custom_css": False},
            media_attachments=_STOCK_FILES | {"description_limit": 5000, "description_minimum": 0},
        ),
    },
    new_id=ulid, source="markdown", edits="all", application=True,
    audiences=("mutuals_only",), limits=_ISO_LIMITS | {"X-RateLimit-Reset": "1924992000"},
)  # fmt: skip
PLEROMA = Make(
    v1={
        "version": "2.7.2 (compatible; Akkoma 3.13.3-0-g12345678)",
        "max_toot_chars": 5000,
        "poll_limits": {
            "max_options": 20, "max_option_chars": 200, "min_expiration": 0,
            "max_expiration": 31536000,
        },
        "upload_limit": 16000000,
        "description_limit": 5000,
        "pleroma": {"metadata": {"features": ["pleroma_api", "quote_posting"]}},
    },
    v2=None,
    new_id=flake, media="accepted", quotes="pleroma", audiences=("local", "list"),
    nulls=frozenset({"application", "language", "card"}),
    leaves_out=frozenset({"sensitive"}),
)  # fmt: skip
FRIENDICA = Make(
    v1={"version": "2.8.0 (compatible; Friendica 2024.12)", "max_toot_chars": 200000},
    v2={
        "version": "2.8.0 (compatible; Friendica 2024.12)",
        "source_url": "https://git.friendi.ca/friendica/friendica",
        "configuration": _configuration(200000) | {"polls": {"max_options": 0}},
    },
    new_id=small_number, time=seconds, boost="original", polls=False, gone="page",
    nulls=frozenset({"language", "card"}),
)  # fmt: skip
PIXELFED = Make(
    v1={
        "version": "3.5.3 (compatible; Pixelfed 0.12.4)",
        "configuration": _configuration(500, 10),
    },
    v2={
        "version": "3.5.3 (compatible; Pixelfed 0.12.4)",
        "source_url": "https://github.com/pixelfed/pixelfed",
        "configuration": _configuration(500, 10),
    },
    media="busy", polls=False, needs_media=True, idempotency="refuse", edits="nothing",
    id_is_number=False, time=with_offset, warnings=True,
    scopes=frozenset({"read", "write", "follow", "push", "admin:read", "admin:write"}),
    leaves_out=frozenset({"poll"}),
)  # fmt: skip
SHARKEY = Make(
    v1={
        "version": "4.2.1 (compatible; Sharkey 2025.4.2)",
        "configuration": _configuration(3000, 16)
        | {"statuses": {
            "max_characters": 3000, "max_media_attachments": 16,
            "characters_reserved_per_url": 17,
            "supported_mime_types": ["text/x.misskeymarkdown"],
        }},
    },
    v2={
        "version": "4.2.1 (compatible; Sharkey 2025.4.2)",
        "source_url": "https://activitypub.software/TransFem-org/Sharkey",
        "configuration": _configuration("3000", 16)
        | {"statuses": {"max_characters": "3000", "characters_reserved_per_url": 0}},
    },
    new_id=aid, quotes="pleroma", edits="all", links=False, gone="404",
    nulls=frozenset({"application", "language"}),
)  # fmt: skip
MITRA = Make(
    v1={"version": "4.0.0 (compatible; Mitra 4.2.0)", "configuration": _configuration(5000, 16)},
    v2={"version": "4.0.0 (compatible; Mitra 4.2.0)", "configuration": _configuration(5000, 16)},
    new_id=uuid7, time=without_zone, media_v2=False, gone="410",
    audiences=("subscribers", "conversation"),
    leaves_out=frozenset({"language", "application", "card"}),
)  # fmt: skip
TAKAHE = Make(
    v1={"version": "takahe/0.11.0", "configuration": _configuration(500)},
    v2={"version": "takahe/0.11.0", "configuration": _configuration(500)},
    id_is_number=False, time=seconds, polls=False, edits="all",
    limits={"X-RateLimit-Reset": "soon", "X-RateLimit-Remaining": "many"},
)  # fmt: skip
SNAC = Make(
    v1={
        "version": "4.0.0 (not true; really snac/2.80)",
        "configuration": {
            "statuses": {
                "max_characters": 100000, "max_media_attachments": 8,
                "characters_reserved_per_url": 32,
            },
            "media_attachments": {"image_size_limit": 10485760},
            "polls": {"max_options": 8},
        },
    },
    v2=None,
    new_id=digest, time=seconds, cursors=frozenset({"max_id"}), links=False, polls=False,
    boost="original", edits="nothing", source="plain",
    leaves_out=frozenset({"language", "poll"}),
    markup=snac.marked_up, typed=snac.typed,
)  # fmt: skip
NUMBERED = Make(
    v1=None,
    v2={"version": "1.0 (compatible; Homemade 3)", "configuration": _configuration(None)},
    new_id=small_number, id_is_number=True, time=without_zone, edits="none", gone="410",
    cursors=frozenset({"max_id"}), warnings=False, media_v2=False, polls=False,
    leaves_out=frozenset({"visibility", "spoiler_text", "media_attachments", "mentions", "url"}),
    limits={"X-RateLimit-Reset": "-1", "Retry-After": "never", "Date": "yesterday"},
)  # fmt: skip
"""A server that says as little as it can: posts of it must not cross, for nobody knows for whom."""

MAKES = {
    "mastodon-4-2": MASTODON_42,
    "mastodon-4-6": MASTODON_46,
    "gotosocial": GOTOSOCIAL,
    "pleroma": PLEROMA,
    "friendica": FRIENDICA,
    "pixelfed": PIXELFED,
    "sharkey": SHARKEY,
    "mitra": MITRA,
    "takahe": TAKAHE,
    "snac": SNAC,
    "numbered": NUMBERED,
}
