"""The media of one part: fetched before it is claimed, handed over right before it is sent.

What the target network has taken in is remembered at once and used again, also by a later process,
as long as it lives. A refusal that is not about one file closes the gate of uploads: parts with
media wait then, and those without go on. Must not decide what becomes of a part whose media cannot
be had, and leaves no file behind.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from bridge.core.capabilities import FileLimits, MediaLimits
from bridge.core.delivery import MAX_ATTEMPTS
from bridge.core.draft import DraftMedia
from bridge.core.errors import (
    DiskFull,
    InDoubt,
    MediaError,
    NetworkError,
    NoUploads,
    Refused,
    Transient,
    Unauthorised,
    Unpaid,
)
from bridge.core.model import MediaId
from bridge.core.record import KnownUpload, PartKey, PartRecord, media_names
from bridge.engine.gate import Gate
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import LocalMedia, Uploaded

log = logging.getLogger(__name__)

LIFE = timedelta(hours=12)
"""How long an upload is used again where the network does not say when it is gone."""

MARGIN = timedelta(minutes=5)
"""How long before its end an upload is taken for gone: it has to live until it is attached."""


ALIKE = 3
"""So many files refused in a row, in the same words, are the server's doing and not the files'."""

SMALLER = 900_000
"""Bytes. The usual bound of a proxy that nobody has configured is 1 MiB."""


class MediaMissing(Exception):
    """One medium of a part cannot be had, or not be handed over. `place` counts from 0."""

    def __init__(self, place: int, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.place = place
        self.why = why
        self.lasting = lasting


class MediaWaits(Exception):
    """Nothing can be uploaded for now, which is no fault of a file: ask again at `until`."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(why)
        self.until = until
        self.why = why


@dataclass(frozen=True, slots=True)
class Load:
    """What a part carries: ids of what the network has, files of the rest, in order of the part.

    `limits` are those that the files were fitted to.
    """

    names: tuple[str, ...] = ()
    known: Mapping[str, MediaId] | None = None
    files: Mapping[str, LocalMedia] | None = None
    limits: MediaLimits = field(default_factory=MediaLimits)

    @property
    def is_there(self) -> bool:
        """Whether nothing is left to be handed over."""
        return not self.files

    @property
    def ids(self) -> tuple[MediaId, ...]:
        """What the network has, in order."""
        known = self.known or {}
        return tuple(known[name] for name in self.names if name in known)


@dataclass(frozen=True, slots=True)
class Handed:
    """The ids to publish with, in order, and what was changed on the way."""

    ids: tuple[MediaId, ...] = ()
    notes: tuple[str, ...] = ()


