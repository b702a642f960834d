"""What a server says about itself, read into capabilities and a few facts about its kind.

Every figure may be missing or absurd; what is not stated is assumed on the safe side. Pure: must
not ask the server anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from bridge.core.capabilities import FOREVER, Capabilities
from bridge.core.model import Network
from bridge.networks.fields import list_at, mapping_at, number_at, text_at
from bridge.networks.mastodon.attachments import ASSUMED_MEDIA, media_limits, poll_limits

MAX_LENGTH = 500
MAX_MEDIA = 4
MAX_ALT_LENGTH = 1500

_STOCK_URL_LENGTH = 23
_LENGTHS = range(20, 1_000_001)
_URLS = range(1, 1025)
_MEDIA = range(1, 65)
_ALT_LENGTHS = range(50, 100_001)

_QUOTES_FROM = 7
"""Mastodon 4.5."""

_QUOTE_POSTING = "quote_posting"
"""By this name Pleroma and Akkoma tell that they quote; they have no version of Mastodon's API."""

_POLLS_WITH_MEDIA_FROM = 10
"""Mastodon 4.6."""

_DELETES_MEDIA_FROM = 7
_FIRST_EDITING = (3, 5)

_PLAIN_VERSION = re.compile(r"[1-9]\d*\.\d+\.\d+(?:[-+.~].*)?")
_MASTODON_SOURCES = re.compile("mastodon|hometown|glitch", re.IGNORECASE)
_WITH_CONTENT_TYPES = re.compile(r"\+glitch\b", re.IGNORECASE)
_IS_SNAC = re.compile(r"\bsnac/", re.IGNORECASE)
_HOST_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")
_PRINTABLE = re.compile(r"[!-~]{1,60}")
_NAME = re.compile(
    r"(?:\((?:compatible;|[a-z ]+; really) ?|\A)([A-Za-z]{2,30}[ /][!-'*-~]{1,40})(?:\)|\Z)"
)
"""``(compatible; Pixelfed 0.12.4)``, ``(not true; really snac/2.80)``, or ``takahe/0.11.0``."""

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_STREAMING_PATH = "/api/v1/streaming"


class Software(StrEnum):
    """The makes of server whose differences matter here; the values are counting rules."""

    MASTODON = "mastodon"
    """Mastodon and its forks."""
    GOTOSOCIAL = "gotosocial"
    PLEROMA = "pleroma"
    """Pleroma and Akkoma."""
    UNKNOWN = "unknown"


_NAMES = {
    Software.MASTODON: "Mastodon",
    Software.GOTOSOCIAL: "GoToSocial",
    Software.PLEROMA: "Pleroma",
}


@dataclass(frozen=True, slots=True)
class Instance:
    """One server. `streaming` is the address it names for streaming, None where it names none.

    `least_alt` is how many characters an alt text must have, 0 where none is asked for.
    `deletes_media` says that a deletion can take the files with it at once. `names_plain` says that
    plain text has to be called that where the account writes Markdown by default. `reads_markup`
    says that every text is taken for markup, whatever it is called. `called` is its name for
    people, with its version: ``Pixelfed 0.12.4``. `domain` is what stands in its handles where that
    is another name than the server's own, None where it does not say.
    """

    software: Software = Software.UNKNOWN
    streaming: str | None = None
    least_alt: int = 0
    deletes_media: bool = False
    names_plain: bool = False
    reads_markup: bool = False
    called: str = "a make of its own"
    domain: str | None = None
    capabilities: Capabilities = field(
        default=Capabilities(
            network=Network.MASTODON,
            counting="unknown",
            max_length=MAX_LENGTH - 1,
            max_media=MAX_MEDIA,
            max_alt_length=MAX_ALT_LENGTH,
            spoiler=True,
            language=True,
            media=ASSUMED_MEDIA,
            edit_within=FOREVER,
            free_edits=True,
        )
    )

    @property
    def sources_are_plain(self) -> bool:
        """Whether ``/source`` gives plain text as typed; elsewhere it may be Markdown or wrong."""
        return self.software is Software.MASTODON

    @property
    def keeps_threads(self) -> bool:
        """Whether `exclude_replies` spares replies to oneself; elsewhere threads may go, too."""
        return self.software in {Software.MASTODON, Software.GOTOSOCIAL}

    @property
    def pages_forward(self) -> bool:
        """Whether ids sort by time here, so that `min_id` can be taken at its word."""
        return self.software is not Software.UNKNOWN


def read_instance(said: Mapping[str, object]) -> Instance:
    """An instance document of version 1 or 2 of the API. Never raises."""
    configuration = mapping_at(said, "configuration")
    software = software_of(said)
    return Instance(
        software=software,
        streaming=_streaming(said, configuration),
        least_alt=number_at(mapping_at(configuration, "media_attachments"), "description_minimum")
        or 0,
        deletes_media=api_version(said) >= _DELETES_MEDIA_FROM,
        names_plain=software in {Software.GOTOSOCIAL, Software.PLEROMA}
        or _WITH_CONTENT_TYPES.search(text_at(said, "version")) is not None,
        reads_markup=_IS_SNAC.search(text_at(said, "version")) is not None,
        called=called(said, software),
        domain=_domain(said),
        capabilities=_capabilities(said, configuration, software),
    )


