"""The calls to the networks as figures: by result, what is left of limits, whether a stream is up.

Labels are names of bridges and words of fixed lists; numbers come bounded from `core.traffic`. Must
not know how they are served.
"""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge

from bridge.core.model import BridgeName, Network
from bridge.core.traffic import Allowance, Call

_ACCOUNT = ("bridge", "network")
_LIMIT = (*_ACCOUNT, "operation", "span")


class TrafficFigures:
    """The figures of every account; `of` gives what one account's calls are told to."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "twinpost_api_requests",
            "Requests to a network's API.",
            (*_ACCOUNT, "operation", "result"),
            registry=registry,
        )
        self.limit = Gauge(
            "twinpost_rate_limit_limit",
            "Requests that a limit allows, as the last answer told it.",
            _LIMIT,
            registry=registry,
        )
        self.remaining = Gauge(
            "twinpost_rate_limit_remaining",
            "Requests that a limit has left, as the last answer told it.",
            _LIMIT,
            registry=registry,
        )
        self.resets = Gauge(
            "twinpost_rate_limit_reset_timestamp_seconds",
            "When a limit is full again; absent where that was not told.",
            _LIMIT,
            registry=registry,
        )
        self.stream = Gauge(
            "twinpost_stream_connected",
            "1 while a network's stream is connected, else 0; absent where it has none.",
            _ACCOUNT,
            registry=registry,
        )

    def of(self, bridge: BridgeName, network: Network) -> AccountTraffic:
        """A `bridge.ports.Traffic` for one account."""
        return AccountTraffic(self, (bridge, network.value))


class AccountTraffic:
    """Hears of one account's calls. Returns at once."""

    def __init__(self, figures: TrafficFigures, account: tuple[str, str]) -> None:
        self._figures = figures
        self._account = account

    def called(self, call: Call) -> None:
        """Count a call, and remember what it told of limits."""
        operation = call.operation.value
        self._figures.requests.labels(*self._account, operation, call.result.value).inc()
        for each in call.allowances:
            self._show(operation, each)

    def streaming(self, connected: bool | None) -> None:  # noqa: FBT001 - as the port has it
        """Show the stream's state."""
        if connected is None:
            with suppress(KeyError):
                self._figures.stream.remove(*self._account)
        else:
            self._figures.stream.labels(*self._account).set(connected)

    def _show(self, operation: str, told: Allowance) -> None:
        figures, labels = self._figures, (*self._account, operation, told.span.value)
        figures.limit.labels(*labels).set(told.limit)
        figures.remaining.labels(*labels).set(told.remaining)
        if told.resets_at is None:
            # What an earlier answer said of another window would be wrong beside these figures.
            with suppress(KeyError):
                figures.resets.remove(*labels)
        else:
            figures.resets.labels(*labels).set(told.resets_at.timestamp())
