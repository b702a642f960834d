"""The listener, and the task that speaks with the broker: it comes back, and holds up nobody.

Events wait in a bounded queue; what a broker does not take in time is dropped, oldest first, and
counted. States are said anew whenever they change. Must not know aiomqtt, nor the ledger.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.config.surface_settings import MqttSettings
from bridge.core.errors import TwinpostError
from bridge.core.events import Event, SourceRead
from bridge.core.model import Route
from bridge.core.record import PostRecord
from bridge.engine.commands import Commands
from bridge.engine.control import Control
from bridge.engine.standing import Standing
from bridge.surfaces.mqtt import homeassistant, sayings
from bridge.surfaces.mqtt.connection import Connection, Heard, Lost, Will, connected
from bridge.surfaces.mqtt.orders import Unheard, order
from bridge.surfaces.mqtt.sayings import JsonObject, Kind
from bridge.surfaces.mqtt.topics import Topics, identifier

log = logging.getLogger(__name__)

MOST_WAITING = 1000
"""Events that wait for a broker; when one more comes, the oldest is dropped."""

LOOK_EVERY = 30.0
"""Seconds between two looks at how things stand, when nothing happens."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before connecting again: doubled each time, and up to half is taken off at random."""

STABLE_AFTER = 30.0
"""Seconds of connection after which the next failure counts as the first again."""

AFTER_BIRTH = 3.0
"""Seconds at most until Home Assistant is told everything again: at random, so that not all that it
knows speaks at once."""

LAST_WORDS = 1.5
"""Seconds that the end may take: what still waits, and the word that we go."""

_OBEYING = 15.0
_REMEMBERED = 500
"""Posts of which it is remembered what was said last."""

Look = Callable[[], Awaitable[Sequence[Standing]]]


@dataclass(frozen=True, slots=True)
class Outside:
    """What the surface asks, and whom it has obey. `look` tells how every direction is."""

    control: Control
    commands: Commands
    look: Look


