"""What is told outside is configured as everything else is: all or nothing, with line and key."""

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.config import Settings, load
from bridge.config.surface_settings import SurfaceSettings
from bridge.core.errors import ConfigError
from bridge.core.secret import Secret

BRIDGES = """\
bridges:
  - name: personal
    mastodon: {url: https://mastodon.example, access_token: token}
    x: {}
"""


def loaded(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "config.yaml"
    file.write_text(text + BRIDGES, encoding="utf-8")
    return load(file, environ)


def test_nothing_is_told_to_anybody_unless_it_is_asked_for(tmp_path: Path) -> None:
    told = loaded(tmp_path, "").surfaces
    assert told == SurfaceSettings()
    assert told.mqtt is None
    assert told.metrics is None
    assert not told.notices.are_wanted


@pytest.mark.parametrize("listen", ["127.0.0.1:8430", "0.0.0.0:8430", "localhost:8430"])
def test_page_and_metrics_cannot_be_at_one_address(tmp_path: Path, listen: str) -> None:
    web = "web: {enabled: true}\n"
    with pytest.raises(ConfigError, match=r"config\.yaml:2: metrics\.listen: .* the web page"):
        loaded(tmp_path, f'{web}metrics: {{enabled: true, listen: "{listen}"}}\n')


@pytest.mark.parametrize(
    ("page", "metrics"),
    [
        ("127.0.0.1:8430", "[::1]:8430"),
        ("127.0.0.1:8430", "127.0.0.1:8431"),
        ("127.0.0.1:8430", "127.0.0.2:8430"),
        # The system gives each a port of its own.
        ("127.0.0.1:0", "127.0.0.1:0"),
    ],
)
def test_page_and_metrics_may_be_neighbours(tmp_path: Path, page: str, metrics: str) -> None:
    text = f'web: {{enabled: true, listen: "{page}"}}\nmetrics: {{enabled: true, listen: "'
    told = loaded(tmp_path, f'{text}{metrics}"}}\n')
    assert told.surfaces.metrics is not None
    assert told.surfaces.metrics.listen.port == int(metrics.rpartition(":")[2])


def test_a_broker_takes_no_more_than_its_name(tmp_path: Path) -> None:
    mqtt = loaded(tmp_path, "mqtt: {host: broker.lan}\n").surfaces.mqtt
    assert mqtt is not None
    assert (mqtt.port, mqtt.tls, mqtt.version, mqtt.topic) == (1883, False, "3.1.1", "twinpost")
    assert (mqtt.include_text, mqtt.commands) == (False, False)
    assert mqtt.home_assistant == "homeassistant"


def test_a_broker_may_be_given_in_full(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("se cret\n", encoding="utf-8")
    text = f"""\
mqtt:
  host: broker.lan
  tls: true
  tls_ca_file: ca.pem
  username: me
  password_file: {tmp_path}/pw
  version: 5
  topic: home/twinpost
  include_text: true
  commands: true
  home_assistant: {{enabled: false}}
"""
    mqtt = loaded(tmp_path, text).surfaces.mqtt
    assert mqtt is not None
    assert (mqtt.port, mqtt.version, mqtt.topic) == (8883, "5", "home/twinpost")
    assert mqtt.tls_ca_file == tmp_path / "ca.pem"
    assert mqtt.password == Secret("se cret")
    assert mqtt.home_assistant is None


def test_notices_know_their_ways(tmp_path: Path) -> None:
    text = """\
notices:
  remind_every: 12h
  silent_after: never
  webhook: {url: "${HOOK}"}
  ntfy: {topic: my-topic}
  email: {host: mail.example, from: a@example.org, to: [b@example.org, c@example.org]}
  command: [/bin/cat, "-n"]
"""
    settings = loaded(tmp_path, text, HOOK="https://hooks.example/T0/B1?key=abc")
    notices = settings.surfaces.notices
    assert (notices.remind_every, notices.silent_after) == (timedelta(hours=12), timedelta(0))
    assert notices.email is not None
    assert (notices.email.port, notices.email.to) == (587, ("b@example.org", "c@example.org"))
    assert notices.command == ("/bin/cat", "-n")
    secrets = {secret.reveal() for secret in settings.surfaces.secrets()}
    assert secrets == {"https://hooks.example/T0/B1?key=abc", "my-topic"}
    assert "hooks.example" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("mqtt: {port: 1883}", "mqtt.host: missing"),
        ("mqtt: {host: a, port: 0}", "expected a port from 1 to 65535"),
        ("mqtt: {host: a, topic: 'a/#'}", "expected a topic of letters"),
        ("mqtt: {host: a, version: 3}", "expected 3.1.1 or 5"),
        ("mqtt: {host: localhost, password: x}", "there is no username"),
        ("mqtt: {host: a, username: b, password: x}", "mqtt.tls: say true, or false"),
        ("mqtt: {host: a, tls_ca_file: b}", "without tls: true"),
        ("metrics: {enabled: true, listen: 8431}", "expected an address and a port"),
        ("notices: {webhook: {url: 'http://example.org/a'}}", "plain http is for this machine"),
        ("notices: {webhook: {url: 'https://u:p@example.org/a'}}", "without a name or password"),
        ("notices: {ntfy: {topic: 'a b'}}", "expected a topic of letters"),
        ("notices: {remind_every: 5m}", "expected at least 1h"),
        ("notices: {silent_after: 5h}", "expected at least 1d, or never"),
        ("notices: {email: {host: a, from: b, to: [c@d.e]}}", "expected an e-mail address"),
        (
            "notices: {email: {host: m.example, security: none, from: a@b.c, to: [c@d.e]}}",
            "none is for a mail server on this machine",
        ),
        (
            "notices: {email: {host: m.example, username: u, from: a@b.c, to: [c@d.e]}}",
            "username and password, or neither",
        ),
        ("log: {format: xml}", "expected text or json"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml:1: ") as caught:
        loaded(tmp_path, text + "\n")
    assert complaint in str(caught.value)


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "notices: {webhook: {url: 'ftp://canary.example/abc'}}\n")
    assert "canary" not in str(caught.value)


def test_a_password_may_cross_the_own_network_where_that_is_said(tmp_path: Path) -> None:
    text = "mqtt: {host: broker.lan, username: me, password: x, tls: false}\n"
    assert loaded(tmp_path, text).surfaces.mqtt is not None
