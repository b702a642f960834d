"""One connection to a broker, over aiomqtt: opened within a bound of time, and closed for sure.

The only module that knows aiomqtt. Must not know what is said over it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bridge.config.surface_settings import MqttSettings
from bridge.core.redaction import Redactor, quoted

PATIENCE = 10.0
"""Seconds for each step: connecting, signing in, one acknowledgement."""

PARTING = 0.5
"""Seconds for the broker to hear that we go."""

_KEEPALIVE = 30
_INCOMING = 32
"""Messages that may wait to be looked at; more are dropped."""

_LARGEST_PACKET = 16 * 1024
"""Bytes; brokers that speak version 5 send nothing that is larger."""


class Lost(Exception):
    """There is no connection, or there is none any more; the words say why."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says, retained, once the connection breaks."""

    topic: str
    payload: str


class _Client(aiomqtt.Client):
    def abandon(self) -> None:
        """Close the socket, whatever became of the connection: aiomqtt leaves it open."""
        with suppress(Exception):
            self._client._sock_close()  # noqa: SLF001 - paho has no other word for it


class Connection:
    """An open connection. Every method raises `Lost`."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Hand over a message, and wait until the broker has it (QoS 1)."""
        try:
            await self._client.publish(topic, payload, qos=1, retain=retain)
        except (aiomqtt.MqttError, ValueError) as error:
            raise Lost(_words(error)) from None

    async def subscribe(self, topic: str) -> None:
        """Hear what comes on `topic`."""
        try:
            await self._client.subscribe(topic, qos=1)
        except (aiomqtt.MqttError, ValueError) as error:
            raise Lost(_words(error)) from None

    async def heard(self) -> AsyncIterator[Heard]:
        """What comes, until the connection breaks."""
        try:
            async for message in self._client.messages:
                yield Heard(str(message.topic), bytes(message.payload), bool(message.retain))
        except aiomqtt.MqttError as error:
            raise Lost(_words(error)) from None


@asynccontextmanager
async def connected(
    settings: MqttSettings, *, identifier: str, will: Will | None, tls: ssl.SSLContext | None
) -> AsyncIterator[Connection]:
    """A connection for the block. `tls` is None for one that is not encrypted. Raises `Lost`."""
    await _answers(settings, tls)
    client = _client(settings, identifier, will, tls)
    try:
        try:
            await client.__aenter__()
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise Lost(_words(error)) from None
        try:
            yield Connection(client)
        finally:
            client.timeout = PARTING
            with suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
    finally:
        client.abandon()


async def _answers(settings: MqttSettings, tls: ssl.SSLContext | None) -> None:
    """See that somebody is there, in a way that can be given up.

    paho connects in a thread, where a server that says nothing would hold up the daemon's end.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(settings.host, settings.port, ssl=tls)
    except TimeoutError:
        raise Lost("nobody answers there") from None
    except OSError as error:
        raise Lost(_words(error)) from None
    writer.transport.abort()


def _client(
    settings: MqttSettings, identifier: str, will: Will | None, tls: ssl.SSLContext | None
) -> _Client:
    newest = settings.version == "5"
    properties = None
    if newest:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = _LARGEST_PACKET
    return _Client(
        settings.host,
        settings.port,
        identifier=identifier,
        username=settings.username,
        password=settings.password.reveal() if settings.password else None,
        protocol=aiomqtt.ProtocolVersion.V5 if newest else aiomqtt.ProtocolVersion.V311,
        # What was asked while we were away is of no interest when we are back.
        clean_session=None if newest else True,
        clean_start=newest or MQTT_CLEAN_START_FIRST_ONLY,
        properties=properties,
        will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True) if will else None,
        tls_context=tls,
        timeout=PATIENCE,
        keepalive=_KEEPALIVE,
        max_queued_incoming_messages=_INCOMING,
    )


def _words(error: BaseException) -> str:
    return quoted(str(error), Redactor(), 200) or type(error).__name__


async def overhear(settings: MqttSettings, heard: Callable[[Heard], None]) -> None:
    """Call `heard` for everything that is said on a broker, until cancelled. Raises `Lost`."""
    async with connected(settings, identifier="", will=None, tls=None) as connection:
        await connection.subscribe("#")
        async for message in connection.heard():
            heard(message)
