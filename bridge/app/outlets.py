"""What shows and steers from outside: made from the settings, and at work beside the daemon.

Nothing of a surface that is not configured is imported. Must not decide what is told, or done.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from bridge import USER_AGENT, __version__
from bridge.app.accounts import secrets_of
from bridge.app.clock import SystemClock
from bridge.app.looking import control_over, ledger_path, reading, routes
from bridge.app.wiring import Running, TrafficOf
from bridge.config import Settings
from bridge.core.errors import ConfigError
from bridge.engine.standing import Standing, standings
from bridge.log import redacting
from bridge.net.session import open_session, trusting
from bridge.ports import Listener

if TYPE_CHECKING:
    from bridge.surfaces.metrics.figures import Figures
    from bridge.surfaces.mqtt.surface import MqttSurface
    from bridge.surfaces.notices.surface import NoticeSurface
    from bridge.surfaces.notices.ways import Way
    from bridge.surfaces.web.app import WebPage


class Outlets:
    """The web page, MQTT, metrics and notices, as far as they are configured.

    `page` is the web page, None where it is off. Raises `ConfigError` where one is configured, and
    what it needs is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redacted = redacting(secrets_of(settings))
        self.page = self._made_page()
        self._mqtt = self._made_mqtt()
        self._metrics = self._made_metrics()
        self._notices = self._made_notices()

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """What is to hear of every event."""
        made = (self.page, self._mqtt, self._metrics, self._notices)
        return tuple(each.hear for each in made if each is not None)

    @property
    def traffic(self) -> TrafficOf | None:
        """What is to hear of every call to a network, where calls are counted."""
        return None if self._metrics is None else self._metrics.traffic.of

    @asynccontextmanager
    async def at_work(self, running: Running) -> AsyncIterator[None]:
        """Tell outside inside the block, from a reader of the ledger: no post waits for it."""
        if not self.listeners:
            yield
            return
        async with AsyncExitStack() as stack:
            view = await stack.enter_async_context(reading(self._settings))
            control = control_over(view, self._settings)

            async def look() -> Sequence[Standing]:
                return await standings(running.daemon, control, running.clock.now())

            if self.page is not None:
                from bridge.surfaces.web.site import Bridge  # noqa: PLC0415 - comes with the page

                async def write() -> None:
                    await running.ledger.renew(running.clock.now())

                bridge = Bridge(
                    control, running.commands, running.daemon, view, running.clock, write
                )
                await stack.enter_async_context(self.page.served(bridge))
            if self._mqtt is not None:
                from bridge.surfaces.mqtt.surface import Outside  # noqa: PLC0415 - only where wanted

                outside = Outside(control, running.commands, look)
                await stack.enter_async_context(self._mqtt.at_work(outside))
            if self._metrics is not None and self._settings.surfaces.metrics is not None:
                from bridge.surfaces.metrics.figures import CONTENT_TYPE  # noqa: PLC0415 - as above
                from bridge.surfaces.metrics.serving import serving  # noqa: PLC0415 - as above

                page = partial(self._metrics.page, control, look, ledger_path(self._settings))
                served = serving(self._settings.surfaces.metrics, page, CONTENT_TYPE)
                await stack.enter_async_context(served)
            if self._notices is not None:
                await stack.enter_async_context(self._notices.at_work(control, look))
            yield

    def _made_page(self) -> WebPage | None:
        if not self._settings.web.enabled:
            return None
        try:
            from bridge.surfaces.web.app import WebPage  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise _not_installed("web", error) from None
        return WebPage(self._settings.web)

    def _made_mqtt(self) -> MqttSurface | None:
        given = self._settings.surfaces.mqtt
        if given is None:
            return None
        try:
            from bridge.surfaces.mqtt.surface import MqttSurface  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise _not_installed("mqtt", error) from None
        tls = trusting(self._settings.ca_file, given.tls_ca_file) if given.tls else None
        return MqttSurface(
            given,
            list(routes(self._settings)),
            version=__version__,
            tls=tls,
            redacted=self._redacted,
            jitter=random.Random().random,  # noqa: S311 - spreads connections in time
        )

    def _made_metrics(self) -> Figures | None:
        if self._settings.surfaces.metrics is None:
            return None
        try:
            from bridge.surfaces.metrics.figures import Figures  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise _not_installed("metrics", error) from None
        return Figures(__version__, list(routes(self._settings)))

    def _made_notices(self) -> NoticeSurface | None:
        given = self._settings.surfaces.notices
        if not given.are_wanted:
            return None
        from bridge.surfaces.notices.surface import NoticeSurface  # noqa: PLC0415 - only where wanted

        return NoticeSurface(
            self._ways(),
            self._settings.state,
            SystemClock(),
            remind_every=given.remind_every,
            silent_after=given.silent_after,
            redacted=self._redacted,
        )

    def _ways(self) -> list[Way]:
        from bridge.surfaces.notices.mail import Mail  # noqa: PLC0415 - only where wanted
        from bridge.surfaces.notices.ways import Ntfy, Program, Webhook  # noqa: PLC0415 - as above

        given, tls = self._settings.surfaces.notices, trusting(self._settings.ca_file)
        session = partial(open_session, user_agent=USER_AGENT, tls=tls)
        ways: list[Way] = []
        if given.webhook is not None:
            ways.append(Webhook(given.webhook, session))
        if given.ntfy is not None:
            ways.append(Ntfy(given.ntfy, session))
        if given.email is not None:
            ways.append(Mail(given.email, tls))
        if given.command:
            ways.append(Program(given.command))
        return ways


def _not_installed(extra: str, error: ModuleNotFoundError) -> ConfigError:
    return ConfigError(
        f"{extra} is configured, and {error.name} is not installed; "
        f'install it with: pip install "twinpost[{extra}]"'
    )
