"""The demo's MQTT broker, on this machine only, and its messages on the terminal.

Mosquitto where it is installed, else amqtt where that is. Must not be used for anything but a demo:
it lets everybody on this machine in.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bridge.config.surface_settings import MqttSettings
from bridge.core.errors import ConfigError
from bridge.log import escaped

_STARTING = 10.0
"""Seconds."""

_SHOWN = 400
"""Characters of a message that are printed."""

_MOSQUITTO = "listener {port} 127.0.0.1\nallow_anonymous true\n"
_AMQTT = """\
listeners: {{default: {{type: tcp, bind: "127.0.0.1:{port}"}}}}
plugins: {{amqtt.plugins.authentication.AnonymousAuthPlugin: {{allow_anonymous: true}}}}
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that runs."""

    port: int
    made_by: str

    @property
    def configuration(self) -> str:
        """What a user would add to the configuration."""
        return f"mqtt: {{host: 127.0.0.1, port: {self.port}, commands: true}}\n"

    @asynccontextmanager
    async def printed(self) -> AsyncIterator[None]:
        """Print every message inside the block."""
        try:
            from bridge.surfaces.mqtt.connection import (  # noqa: PLC0415 - an extra
                Heard,
                Lost,
                overhear,
            )
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{error.name} is not installed; install it with: pip install twinpost[mqtt]"
            ) from None

        def show(heard: Heard) -> None:
            text = escaped(heard.payload.decode("utf-8", "replace"))
            cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
            print(f"MQTT {escaped(heard.topic)} {cut}", flush=True)

        async def listen() -> None:
            with suppress(Lost):
                await overhear(MqttSettings("127.0.0.1", self.port), show)

        print(f"MQTT: {self.made_by} on 127.0.0.1:{self.port}; try: {self._try}", flush=True)
        task = asyncio.create_task(listen(), name="overhear")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,), timeout=1)

    @property
    def _try(self) -> str:
        return f"mosquitto_pub -p {self.port} -t twinpost/demo/command -m pause"


@asynccontextmanager
async def brokered() -> AsyncIterator[Broker]:
    """A broker for the block. Raises `ConfigError` where there is none on this machine."""
    made_by, program, template = _found()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="twinpost-broker-") as folder:
        config = Path(folder) / "broker.yaml"
        config.write_text(template.format(port=port), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            config,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for the demo, which still has a last word to say to the broker.
            start_new_session=True,
        )
        try:
            await _answers(port, made_by)
            yield Broker(port, made_by)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _found() -> tuple[str, str, str]:
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto:
        return "Mosquitto", mosquitto, _MOSQUITTO
    amqtt = shutil.which("amqtt", path=str(Path(sys.executable).parent)) or shutil.which("amqtt")
    if amqtt:
        return "amqtt", amqtt, _AMQTT
    raise ConfigError(
        "there is no MQTT broker on this machine: install mosquitto, or: pip install amqtt"
    )


async def _answers(port: int, made_by: str) -> None:
    try:
        async with asyncio.timeout(_STARTING):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return
    except TimeoutError:
        raise ConfigError(f"{made_by} does not start") from None
