"""What proves that a part, whose sending ended unclear, stands on the network after all.

The one place that compares a part with a post that was read. Must not read timelines itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bridge.core.delivery import PartEvent, PartState
from bridge.core.draft import DraftPart
from bridge.core.events import PartSettled
from bridge.core.fingerprint import Match, canonical, same_post
from bridge.core.model import Microdollars, Post, PostId, Route
from bridge.core.prices import FREE
from bridge.core.record import PartRecord, Receipt
from bridge.core.text import Text
from bridge.core.verdict import Verdict
from bridge.engine.route import Bench

CLOCK_SLACK = timedelta(minutes=15)
"""How far the clocks of two servers may differ."""

WRONG_CLOCK = timedelta(hours=26)
"""How far our own clock may be ahead: a day, or any time zone taken for UTC."""

ABSENCE = timedelta(seconds=90)
"""How long after an attempt has ended an absence counts as proof.

A server may work on after we, or a gateway, gave up on it, and timelines lag behind what was
accepted. Counted from the end: an attempt may itself last for minutes.
"""

ON_THE_TIMELINE = "found on the timeline"
BY_MEDIA_ALONE = "found on the timeline by its number of media alone"


async def earliest(bench: Bench, record: PartRecord) -> datetime:
    """The earliest time, by a server's clock, at which `record` can have been created.

    That is when the post it mirrors was written, which another server's clock says; ours only
    bounds how long ago that may be, where a part was sent long after.
    """
    attempted = (record.attempted_at or bench.clock.now()) - WRONG_CLOCK
    written = [
        found.created_at
        for found in await bench.ledger.find(record.key.source)
        if (found.route, found.source) == (record.key.route, record.key.source)
    ]
    return max([attempted, *written]) - CLOCK_SLACK


def is_part(record: PartRecord, post: Post, since: datetime) -> bool:
    """Whether `post` is what was sent as `record`: written `since` then, and the same words.

    Only the exact layers of the fingerprint count: what is merely similar proves nothing. So does
    what has no words to compare: that is for `may_be_part`. A boost is known by what it repeats.
    """
    if record.part.repeat is not None:
        again = post.repost is not None and post.repost.post == record.part.repeat
        return again and post.created_at >= since
    return post.created_at >= since and says_the_same(record.part, post)


def says_the_same(part: DraftPart, post: Post) -> bool:
    """Whether the words of `post` are those of `part`, which has some."""
    if part.repeat is not None or is_wordless(part):
        return False
    # A poll that has little time left by then is written out.
    said = (part.text, part.poll.otherwise) if part.poll else (part.text,)
    return any(same_post(post.text, Text(words)) is Match.EXACT for words in said)


def is_wordless(part: DraftPart) -> bool:
    """Whether a part consists of media alone, so that no words of it can be compared."""
    what = canonical(Text(part.text))
    return bool(part.media) and not (what.words or what.links)


def may_be_part(record: PartRecord, post: Post, since: datetime) -> bool:
    """Whether `post` may be the wordless `record`: as many media, no words, and written `since`.

    That alone is no proof: it takes that no other post may be it, and that it may be no other part.
    """
    what = canonical(post.text)
    return (
        is_wordless(record.part)
        and post.created_at >= since
        and post.repost is None
        and len(post.media) == len(record.part.media)
        and not (what.words or what.links)
    )


def is_long_past(record: PartRecord, post: Post) -> bool:
    """Whether `post` was written so long after `record` was tried that it is surely another one."""
    return record.attempted_at is None or post.created_at - record.attempted_at > WRONG_CLOCK


async def doubt(bench: Bench, record: PartRecord, detail: str) -> PartRecord:
    """Record that an attempt has ended unclear; its `not_before` is when an absence proves it."""
    not_before = bench.clock.now() + ABSENCE
    return await settle(bench, record, PartEvent.DOUBT, not_before=not_before, detail=detail)


async def in_doubt(bench: Bench, record: PartRecord) -> PartRecord:
    """The same part as in doubt, also where its sender ended before it could say so."""
    if record.state is not PartState.ATTEMPTING:
        return record
    return await doubt(bench, record, "interrupted while sending")


async def present(bench: Bench, record: PartRecord, post: Post) -> None:
    """Record that `post` is the part; it is charged, since the network has done it."""
    # Of a boost the first name is that under which it can be taken back.
    name = post.id if record.part.repeat is None else post.ids[0]
    receipt = Receipt(name, post.url, left_to_pay(record))
    record = await in_doubt(bench, record)
    detail = BY_MEDIA_ALONE if is_wordless(record.part) else ON_THE_TIMELINE
    await settle(bench, record, PartEvent.PROVEN_PRESENT, receipt=receipt, detail=detail)


async def may_be_the_authors(bench: Bench, record: PartRecord) -> bool:
    """Whether what stands as `record` may be the author's own post, which is not to be touched.

    So it is where nothing but its number of media said that it is the mirror.
    """
    key = record.key
    moves = await bench.ledger.moves(key.route, key.source)
    return any(
        (move.index, move.event, move.detail)
        == (key.index, PartEvent.PROVEN_PRESENT, BY_MEDIA_ALONE)
        for move in moves
    )


async def forgotten(bench: Bench, record: PartRecord, name: PostId, url: str | None) -> None:
    """Record that a planned part stands as `name`, sent when an older ledger was in use."""
    detail = "found standing there, though this ledger has never sent it"
    event, receipt = PartEvent.PROVEN_PRESENT, Receipt(name, url)
    await settle(bench, record, event, receipt=receipt, detail=detail)


async def take_back(
    bench: Bench,
    route: Route,
    source: PostId,
    verdict: Verdict,
    same_as: PostId | None = None,
) -> bool:
    """Have the mirror of `source` not sent, and tell of its parts; False where it has begun to be.

    `same_as` stands over there instead, if anything does.
    """
    async with bench.turnstiles.turn(route.bridge):
        taken_back = await bench.ledger.withdraw(
            route, source, verdict=verdict, same_as=same_as, now=bench.clock.now()
        )
    for part in () if taken_back is None else taken_back.parts:
        announce(bench, part)
    return taken_back is not None


def left_to_pay(record: PartRecord) -> Microdollars:
    """What creating a part costs beside the uploads that are paid already."""
    return Microdollars(max(0, record.part.price - record.cost))


async def settle(
    bench: Bench,
    record: PartRecord,
    event: PartEvent,
    *,
    receipt: Receipt | None = None,
    cost: Microdollars = FREE,
    not_before: datetime | None = None,
    detail: str = "",
    notes: Sequence[str] = (),
) -> PartRecord:
    """Move a part (T3) and tell everybody. It may be sent again from `not_before`, or at once.

    The one way in which the engine moves a part. Where another activity has moved it since `record`
    was read, nothing is done, and the part is returned as it stands now. Raises `LeaseLost` where
    it was another process that moved it.
    """
    async with bench.turnstiles.turn(record.key.route.bridge):
        known = await current(bench, record)
        now = bench.clock.now()
        if known.state is not record.state:
            # Nothing is written here, so the lease has to be proven by itself.
            await bench.ledger.renew(now)
            return known
        settled = await bench.ledger.settle(
            record.key,
            event,
            now,
            receipt=receipt,
            cost=cost,
            not_before=not_before or now,
            detail=detail,
            notes=notes,
        )
    announce(bench, settled)
    return settled


async def current(bench: Bench, record: PartRecord) -> PartRecord:
    """The same part as the ledger has it now."""
    found = await bench.ledger.find(record.key.source)
    parts = (part for post in found for part in post.parts if part.key == record.key)
    return next(parts, record)


def announce(bench: Bench, record: PartRecord) -> None:
    """Tell every listener where a part stands now."""
    bench.emit(
        PartSettled(
            at=bench.clock.now(),
            route=record.key.route,
            source=record.key.source,
            index=record.key.index,
            state=record.state,
            target_id=record.target_id,
            target_url=record.target_url,
            cost=record.cost,
            detail=record.detail,
        )
    )
