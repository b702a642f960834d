"""The listener, and the task that looks how things stand and tells whom it concerns.

Each way is told of each cause once, reminded while it lasts, and told when it is mended; a way that
fails is tried again, and said to fail once. Must not know how a way works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bridge.core.errors import TwinpostError
from bridge.core.events import Event, SourceRead
from bridge.core.listing import Wanted
from bridge.core.model import Route
from bridge.core.record import PostRecord
from bridge.engine.control import Control
from bridge.engine.standing import Standing
from bridge.ports import Clock
from bridge.surfaces.notices.causes import HELD_STATES, Cause, Kind, causes
from bridge.surfaces.notices.told import Memory, Told, recall, remember
from bridge.surfaces.notices.ways import Notice, NotTold, Way

log = logging.getLogger(__name__)

LOOK_EVERY = 60.0
"""Seconds between two looks when nothing happens."""

SETTLE = 5.0
"""Seconds after an event before looking, so that what comes together is told together."""

GRACE = timedelta(minutes=2)
"""For how long a network must have refused the bridge before that is told: one 401 is not final."""

LONGEST_PAUSE = timedelta(hours=1)
"""Between two tries of a way that fails; the first comes after a minute."""

MOST = 50
"""Held posts that are told one by one."""

_LAST_MOMENT = 1.0
_PATIENT = frozenset({Kind.SIGN_IN, Kind.UNPAID, Kind.NO_ROOM, Kind.MEDIA_WAITS})

Look = Callable[[], Awaitable[Sequence[Standing]]]


@dataclass(slots=True)
class _Failing:
    """A way that does not get through, and when it is tried again."""

    count: int
    again: datetime


class NoticeSurface:
    """Everybody who is to be told. `hear` is the listener; `at_work` the time in which it tells.

    `folder` keeps what was told; `redacted` takes secrets out of a text.
    """

    def __init__(
        self,
        ways: Sequence[Way],
        folder: Path,
        clock: Clock,
        *,
        remind_every: timedelta,
        silent_after: timedelta,
        redacted: Callable[[str], str] = str,
    ) -> None:
        self._ways = tuple(ways)
        self._folder = folder
        self._clock = clock
        self._remind_every = remind_every
        self._silent_after = silent_after
        self._redacted = redacted
        self._news = asyncio.Event()
        self._seen_since: dict[str, datetime] = {}
        self._failing: dict[str, _Failing] = {}
        self._memory: Memory | None = None
        self._unwritable = False

    def hear(self, event: Event) -> None:
        """A listener: look again soon. Returns at once."""
        if not isinstance(event, SourceRead):
            self._news.set()

    @asynccontextmanager
    async def at_work(self, control: Control, look: Look) -> AsyncIterator[None]:
        """Look and tell inside the block; leaving it takes a second at most."""
        task = asyncio.create_task(self._run(control, look), name="notices")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,), timeout=_LAST_MOMENT)

    async def _run(self, control: Control, look: Look) -> None:
        while True:
            try:
                await self.turn(control, look)
            except TwinpostError as error:
                log.debug("notices: how things stand is not known: %s", error)
            except Exception:
                # A fault of ours must not end the surface.
                log.exception("looking for what needs its owner broke off")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_EVERY)
                await asyncio.sleep(SETTLE)
            self._news.clear()

    async def turn(self, control: Control, look: Look) -> None:
        """Look once, and tell what is to be told."""
        now = self._clock.now()
        found = await self._found(control, look, now)
        if self._memory is None:
            self._memory = recall(self._folder)
        current = {cause.key: cause for cause in found}
        self._seen_since = {key: self._seen_since.get(key, now) for key in current}
        results = await asyncio.gather(
            *(
                self._tell(way, current, self._memory.setdefault(way.name, {}), now)
                for way in self._ways
            )
        )
        if any(results):
            self._write()

    async def _found(self, control: Control, look: Look, now: datetime) -> tuple[Cause, ...]:
        standings = await look()
        held: tuple[PostRecord, ...] = ()
        if any(each.figures.held or each.figures.failed for each in standings):
            held = (await control.listing(Wanted(states=HELD_STATES, limit=MOST))).records
        recent: dict[Route, list[PostRecord]] = {}
        for bridge in dict.fromkeys(each.route.bridge for each in standings):
            for record in await control.history(bridge=bridge, limit=200):
                recent.setdefault(record.route, []).append(record)
        purses = await control.purses(now)
        return causes(standings, held, recent, purses, now=now, silent_after=self._silent_after)

    async def _tell(
        self, way: Way, current: dict[str, Cause], told: dict[str, Told], now: datetime
    ) -> bool:
        """Whether anything was told."""
        failing = self._failing.get(way.name)
        if failing is not None and now < failing.again:
            return False
        done = False
        for notice in self._due(current, told, now):
            try:
                await way.tell(self._clean(notice))
            except NotTold as error:
                self._failed(way, now, str(error))
                return done
            done = True
            if self._failing.pop(way.name, None) is not None:
                log.info("notices get through by %s again", way.name)
            if notice.occasion == "recovered":
                del told[notice.key]
            else:
                first = told[notice.key].first if notice.key in told else now
                told[notice.key] = Told(first, now, notice.title, notice.bridge, notice.kind)
        return done

    def _due(self, current: dict[str, Cause], told: dict[str, Told], now: datetime) -> list[Notice]:
        due: list[Notice] = []
        for key, cause in current.items():
            if cause.overtaken:
                continue
            before = told.get(key)
            if before is None:
                lasts = now - self._seen_since[key]
                if cause.kind not in _PATIENT or lasts >= GRACE:
                    due.append(_notice(cause, "new", now))
            elif now - before.last >= self._remind_every:
                due.append(_notice(cause, "reminder", now))
        for key, before in told.items():
            if key not in current:
                text = f"This was told on {before.first:%Y-%m-%d %H:%M} UTC, and is over."
                title = f"All is well again: {before.title}"
                due.append(Notice(now, "recovered", before.kind, before.bridge, key, title, text))
        return due

    def _clean(self, notice: Notice) -> Notice:
        return replace(notice, title=self._redacted(notice.title), text=self._redacted(notice.text))

    def _failed(self, way: Way, now: datetime, why: str) -> None:
        """Say so once, and come back later each time."""
        before = self._failing.get(way.name)
        count = 1 if before is None else before.count + 1
        pause = min(timedelta(minutes=1) * (1 << min(count - 1, 10)), LONGEST_PAUSE)
        self._failing[way.name] = _Failing(count, now + pause)
        if before is None:
            log.warning("a notice did not get through by %s: %s; it is tried again", way.name, why)

    def _write(self) -> None:
        try:
            remember(self._folder, self._memory or {})
        except OSError as error:
            if not self._unwritable:
                log.warning("what was told cannot be written down: %s", error.strerror)
            self._unwritable = True
        else:
            self._unwritable = False


def _notice(cause: Cause, occasion: str, now: datetime) -> Notice:
    title = cause.title if occasion == "new" else f"Still waiting: {cause.title}"
    return Notice(now, occasion, cause.kind.value, cause.bridge, cause.key, title, cause.text)