class MqttSurface:
    """One broker. `hear` is the listener; `at_work` the time in which there is a connection.

    `routes` are all that are switched on. `redacted` takes secrets out of a text; `jitter` returns
    a number in [0, 1), anew at each call.
    """

    def __init__(
        self,
        settings: MqttSettings,
        routes: Sequence[Route],
        *,
        version: str,
        tls: ssl.SSLContext | None = None,
        redacted: Callable[[str], str] = str,
        jitter: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._routes = tuple(routes)
        self._version = version
        self._tls = tls
        self._redacted = redacted
        self._jitter = jitter
        self._topics = Topics(settings.topic)
        self._events: deque[Event] = deque(maxlen=MOST_WAITING)
        self.dropped = 0
        """Events that no broker took in time."""
        self._dropped_told = 0
        self._news = asyncio.Event()
        self._stop = asyncio.Event()
        self._said_last: dict[tuple[Route, str], str] = {}
        self._states: dict[str, str] = {}
        self._waited: dict[Route, int] = {}
        self._told_lost: set[str] = set()

    def hear(self, event: Event) -> None:
        """A listener: remember `event` until the broker has it. Returns at once."""
        if isinstance(event, SourceRead):
            return
        if len(self._events) == MOST_WAITING:
            self.dropped += 1
        self._events.append(event)
        self._news.set()

    @asynccontextmanager
    async def at_work(self, outside: Outside) -> AsyncIterator[None]:
        """Speak with the broker inside the block; leaving it takes `LAST_WORDS` at most."""
        task = asyncio.create_task(self._run(outside), name="mqtt")
        try:
            yield
        finally:
            self._stop.set()
            self._news.set()
            await asyncio.wait((task,), timeout=LAST_WORDS)
            task.cancel()
            await asyncio.wait((task,), timeout=LAST_WORDS / 2)

    async def _run(self, outside: Outside) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            began = loop.time()
            try:
                async with connected(
                    self._settings,
                    identifier=self._identifier,
                    will=Will(self._topics.status, "offline"),
                    tls=self._tls,
                ) as connection:
                    await self._session(connection, outside)
                    return
            except Lost as error:
                self._lost(str(error))
            except Exception:
                # A fault of ours must not end the surface; it is as a lost connection.
                log.exception("MQTT broke off; it is tried again")
            failures = 1 if loop.time() - began >= STABLE_AFTER else failures + 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._wait(failures))

    @property
    def _identifier(self) -> str:
        """The same at every connecting, so that a broker ends what is left of the last one."""
        bridges = sorted({route.bridge for route in self._routes})
        return identifier(f"{self._settings.topic}-{'-'.join(bridges)}")

    def _wait(self, failures: int) -> float:
        full = min(FIRST_WAIT * (1 << min(failures - 1, 10)), LONGEST_WAIT)
        return full * (1 - self._jitter() / 2)

    def _lost(self, why: str) -> None:
        """Say once what is wrong, and once what is wrong next, until there is a connection."""
        place = f"{self._settings.host}:{self._settings.port}"
        if why not in self._told_lost:
            log.warning("MQTT: no connection to %s: %s; posts go on without it", place, why)
        self._told_lost.add(why)

    async def _session(self, connection: Connection, outside: Outside) -> None:
        """Everything that is said over one connection, until it is lost or all is to end."""
        speaking = asyncio.create_task(self._speak(connection, outside))
        hearing = asyncio.create_task(self._listen(connection, outside))
        ending = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((speaking, hearing, ending), return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
            # What happened last is still said.
            await speaking
            await connection.publish(self._topics.status, "offline", retain=True)
        finally:
            speaking.cancel()
            hearing.cancel()
            ending.cancel()
            await asyncio.gather(speaking, hearing, ending, return_exceptions=True)

    async def _speak(self, connection: Connection, outside: Outside) -> None:
        await self._announce(connection)
        await connection.publish(self._topics.status, "online", retain=True)
        self._states.clear()
        log.info("MQTT: connected to %s:%d", self._settings.host, self._settings.port)
        self._told_lost.clear()
        while True:
            ending = self._stop.is_set()
            self._news.clear()
            await self._say_events(connection, outside)
            await self._say_states(connection, outside)
            if ending:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_EVERY)

    async def _say_events(self, connection: Connection, outside: Outside) -> None:
        if self.dropped > self._dropped_told:
            log.warning("MQTT: %d event(s) were dropped", self.dropped - self._dropped_told)
            self._dropped_told = self.dropped
        while self._events:
            event = self._events[0]
            said = await self._worded(event, outside)
            if said is not None and self._is_news(said, event.route):
                await self._say(connection, self._topics.event(event.route.bridge), said)
                self._remember(said, event.route)
            # Only now: what was not taken is said over the next connection. Unless it was dropped.
            if self._events and self._events[0] is event:
                self._events.popleft()

    async def _worded(self, event: Event, outside: Outside) -> JsonObject | None:
        record: PostRecord | None = None
        if sayings.needs_record(event):
            source = getattr(event, "source", "")
            try:
                found = await outside.control.why(source)
            except TwinpostError as error:
                log.debug("MQTT: %s", error)
                found = ()
            own = (each for each in found if (each.route, each.source) == (event.route, source))
            record = next(own, None)
        return sayings.wording(event, record, with_text=self._settings.include_text)

    def _is_news(self, said: JsonObject, route: Route) -> bool:
        """Whether it is not what was said of that post the last time: a thread settles by parts."""
        kind = str(said["event"])
        last = self._said_last.get((route, str(said.get("post", ""))))
        return kind in {Kind.UPDATED, Kind.SKIPPED} or kind != last

    def _remember(self, said: JsonObject, route: Route) -> None:
        if "post" in said:
            key = (route, str(said["post"]))
            self._said_last.pop(key, None)
            self._said_last[key] = str(said["event"])
        while len(self._said_last) > _REMEMBERED:
            del self._said_last[next(iter(self._said_last))]

    async def _say_states(self, connection: Connection, outside: Outside) -> None:
        today = datetime.now(UTC).date()
        try:
            standings = await outside.look()
            days = await outside.control.days(today)
        except TwinpostError as error:
            log.debug("MQTT: how things stand is not known: %s", error)
            return
        sent = {figures.route: figures.sent for figures in days}
        month = today.strftime("%Y-%m")
        for bridge, state in sayings.states(standings, sent, month):
            text = self._text(state)
            if self._states.get(bridge) != text:
                await connection.publish(self._topics.state(bridge), text, retain=True)
                self._states[bridge] = text
        for standing in standings:
            waiting = standing.figures.waiting_for_money
            if waiting > self._waited.get(standing.route, 0):
                said = sayings.over_budget(standing.route, datetime.now(UTC), waiting)
                await self._say(connection, self._topics.event(standing.route.bridge), said)
            self._waited[standing.route] = waiting

    async def _say(self, connection: Connection, topic: str, said: JsonObject) -> None:
        await connection.publish(topic, self._text(said))

    def _text(self, said: JsonObject) -> str:
        # JSON escapes what steers terminals; what is left of a secret would be inside a string.
        return self._redacted(json.dumps(said))

    async def _announce(self, connection: Connection) -> None:
        """Describe every bridge to Home Assistant."""
        prefix = self._settings.home_assistant
        if prefix is None:
            return
        for bridge in dict.fromkeys(route.bridge for route in self._routes):
            topic, payload = homeassistant.discovery(
                self._topics,
                prefix,
                bridge,
                [route.direction for route in self._routes if route.bridge == bridge],
                version=self._version,
                buttons=self._settings.commands,
            )
            await connection.publish(topic, json.dumps(payload), retain=True)

    async def _listen(self, connection: Connection, outside: Outside) -> None:
        bridges = {self._topics.command(route.bridge): route.bridge for route in self._routes}
        birth = None
        if self._settings.home_assistant is not None:
            birth = homeassistant.birth_topic(self._settings.home_assistant)
            await connection.subscribe(birth)
        if self._settings.commands:
            for topic in bridges:
                await connection.subscribe(topic)
        again: asyncio.Task[None] | None = None
        try:
            async for heard in connection.heard():
                if heard.topic in bridges and self._settings.commands:
                    await self._asked(heard, bridges[heard.topic], outside)
                elif (
                    heard.topic == birth
                    and heard.payload == b"online"
                    and (again is None or again.done())
                ):
                    again = asyncio.create_task(self._born(connection))
        finally:
            if again is not None:
                again.cancel()
                await asyncio.gather(again, return_exceptions=True)

    async def _born(self, connection: Connection) -> None:
        """Home Assistant has started: tell it everything again."""
        await asyncio.sleep(self._jitter() * AFTER_BIRTH)
        with suppress(Lost):
            await self._announce(connection)
            await connection.publish(self._topics.status, "online", retain=True)
            self._states.clear()
            self._news.set()

    async def _asked(self, heard: Heard, bridge: str, outside: Outside) -> None:
        try:
            asked = order(heard.payload, retained=heard.retained, bridge=bridge)
        except Unheard as why:
            log.warning("MQTT: a message on %s is ignored: %s", heard.topic, why)
            return
        try:
            async with asyncio.timeout(_OBEYING):
                said = await outside.commands.obey(asked)
        except (TwinpostError, TimeoutError) as error:
            log.warning("MQTT: %s is refused: %s", asked["do"], error)
        else:
            log.info("MQTT: %s: %s", asked["do"], said)
