"""The media of one part: fetched before it is claimed, handed over right before it is sent.

What the target network has taken in is remembered at once and used again, also by a later process,
as long as it lives. Must not decide what becomes of a part whose media cannot be had, and leaves no
file behind.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.core.capabilities import MediaLimits
from bridge.core.draft import DraftMedia
from bridge.core.errors import InDoubt, MediaError, NetworkError, Refused, Transient
from bridge.core.model import MediaId
from bridge.core.record import KnownUpload, PartKey, PartRecord, media_names
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import LocalMedia

log = logging.getLogger(__name__)

LIFE = timedelta(hours=12)
"""How long an upload is used again where the network does not say when it is gone."""

MARGIN = timedelta(minutes=5)
"""How long before its end an upload is taken for gone: it has to live until it is attached."""


class MediaMissing(Exception):
    """One medium of a part cannot be had, or not be handed over. `place` counts from 0."""

    def __init__(self, place: int, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.place = place
        self.why = why
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class Load:
    """What a part carries: ids of what the network has, files of the rest, in order of the part."""

    names: tuple[str, ...] = ()
    known: Mapping[str, MediaId] | None = None
    files: Mapping[str, LocalMedia] | None = None

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
    """The media of the parts of one route."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._plan = plan
        self._bench = bench

    async def load(self, record: PartRecord) -> Load:
        """Fetch what the target network does not have yet. To be followed by `discard`.

        Raises `MediaMissing`, and `NetworkError` where the target does not say what it takes.
        """
        if not record.part.media:
            return Load()
        names = media_names(record.part)
        known = await self._alive(record.key)
        limits = (await self._plan.target.capabilities()).media
        files: dict[str, LocalMedia] = {}
        try:
            for place, (name, medium) in enumerate(zip(names, record.part.media, strict=True)):
                if name in known:
                    continue
                fetched = await self._fetched(record, place, medium, limits)
                files[name] = replace(fetched, alt=medium.alt, sensitive=record.part.sensitive)
        except BaseException:
            await self.discard(Load(names, known, files))
            raise
        return Load(names, known, files)

    async def _fetched(
        self, record: PartRecord, place: int, medium: DraftMedia, limits: MediaLimits
    ) -> LocalMedia:
        store = self._bench.media
        if store is None:
            raise MediaMissing(place, "this process carries no media", lasting=False)
        try:
            return await store.fetch(medium, limits)
        except MediaError as error:
            raise MediaMissing(place, str(error), lasting=error.lasting) from None
        except Exception as error:  # a fault of ours concerns this medium alone
            log.exception("fetching medium %d of %s broke off", place, record.key.source)
            why = f"fetching it broke off: {type(error).__name__}"
            raise MediaMissing(place, why, lasting=False) from None

    async def hand_over(self, record: PartRecord, load: Load) -> Handed:
        """Upload what is not there, one after the other, each noted right after its answer.

        Raises `MediaMissing` for what the network will never take, and `NetworkError`, but never
        `InDoubt`: what was uploaded and is not known of is seen by nobody.
        """
        ids = dict(load.known or {})
        notes: list[str] = []
        for place, name in enumerate(load.names):
            local = (load.files or {}).get(name)
            if local is None:
                continue
            try:
                uploaded = await self._plan.target.upload(local)
            except Refused as error:
                raise MediaMissing(place, str(error), lasting=True) from None
            except InDoubt as error:
                raise Transient(error.detail, status=error.status) from None
            except NetworkError:
                raise
            except Exception as error:
                log.exception("uploading medium %d of %s broke off", place, record.key.source)
                raise Transient(f"uploading broke off: {type(error).__name__}") from None
            now = self._bench.clock.now()
            upload = KnownUpload(name, uploaded.id, now, uploaded.expires_at)
            await self._bench.ledger.note_upload(
                record.key, upload, uploaded.cost, described=uploaded.described
            )
            ids[name] = uploaded.id
            notes += [_note(record, place, note) for note in (local.note, uploaded.note) if note]
        return Handed(tuple(ids[name] for name in load.names), tuple(notes))

    async def discard(self, load: Load) -> None:
        """Delete every file of `load`."""
        for local in (load.files or {}).values():
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


def word(record: PartRecord, place: int) -> str:
    """A medium of a part, for people: ``image 2 of part 1``."""
    kind = record.part.media[place].kind.value
    return f"{kind} {place + 1} of part {record.key.index + 1}"


def _note(record: PartRecord, place: int, note: str) -> str:
    return f"{word(record, place)}: {note}"