def software_of(said: Mapping[str, object]) -> Software:
    """The make of a server. Whatever does not look like a known one through and through is unknown.

    A version alone proves little: others state one of Mastodon's for the sake of old clients.
    """
    version = text_at(said, "version").strip().lower()
    source = text_at(said, "source_url").lower()
    configuration = mapping_at(said, "configuration")
    if "gotosocial" in version or "gotosocial" in source:
        return Software.GOTOSOCIAL
    if re.search(r"\((?:compatible; )?(?:pleroma|akkoma)\b", version):
        return Software.PLEROMA
    if "pleroma" in said and "(" not in version:
        return Software.PLEROMA
    if re.fullmatch(r"0\.\d+\.\d+(?:-\w+)?\+git-[0-9a-f]+", version) and "accounts" in (
        configuration
    ):
        return Software.GOTOSOCIAL
    statuses = mapping_at(configuration, "statuses")
    reserved = number_at(statuses, "characters_reserved_per_url")
    plain = _PLAIN_VERSION.fullmatch(version) is not None and "(" not in version
    own = not source or _MASTODON_SOURCES.search(source) is not None
    if plain and own and reserved in {None, _STOCK_URL_LENGTH}:
        return Software.MASTODON
    return Software.UNKNOWN


def called(said: Mapping[str, object], software: Software) -> str:
    """What a server calls itself, for people; else its make, as far as that is known."""
    version = text_at(said, "version").strip()
    named = _NAME.search(version)
    if named is not None:
        return named[1].replace("/", " ")
    known = _NAMES.get(software, "")
    return f"{known} {version}" if known and _PRINTABLE.fullmatch(version) else "a make of its own"


def _domain(said: Mapping[str, object]) -> str | None:
    """The name in the server's handles; GoToSocial has one more word for it."""
    for key in ("account_domain", "domain"):
        name = text_at(said, key).strip().lower()
        if _HOST_NAME.fullmatch(name):
            return name
    return None


def api_version(said: Mapping[str, object]) -> int:
    """The version of Mastodon's API that a server states, 0 where it states none."""
    return number_at(mapping_at(said, "api_versions"), "mastodon") or 0


def _capabilities(
    said: Mapping[str, object], configuration: Mapping[str, object], software: Software
) -> Capabilities:
    statuses = mapping_at(configuration, "statuses")
    attachments = {**_older_limits(said), **mapping_at(configuration, "media_attachments")}
    length = _within(
        _LENGTHS,
        MAX_LENGTH,
        number_at(statuses, "max_characters"),
        number_at(said, "max_toot_chars"),
        number_at(said, "max_post_chars"),
    )
    if software in {Software.UNKNOWN, Software.PLEROMA}:
        # Some take only what is strictly shorter than the limit they state.
        length -= 1
    version = api_version(said)
    return Capabilities(
        network=Network.MASTODON,
        counting=software.value,
        max_length=length,
        link_length=max(
            _STOCK_URL_LENGTH,
            _within(_URLS, _STOCK_URL_LENGTH, number_at(statuses, "characters_reserved_per_url")),
        ),
        max_media=_within(_MEDIA, MAX_MEDIA, number_at(statuses, "max_media_attachments")),
        max_alt_length=_within(
            _ALT_LENGTHS, MAX_ALT_LENGTH, number_at(attachments, "description_limit")
        ),
        spoiler=True,
        language=True,
        media=media_limits(attachments),
        polls=poll_limits(
            mapping_at(configuration, "polls") or mapping_at(said, "poll_limits"),
            stock=software is Software.MASTODON,
            with_media=version >= _POLLS_WITH_MEDIA_FROM,
        ),
        quotes=version >= _QUOTES_FROM or _QUOTE_POSTING in _features(said),
        edit_within=FOREVER if _may_edit(said, software) else None,
        free_edits=True,
    )


def _older_limits(said: Mapping[str, object]) -> Mapping[str, object]:
    """What Pleroma and its like state about files, beside the document that Mastodon has for it."""
    size = number_at(said, "upload_limit")
    described = number_at(said, "description_limit")
    named = {"image_size_limit": size, "video_size_limit": size, "description_limit": described}
    return {name: figure for name, figure in named.items() if figure is not None}


def _features(said: Mapping[str, object]) -> tuple[object, ...]:
    """What Pleroma and its like say that they can do."""
    return list_at(mapping_at(mapping_at(said, "pleroma"), "metadata"), "features")


def _may_edit(said: Mapping[str, object], software: Software) -> bool:
    """Whether editing is worth a try: everywhere but on Mastodon before 3.5."""
    if software is not Software.MASTODON:
        return True
    major, minor = text_at(said, "version").strip().split(".")[:2]
    return (int(major), int(minor)) >= _FIRST_EDITING


def _within(sensible: range, otherwise: int, *stated: int | None) -> int:
    """The first figure that makes sense."""
    found = (figure for figure in stated if figure is not None and figure in sensible)
    return next(found, otherwise)


def _streaming(said: Mapping[str, object], configuration: Mapping[str, object]) -> str | None:
    return text_at(mapping_at(configuration, "urls"), "streaming").strip() or (
        text_at(mapping_at(said, "urls"), "streaming_api").strip() or None
    )


def streaming_base(base: str, named: str | None) -> str | None:
    """Where to stream from, as an http(s) address without the API's path; None for nowhere safe.

    `base` is the server's own address, `named` what its instance document says. The token must
    not travel in the clear: only a server that is itself spoken to so, or the machine itself, may
    name an unencrypted address.
    """
    if named is None:
        return base
    try:
        address = urlsplit(named if "://" in named else f"wss://{named}")
        host, port, credentials = address.hostname, address.port, address.username
    except ValueError:
        return base
    scheme = {"ws": "http", "wss": "https"}.get(address.scheme, address.scheme)
    if scheme not in {"http", "https"} or not host or credentials is not None:
        return base
    if scheme == "http" and urlsplit(base).scheme != "http" and host not in _LOOPBACK:
        return None
    where = f"[{host}]" if ":" in host else host
    path = address.path.rstrip("/").removesuffix(_STREAMING_PATH)
    return f"{scheme}://{where}{f':{port}' if port else ''}{path}"
