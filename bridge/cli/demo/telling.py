"""All that the demo's daemon tells outside, where that is asked for: MQTT, metrics and notices.

With it goes a small budget, so that there is something to be told of. Must not know what is told.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from bridge.cli.demo.broker import Broker, brokered
from bridge.cli.demo.receivers import Receivers, receiving

BUDGET = "usd_per_month: 0.20, usd_per_post: 0.10, warn_at: 20%"
"""The demo's own posts cost a quarter of it; one more costs more than it allows for one."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Where everything is told; `metrics_port` is None where what serves them is not installed."""

    broker: Broker
    receivers: Receivers
    metrics_port: int | None
    budget: str = BUDGET

    @property
    def configuration(self) -> str:
        """What a user would add to the configuration."""
        told = self.broker.configuration + self.receivers.configuration
        if self.metrics_port is None:
            return told
        return f"{told}metrics: {{enabled: true, listen: '127.0.0.1:{self.metrics_port}'}}\n"

    @asynccontextmanager
    async def printed(self) -> AsyncIterator[None]:
        """Say where everything is, and print what the broker is told, inside the block."""
        async with self.broker.printed():
            if self.metrics_port is None:
                print('Metrics: not installed; pip install "twinpost[metrics]"', flush=True)
            else:
                print(f"Metrics: http://127.0.0.1:{self.metrics_port}/metrics", flush=True)
            print("Notices: by webhook, ntfy, e-mail and a command, printed below", flush=True)
            yield


@asynccontextmanager
async def telling() -> AsyncIterator[Telling]:
    """A broker and receivers for the block. Raises `ConfigError` where there is no broker."""
    async with brokered() as broker, receiving() as receivers:
        installed = find_spec("prometheus_client") is not None
        yield Telling(broker, receivers, _free_port() if installed else None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
