"""What is told outside: whether the broker lets us in, addresses are free, notices can be sent.

Says nothing there: no message, no letter, no notice. Imports what a surface needs only where that
is configured.
"""

from __future__ import annotations

import errno
import shutil
import socket
from collections.abc import AsyncIterator
from secrets import token_hex
from urllib.parse import urlsplit

from bridge.cli.check.findings import Finding, Level
from bridge.config import Settings
from bridge.config.surface_settings import EmailSettings, MqttSettings
from bridge.config.web import Listen
from bridge.core.errors import ConfigError
from bridge.net.session import trusting
from bridge.surfaces.socket import is_running

_CERTIFICATE = "certificate verify failed: "
_REFUSED = ("not authorized", "bad user name or password")
_CAUSES = (
    (("protocol version",), "does not speak MQTT {}", "name the other one: mqtt.version"),
    (
        ("name or service not known", "nodename nor servname", "name resolution", "no address"),
        "cannot be reached: there is no such name",
        "see mqtt.host",
    ),
    (
        ("[ssl", "ssl/tls", "connection reset", "eof occurred"),
        "does not answer as a broker that encrypts",
        "see mqtt.tls and mqtt.port: most brokers have 8883 for TLS and 1883 without",
    ),
    (
        ("timed out",),
        "does not answer as a broker",
        "see mqtt.port, and mqtt.tls if it wants TLS",
    ),
)
"""What a failure's words have in them, what that means, and what to do about it."""


async def surfaces(settings: Settings) -> AsyncIterator[Finding]:
    """A finding for each that is configured."""
    given = settings.surfaces
    if given.mqtt is not None:
        yield await _broker(settings, given.mqtt)
    if settings.web.enabled:
        yield _page(settings)
    if given.metrics is not None:
        yield _figures(settings, given.metrics.listen)
    notices = given.notices
    if notices.webhook is not None:
        yield _not_tried("webhook", notices.webhook.url.reveal())
    if notices.ntfy is not None:
        yield _not_tried("ntfy", notices.ntfy.url)
    if notices.email is not None:
        yield await _mail(settings, notices.email)
    if notices.command:
        yield _program(notices.command[0])


async def _broker(settings: Settings, given: MqttSettings) -> Finding:
    """Connect and sign in as the daemon does, under another name than its own."""
    try:
        from bridge.surfaces.mqtt.connection import Lost, connected  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        return _not_installed("mqtt", "mqtt", error)
    place = _place(Listen(given.host, given.port))
    # So short and plain that every broker takes it; two of the same name put each other out.
    name = f"twinpostcheck{token_hex(5)}"
    try:
        tls = trusting(settings.ca_file, given.tls_ca_file) if given.tls else None
        async with connected(given, identifier=name, will=None, tls=tls):
            pass
    except ConfigError as error:
        return Finding("mqtt", Level.FAULT, str(error), "see mqtt.tls_ca_file")
    except Lost as error:
        why, todo = why_lost(str(error), version=given.version, named=given.username is not None)
        return Finding("mqtt", Level.FAULT, f"{place} {why}", todo)
    how = f"MQTT {given.version}, {'' if given.tls else 'not '}encrypted"
    return Finding("mqtt", Level.OK, f"{place} lets us in ({how})")


def why_lost(words: str, *, version: str, named: bool) -> tuple[str, str]:
    """What the `words` of a connection that failed mean, and what to do about it.

    `named` says whether a name to sign in with is configured.
    """
    said = words.lower()
    if _CERTIFICATE in said:
        reason = words[said.index(_CERTIFICATE) + len(_CERTIFICATE) :].partition(" (_ssl")[0]
        todo = "name its authority's certificate in mqtt.tls_ca_file; mqtt.host is the name in it"
        return f"has a certificate that is not trusted ({reason})", todo
    if any(each in said for each in _REFUSED):
        what = "refuses the name and password" if named else "wants a name and a password"
        return what, "see mqtt.username and mqtt.password, and who the broker knows"
    for signs, what, todo in _CAUSES:
        if any(each in said for each in signs):
            return what.format(version), todo
    return f"cannot be reached: {words}", "see mqtt.host and mqtt.port; does the broker run?"


def _page(settings: Settings) -> Finding:
    try:
        import bridge.surfaces.web.app  # noqa: F401, PLC0415 - an extra, only where asked for
    except ModuleNotFoundError as error:
        return _not_installed("web page", "web", error)
    return _address("web page", "web", settings.web.listen, settings)


def _figures(settings: Settings, listen: Listen) -> Finding:
    try:
        import bridge.surfaces.metrics.figures  # noqa: F401, PLC0415 - an extra, as above
    except ModuleNotFoundError as error:
        return _not_installed("metrics", "metrics", error)
    return _address("metrics", "metrics", listen, settings)


def _address(check: str, key: str, listen: Listen, settings: Settings) -> Finding:
    """Whether the daemon can, or does, listen there."""
    place, todo = _place(listen), f"name another one: {key}.listen"
    try:
        for family, kind, protocol, _, target in socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                # As a server does it: what is left of old connections is no hindrance.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(target)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_running(settings.state):
            detail = f"{place} is in use, as it is while the bridge runs"
            return Finding(check, Level.OK, detail)
        if error.errno == errno.EADDRINUSE:
            detail = f"another program listens on {place}"
        elif error.errno == errno.EADDRNOTAVAIL:
            detail = f"this machine has no address {listen.host}"
        elif error.errno == errno.EACCES:
            detail = f"this user may not listen on {place}"
        else:
            detail = f"{place} cannot be listened on: {error.strerror}"
        return Finding(check, Level.FAULT, detail, todo)
    return Finding(check, Level.OK, f"http://{place}/ is free; served while the bridge runs")


async def _mail(settings: Settings, given: EmailSettings) -> Finding:
    """Sign in at the mail server, and go again."""
    from bridge.surfaces.notices.mail import Mail  # noqa: PLC0415 - only where wanted
    from bridge.surfaces.notices.ways import NotTold  # noqa: PLC0415 - as above

    place = _place(Listen(given.host, given.port))
    try:
        await Mail(given, trusting(settings.ca_file)).try_out()
    except NotTold as error:
        todo = "see notices.email: host, port, security, username and password"
        return Finding("notices by email", Level.FAULT, f"{place}: {error}", todo)
    return Finding("notices by email", Level.OK, f"{place} lets us in; no letter was sent")


def _program(name: str) -> Finding:
    if shutil.which(name) is None:
        todo = "name a program that this user may start, best with its whole path"
        return Finding(
            "notices by command", Level.FAULT, f"{name} is no program that can be started", todo
        )
    return Finding("notices by command", Level.OK, f"{name} is there; it was not started")


def _not_tried(way: str, url: str) -> Finding:
    detail = f"to {urlsplit(url).hostname}; not tried, since that would be a notice"
    return Finding(f"notices by {way}", Level.OK, detail)


def _not_installed(check: str, extra: str, error: ModuleNotFoundError) -> Finding:
    detail = f"configured, but {error.name} is not installed"
    return Finding(check, Level.FAULT, detail, f'pip install "twinpost[{extra}]"')


def _place(listen: Listen) -> str:
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{host}:{listen.port}"
