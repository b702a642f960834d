"""Media of the X sandbox: uploads in segments, processing, expiry, and the files themselves.

Sizes and lifetimes: docs.x.com, media best practices, autumn 2026. Must not know HTTP.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge.sandbox.x.files import FileFacts, facts, recognised

LIFETIME = timedelta(seconds=86_400)
"""How long an upload may wait for its post."""
MAX_KEPT_BYTES = 256 * 1024 * 1024
"""All files together; beyond, the oldest are forgotten, and only their figures stay."""
MAX_MEDIA = 50_000
MAX_SEGMENT = 5 * 1024 * 1024

_MEGABYTE = 1024 * 1024
LARGEST = {"photo": 5 * _MEGABYTE, "animated_gif": 15 * _MEGABYTE, "video": 8192 * _MEGABYTE}
CATEGORIES = {
    "tweet_image": "photo",
    "tweet_gif": "animated_gif",
    "tweet_video": "video",
    "amplify_video": "video",
}
TYPES = {
    "photo": {
        "image/jpeg",
        "image/pjpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "image/bmp",
        "image/tiff",
    },
    "animated_gif": {"image/gif"},
    "video": {"video/mp4", "video/quicktime", "video/webm", "video/mp2t"},
}
SHORTEST_VIDEO_MS = 500
_WIDEST_GIF, _HIGHEST_GIF = 1280, 1080
_MOST_GIF_FRAMES = 350
_MOST_GIF_PIXELS = 300_000_000
"""Of all frames together."""
_KEY_PREFIX = {"photo": "3", "animated_gif": "16", "video": "13"}


@dataclass(frozen=True, slots=True)
class XFile:
    """A file that a person attaches; what kind it is, its first bytes say.

    `animation` makes a video what X makes of a GIF: a soundless loop. `sensitive` is the author's
    own warning.
    """

    content: bytes
    alt_text: str = ""
    animation: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Medium:
    """A complete file. `kind` is ``photo``, ``animated_gif`` or ``video``; `id` is digits."""

    id: str
    owner: str
    kind: str
    mime_type: str
    size: int
    width: int
    height: int
    uploaded_at: datetime
    ready_at: datetime
    failed: bool = False
    alt_text: str = ""
    duration_ms: int = 0
    sensitive: bool = False

    @property
    def key(self) -> str:
        """The name under which posts carry it."""
        return f"{_KEY_PREFIX[self.kind]}_{self.id}"

    @property
    def asynchronous(self) -> bool:
        """Whether X processes it after the upload."""
        return self.kind != "photo"

    def state(self, now: datetime) -> str:
        """``pending``, ``in_progress``, ``failed`` or ``succeeded``."""
        if now >= self.ready_at:
            return "failed" if self.failed else "succeeded"
        half = self.uploaded_at + (self.ready_at - self.uploaded_at) / 2
        return "in_progress" if now >= half else "pending"


@dataclass(slots=True)
class Upload:
    """An upload under way."""

    id: str
    owner: str
    kind: str
    mime_type: str
    total: int
    started_at: datetime
    segments: dict[int, bytes] = field(default_factory=dict)


class Uploads:
    """Every upload and every medium. Ids come from `new_id`.

    `processing_seconds` is how long, in sandbox time, a video or GIF is processed;
    `processing_fails` makes it fail in the end.
    """

    def __init__(self, new_id: Callable[[datetime], str]) -> None:
        self._new_id = new_id
        self._uploads: OrderedDict[str, Upload] = OrderedDict()
        self._media: dict[str, Medium] = {}
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._kept = 0
        self.processing_seconds = 1.0
        self.processing_fails = False

    def reset(self) -> None:
        """Forget every upload and medium."""
        self._uploads.clear()
        self._media.clear()
        self._files.clear()
        self._kept = 0

    def begin(self, owner: str, kind: str, mime_type: str, total: int, now: datetime) -> Upload:
        """Start an upload in segments."""
        upload = Upload(self._new_id(now), owner, kind, mime_type, total, now)
        self._uploads[upload.id] = upload
        self._count(0)
        return upload

    def find_upload(self, media_id: str, owner: str, now: datetime) -> Upload | None:
        """The living upload of that id, if it is `owner`'s."""
        upload = self._uploads.get(media_id)
        if upload is None or upload.owner != owner or now >= upload.started_at + LIFETIME:
            return None
        return upload

    def append(self, upload: Upload, index: int, segment: bytes) -> None:
        """Keep one segment; sent twice, the later one counts."""
        before = upload.segments.get(index, b"")
        upload.segments[index] = segment
        self._count(len(segment) - len(before))

    def complete(self, upload: Upload, now: datetime) -> Medium:
        """Join the segments. Raises `ValueError` with the reason where the file is not whole."""
        if sorted(upload.segments) != list(range(len(upload.segments))) or not upload.segments:
            raise ValueError("Segments do not add up to provided total file size.")
        content = b"".join(upload.segments[index] for index in sorted(upload.segments))
        if len(content) != upload.total:
            raise ValueError("Segments do not add up to provided total file size.")
        medium = self.add(
            upload.owner, upload.kind, content, now, media_id=upload.id, declared=upload.mime_type
        )
        del self._uploads[upload.id]
        self._count(-len(content))
        return medium

    def add(
        self,
        owner: str,
        kind: str,
        content: bytes,
        now: datetime,
        *,
        media_id: str = "",
        declared: str = "",
        about: XFile | None = None,
    ) -> Medium:
        """Keep a whole file. Raises `ValueError` where it is too large or not what it claims.

        `about` is what a person said of it in X's own app, which plays as GIFs what it has made
        videos of.
        """
        if len(content) > LARGEST[kind]:
            raise ValueError("File size exceeds the limit for this media category.")
        said = facts(content)
        mime_type = said.type
        played = about is not None and about.animation and mime_type == "video/mp4"
        if mime_type not in TYPES[kind] and not played:
            raise ValueError("The type of this media is not recognized or not supported.")
        if declared and mime_type != declared.replace("pjpeg", "jpeg"):
            raise ValueError("The file is not of the declared media type.")
        _check_animation(kind, said)
        too_short = kind == "video" and 0 < said.duration_ms < SHORTEST_VIDEO_MS
        busy = 0.0 if kind == "photo" else self.processing_seconds
        medium = Medium(
            media_id or self._new_id(now),
            owner,
            kind,
            mime_type,
            len(content),
            said.width,
            said.height,
            now,
            now + timedelta(seconds=busy),
            failed=(self.processing_fails and kind != "photo") or too_short,
            alt_text=about.alt_text if about else "",
            duration_ms=said.duration_ms,
            sensitive=about is not None and about.sensitive,
        )
        self._media[medium.id] = medium
        if len(self._media) > MAX_MEDIA:
            del self._media[next(iter(self._media))]
        self._files[medium.key] = content
        self._count(len(content))
        return medium

    def describe(
        self, medium: Medium, *, alt_text: str | None = None, sensitive: bool | None = None
    ) -> None:
        """Attach an alternative text or a warning; posts made before keep what they had."""
        if alt_text is not None:
            medium = replace(medium, alt_text=alt_text)
        if sensitive is not None:
            medium = replace(medium, sensitive=sensitive)
        self._media[medium.id] = medium

    def find(self, media_id: str, owner: str, now: datetime) -> Medium | None:
        """The medium of that id, if it is `owner`'s and its day is not over."""
        medium = self._media.get(media_id)
        if medium is None or medium.owner != owner or now >= medium.uploaded_at + LIFETIME:
            return None
        return medium

    def file(self, key: str) -> tuple[str, bytes] | None:
        """MIME type and content of a medium, while it is kept."""
        content = self._files.get(key)
        return None if content is None else (recognised(content), content)

    def _count(self, change: int) -> None:
        self._kept += change
        while self._kept > MAX_KEPT_BYTES and len(self._files) > 1:
            self._kept -= len(self._files.popitem(last=False)[1])
        while len(self._uploads) > 1 and self._kept > MAX_KEPT_BYTES:
            _, upload = self._uploads.popitem(last=False)
            self._kept -= sum(map(len, upload.segments.values()))


def _check_animation(kind: str, said: FileFacts) -> None:
    if kind != "animated_gif" or said.type != "image/gif":
        return
    pixels = said.width * said.height * said.frames
    if said.width > _WIDEST_GIF or said.height > _HIGHEST_GIF:
        raise ValueError("Gif dimensions exceed 1280x1080 pixels.")
    if said.frames > _MOST_GIF_FRAMES or pixels > _MOST_GIF_PIXELS:
        raise ValueError("Gif has too many frames.")