class Luggage:
    """The media of the parts of one route. `gate` is that of uploading."""

    def __init__(self, plan: RoutePlan, bench: Bench, gate: Gate) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = gate
        self._alike: tuple[str, frozenset[str]] = ("", frozenset())
        """The words of the last refusal of a file, and the names of all that met it in a row."""

    async def load(self, record: PartRecord) -> Load:
        """Fetch what the target network does not have yet. To be followed by `discard`.

        Raises `MediaMissing`, `MediaWaits`, and `NetworkError` where the target does not say what
        it takes.
        """
        if not record.part.media:
            return Load()
        names = media_names(record.part)
        known = await self._alive(record.key)
        limits = (await self._plan.target.capabilities()).media
        files: dict[str, LocalMedia] = {}
        try:
            for place, (name, medium) in enumerate(zip(names, record.part.media, strict=True)):
                if name not in known:
                    files[name] = await self._fetched(record, place, medium, limits)
        except BaseException:
            await self.discard(Load(names, known, files))
            raise
        return Load(names, known, files, limits)

    async def require_way(self, record: PartRecord) -> None:
        """Raise `MediaWaits` where `record` has media that cannot be uploaded for now."""
        closed = self._gate.closed
        if closed is None or self._gate.is_open() or not record.part.media:
            return
        known = await self._alive(record.key)
        if not known.keys() >= set(media_names(record.part)):
            raise MediaWaits(self._gate.reopens_at() or closed.until, str(closed.error))

    async def _fetched(
        self, record: PartRecord, place: int, medium: DraftMedia, limits: MediaLimits
    ) -> LocalMedia:
        store = self._bench.media
        if store is None:
            raise MediaMissing(place, "this process carries no media", lasting=False)
        try:
            fetched = await store.fetch(medium, limits)
        except DiskFull as error:
            raise self._nothing_goes(NoUploads(str(error))) from None
        except MediaError as error:
            raise MediaMissing(place, str(error), lasting=error.lasting) from None
        except Exception as error:  # a fault of ours concerns this medium alone
            log.exception("fetching medium %d of %s broke off", place, record.key.source)
            why = f"fetching it broke off: {type(error).__name__}"
            raise MediaMissing(place, why, lasting=False) from None
        return replace(fetched, alt=medium.alt, sensitive=record.part.sensitive)

    async def hand_over(self, record: PartRecord, load: Load) -> Handed:
        """Upload what is not there, one after the other, each noted right after its answer.

        Raises `MediaMissing` for what the network will never take, `MediaWaits` where it takes
        nothing, and `NetworkError`, but never `InDoubt`: what was uploaded and is not known of is
        seen by nobody.
        """
        ids = dict(load.known or {})
        notes: list[str] = []
        for place, name in enumerate(load.names):
            local = (load.files or {}).get(name)
            if local is None:
                continue
            local, uploaded = await self._taken(record, place, local, load.limits)
            now = self._bench.clock.now()
            upload = KnownUpload(name, uploaded.id, now, uploaded.expires_at)
            await self._bench.ledger.note_upload(
                record.key, upload, uploaded.cost, described=uploaded.described
            )
            ids[name] = uploaded.id
            notes += [_note(record, place, note) for note in (local.note, uploaded.note) if note]
        return Handed(tuple(ids[name] for name in load.names), tuple(notes))

    async def _taken(
        self, record: PartRecord, place: int, local: LocalMedia, limits: MediaLimits
    ) -> tuple[LocalMedia, Uploaded]:
        """A file that the network took, `local` or else one made to fit better, and its upload."""
        try:
            try:
                uploaded = await self._uploaded(record, place, local)
            except (Refused, NoUploads) as error:
                other = await self._fitted_anew(record, place, local, limits, error)
                if other is None:
                    raise
                try:
                    uploaded = await self._uploaded(record, place, other)
                finally:
                    await self._discard(other)
                local = other
        except Refused as error:
            self._refused(record, place, error)
            raise MediaMissing(place, str(error), lasting=True) from None
        except NoUploads as error:
            if record.attempts >= MAX_ATTEMPTS:
                raise MediaMissing(place, str(error), lasting=True) from None
            raise self._nothing_goes(error) from None
        except Unpaid:
            raise
        except Unauthorised as error:
            raise MediaWaits(self._gate.failed(error), str(error)) from None
        self._alike = ("", frozenset())
        self._gate.worked()
        return local, uploaded

    async def _uploaded(self, record: PartRecord, place: int, local: LocalMedia) -> Uploaded:
        try:
            return await self._plan.target.upload(local)
        except InDoubt as error:
            raise Transient(error.detail, status=error.status) from None
        except NetworkError:
            raise
        except Exception as error:
            log.exception("uploading medium %d of %s broke off", place, record.key.source)
            raise Transient(f"uploading broke off: {type(error).__name__}") from None

    async def _fitted_anew(
        self,
        record: PartRecord,
        place: int,
        local: LocalMedia,
        limits: MediaLimits,
        error: NetworkError,
    ) -> LocalMedia | None:
        """The refused file as another one that may be taken: smaller, or by the limits of today.

        None where there is no such, or where the same would be sent again.
        """
        if error.status is None:
            return None
        today = (await self._plan.target.capabilities(afresh=True)).media
        too_large = error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if too_large:
            today = _bounded(today, min(SMALLER, local.size // 2))
        elif today == limits:
            return None
        try:
            other = await self._fetched(record, place, record.part.media[place], today)
        except MediaMissing:
            return None
        if other.kind is local.kind and (other.size < local.size or not too_large):
            return other
        await self._discard(other)
        return None

    def _refused(self, record: PartRecord, place: int, error: Refused) -> None:
        """Count what was refused alike. Raises `MediaWaits` where no one file can be at fault."""
        if error.status is None:
            return
        words = re.sub(r"\d+", "0", str(error))
        before, names = self._alike
        name = media_names(record.part)[place]
        names = names | {name} if words == before else frozenset({name})
        self._alike = (words, names)
        if len(names) >= ALIKE and record.attempts < MAX_ATTEMPTS:
            detail = f"{len(names)} files in a row were refused alike, the last with {error}"
            raise self._nothing_goes(NoUploads(detail, status=error.status))

    def _nothing_goes(self, error: NoUploads) -> MediaWaits:
        """Close the gate. This part waits for longer, so that another one's file is tried first."""
        until = self._gate.failed(error)
        return MediaWaits(until + (until - self._bench.clock.now()), str(error))

    async def discard(self, load: Load) -> None:
        """Delete every file of `load`."""
        for local in (load.files or {}).values():
            await self._discard(local)

    async def _discard(self, local: LocalMedia) -> None:
        if self._bench.media is not None:
            await self._bench.media.discard(local)

    async def _alive(self, key: PartKey) -> dict[str, MediaId]:
        now = self._bench.clock.now()
        uploads = await self._bench.ledger.uploads(key)
        return {upload.what: upload.id for upload in uploads if is_alive(upload, now)}


def is_alive(upload: KnownUpload, now: datetime) -> bool:
    """Whether an upload can still be attached, or is. Those from the future are not trusted."""
    if upload.attached:
        return True
    end = upload.at + LIFE if upload.expires_at is None else upload.expires_at
    return upload.at <= now < end - MARGIN


def _bounded(limits: MediaLimits, most: int) -> MediaLimits:
    """`limits` with no file above `most` bytes."""

    def lower(one: FileLimits) -> FileLimits:
        return replace(one, max_bytes=min(most, most if one.max_bytes is None else one.max_bytes))

    return MediaLimits(
        image=lower(limits.image),
        animation=lower(limits.animation),
        video=lower(limits.video),
        audio=lower(limits.audio),
    )


def word(record: PartRecord, place: int) -> str:
    """A medium of a part, for people: ``image 2 of part 1``."""
    kind = record.part.media[place].kind.value
    return f"{kind} {place + 1} of part {record.key.index + 1}"


def _note(record: PartRecord, place: int, note: str) -> str:
    return f"{word(record, place)}: {note}"
