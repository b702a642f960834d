"""What the daemon tells outside, as frozen values, and how they come from what a file says.

Must not read anything, nor import what a surface needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, cast

from bridge.config.document import Mapping as Written
from bridge.config.document import Node
from bridge.config.read import Reader, Values
from bridge.config.web import Listen
from bridge.core.secret import Secret

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
Security = Literal["starttls", "tls", "none"]
_MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_MQTT_PORT, _MQTT_TLS_PORT = 1883, 8883


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """A broker, and what is said there. `home_assistant` is the discovery prefix, None for off."""

    host: str
    port: int = _MQTT_PORT
    tls: bool = False
    tls_ca_file: Path | None = None
    username: str | None = None
    password: Secret | None = None
    version: Literal["3.1.1", "5"] = "3.1.1"
    topic: str = "twinpost"
    include_text: bool = False
    commands: bool = False
    home_assistant: str | None = "homeassistant"


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where figures are served, and by which names beside localhost and IP addresses."""

    listen: Listen = field(default_factory=lambda: Listen("127.0.0.1", 8431))
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """An address that takes notices as JSON."""

    url: Secret


@dataclass(frozen=True, slots=True)
class NtfySettings:
    """A topic of an ntfy server."""

    topic: Secret
    url: str = "https://ntfy.sh"
    token: Secret | None = None


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """A mail server, and whose letter goes to whom."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    security: Security = "starttls"
    username: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Who is told; zero for `silent_after` is never, an empty `command` is none."""

    remind_every: timedelta = timedelta(hours=24)
    silent_after: timedelta = timedelta(days=3)
    webhook: WebhookSettings | None = None
    ntfy: NtfySettings | None = None
    email: EmailSettings | None = None
    command: tuple[str, ...] = ()

    @property
    def are_wanted(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self.webhook or self.ntfy or self.email or self.command)

    def secrets(self) -> tuple[Secret, ...]:
        """All that must be shown nowhere."""
        given = (
            self.webhook and self.webhook.url,
            self.ntfy and self.ntfy.topic,
            self.ntfy and self.ntfy.token,
            self.email and self.email.password,
        )
        return tuple(secret for secret in given if isinstance(secret, Secret))


@dataclass(frozen=True, slots=True)
class SurfaceSettings:
    """Everything above; None and empty for what is not wanted."""

    mqtt: MqttSettings | None = None
    metrics: MetricsSettings | None = None
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    log_format: Literal["text", "json"] = "text"

    def secrets(self) -> tuple[Secret, ...]:
        """All that must be shown nowhere."""
        broker = self.mqtt.password if self.mqtt else None
        return (*([broker] if broker else []), *self.notices.secrets())


def surfaces_of(reader: Reader, root: Node, found: Values) -> SurfaceSettings:
    """The settings in the values of a whole file; faults are noted at the line of their section."""
    folder = reader.path.resolve().parent
    mqtt, metrics, notices = (_section(found, name) for name in ("mqtt", "metrics", "notices"))
    for name, what in (*_at_odds(mqtt), *_email_at_odds(_section(notices, "email"))):
        section = name.partition(".")[0]
        line = root.lines.get(section, root.line) if isinstance(root, Written) else root.line
        reader.fault(line, name, what)
    return SurfaceSettings(
        mqtt=_mqtt(mqtt, folder) if mqtt.get("host") else None,
        metrics=_metrics(metrics),
        notices=_notices(notices),
        log_format=_section(found, "log").get("format") or "text",
    )


def _section(found: Values, name: str) -> dict[str, Any]:
    # The declaration in `surface_keys` has checked types and presence of what is taken out here.
    return cast("dict[str, Any]", found.get(name) or {})


def _given(values: Values, *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _at_odds(mqtt: Values) -> Iterator[tuple[str, str]]:
    if mqtt.get("password") and not mqtt.get("username"):
        yield "mqtt.password", "there is no username that it goes with"
    if mqtt.get("tls_ca_file") and not mqtt.get("tls"):
        yield "mqtt.tls_ca_file", "without tls: true it would be of no use"
    if mqtt.get("password") and mqtt.get("tls") is None and mqtt.get("host") not in _LOCAL:
        yield "mqtt.tls", "say true, or false to send the password over the network in the clear"


def _email_at_odds(email: Values) -> Iterator[tuple[str, str]]:
    if email.get("security") == "none" and email.get("host") not in _LOCAL:
        yield "notices.email.security", "none is for a mail server on this machine only"
    if bool(email.get("username")) is not bool(email.get("password")):
        yield "notices.email", "give username and password, or neither"


def _mqtt(given: dict[str, Any], folder: Path) -> MqttSettings:
    tls, file = bool(given["tls"]), given["tls_ca_file"]
    announced = _section(given, "home_assistant")
    prefix = announced.get("prefix") or "homeassistant"
    named = _given(given, "username", "version", "topic", "include_text", "commands")
    return MqttSettings(
        host=given["host"],
        port=given["port"] or (_MQTT_TLS_PORT if tls else _MQTT_PORT),
        tls=tls,
        tls_ca_file=(folder / Path(file).expanduser()).resolve() if file else None,
        password=_secret(given["password"]),
        home_assistant=None if announced.get("enabled") is False else prefix,
        **named,
    )


def _metrics(given: dict[str, Any]) -> MetricsSettings | None:
    if not given.get("enabled"):
        return None
    return MetricsSettings(**_given(given, "listen"), hosts=frozenset(given.get("hosts") or ()))


def _notices(given: dict[str, Any]) -> NoticeSettings:
    webhook, ntfy, email = (_section(given, name) for name in ("webhook", "ntfy", "email"))
    return NoticeSettings(
        **_given(given, "remind_every", "silent_after"),
        webhook=WebhookSettings(Secret(webhook["url"])) if webhook.get("url") else None,
        ntfy=_ntfy(ntfy) if ntfy.get("topic") else None,
        email=_email(email) if email.get("host") and email.get("to") else None,
        command=tuple(given.get("command") or ()),
    )


def _ntfy(given: dict[str, Any]) -> NtfySettings:
    token = _secret(given["token"])
    return NtfySettings(Secret(given["topic"]), **_given(given, "url"), token=token)


def _email(given: dict[str, Any]) -> EmailSettings:
    security: Security = given["security"] or "starttls"
    return EmailSettings(
        host=given["host"],
        port=given["port"] or _MAIL_PORTS[security],
        sender=given["from"],
        to=tuple(given["to"]),
        security=security,
        username=given["username"],
        password=_secret(given["password"]),
    )


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)
