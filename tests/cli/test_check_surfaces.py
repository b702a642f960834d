"""The doctor looks at broker, page, figures and notices, and says nothing there."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.check import outside
from bridge.cli.check.findings import Finding, Level
from bridge.config import load
from tests.fixtures.brokers import MOSQUITTO, Broker, free_port, listening, running
from tests.fixtures.ways import Authority
from tests.fixtures.world import World
from tests.surfaces.test_mqtt import ran
from tests.surfaces.test_notices import post_office

KINDS = ["amqtt", pytest.param("mosquitto", marks=pytest.mark.skipif(not MOSQUITTO, reason="none"))]
needs_mosquitto = pytest.mark.skipif(not MOSQUITTO, reason="Mosquitto is not here")

_WITHOUT = """\
import sys
from importlib.abc import MetaPathFinder

BARRED = ("aiomqtt", "paho", "prometheus_client", "jinja2")

class Barred(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BARRED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Barred())
from bridge.__main__ import main

code = main()
known = [n for n in sys.modules if n.startswith("bridge.surfaces.") or n == "smtplib"]
print("IMPORTED", sorted(known), file=sys.stderr)
sys.exit(code)
"""


MINIMAL = """\
state: ./state
bridges: [{name: personal, mastodon: {url: "https://mastodon.example"}, x: {}}]
"""


class File:
    """A configuration with nothing but surfaces to look at."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "config.yaml"

    def says(self, *sections: str) -> None:
        self.path.write_text("\n".join((*sections, MINIMAL)), encoding="utf-8")

    async def found(self, check: str) -> Finding:
        findings = [each async for each in outside.surfaces(load(self.path))]
        assert "canary" not in str(findings)
        return next(each for each in findings if each.check == check)

    async def without_extras(self) -> tuple[dict[str, dict[str, Any]], str]:
        """The checks by name, as a process finds them that has no extra, and what it imported."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _WITHOUT, "check", "--json", "--config", str(self.path),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 30)
        checks = {row["check"]: row for row in json.loads(out)["checks"]}
        return checks, err.decode().splitlines()[-1]


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


@contextmanager
def taken() -> Iterator[int]:
    """A port at which somebody listens, who speaks no word."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made.getsockname()[1]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_that_takes_us_in_is_well_and_hears_nothing(
    file: File, tmp_path: Path, kind: str
) -> None:
    broker = Broker(tmp_path, kind)
    file.says(f"mqtt: {{host: 127.0.0.1, port: {broker.port}, commands: true}}")
    async with running(broker), listening(broker) as ear:
        row = await file.found("mqtt")
        await ear.client.publish("after", "it", qos=1)
        await ear.until("after")
        assert [topic for topic, _, _ in ear.heard if not topic.startswith("$SYS")] == ["after"]
    assert (row.level, row.todo) == (Level.OK, "")
    assert row.detail == f"127.0.0.1:{broker.port} lets us in (MQTT 3.1.1, not encrypted)"


@needs_mosquitto
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_name_password_and_certificate_of_a_broker_are_tried(
    file: File, tmp_path: Path, authority: Authority, version: str
) -> None:
    keys, passwords = authority.certificate.parent, tmp_path / "passwords"
    await ran(["mosquitto_passwd", "-b", "-c", passwords, "me", "canary"])
    passwords.chmod(0o644)
    options = (
        f"certfile {keys}/leaf.pem\nkeyfile {keys}/leaf.key\n"
        f"allow_anonymous false\npassword_file {passwords}\nuser root\n"
    )
    broker = Broker(tmp_path, "mosquitto", options=options)
    given = f"host: 127.0.0.1, port: {broker.port}, tls: true, version: {version}, username: me"
    async with running(broker):
        file.says(f"mqtt: {{{given}, password: canary}}")
        row = await file.found("mqtt")
        assert row.level is Level.FAULT
        assert "a certificate that is not trusted (" in row.detail
        assert "tls_ca_file" in row.todo

        (tmp_path / "own.pem").write_bytes(authority.certificate.read_bytes())
        file.says(f"mqtt: {{{given}, password: canary, tls_ca_file: own.pem}}")
        row = await file.found("mqtt")
        assert row.level is Level.OK
        assert row.detail.endswith(f"lets us in (MQTT {version}, encrypted)")

        file.says(f"mqtt: {{{given}, password: canary-wrong, tls_ca_file: own.pem}}")
        row = await file.found("mqtt")
        assert row.level is Level.FAULT
        assert "refuses the name and password" in row.detail
        assert "mqtt.username" in row.todo


async def test_a_broker_that_is_not_there_is_a_fault_with_what_to_look_at(file: File) -> None:
    port = free_port()
    file.says(f"mqtt: {{host: 127.0.0.1, port: {port}}}")
    row = await file.found("mqtt")
    assert row.level is Level.FAULT
    assert row.detail.startswith(f"127.0.0.1:{port} cannot be reached")
    assert "does the broker run" in row.todo


@pytest.mark.parametrize(
    ("words", "detail", "todo"),
    [
        ("[code:135] Not authorized", "refuses the name and password", "mqtt.username"),
        ("[code:134] Bad user name or password", "refuses the name and password", "mqtt.username"),
        ("[code:132] Unsupported protocol version", "does not speak MQTT 3.1.1", "mqtt.version"),
        ("[Errno -2] Name or service not known", "there is no such name", "mqtt.host"),
        (
            "[SSL: X] certificate verify failed: Hostname mismatch, not for 'b'. (_ssl.c:1006)",
            "not trusted (Hostname mismatch, not for 'b'.)",
            "tls_ca_file",
        ),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "encrypt", "mqtt.tls"),
        ("Operation timed out", "does not answer as a broker", "mqtt.tls"),
        ("nobody answers there", "cannot be reached: nobody answers there", "does the broker run"),
    ],
)
def test_why_a_broker_was_not_reached_is_said_in_words(words: str, detail: str, todo: str) -> None:
    said, advice = outside.why_lost(words, version="3.1.1", named=True)
    assert detail in said
    assert todo in advice


def test_a_broker_that_wants_a_name_is_said_to_want_one() -> None:
    said, _ = outside.why_lost("[code:135] Not authorized", version="5", named=False)
    assert said == "wants a name and a password"


async def test_what_is_configured_and_not_installed_is_a_fault_with_its_extra(file: File) -> None:
    file.says("mqtt: {host: 127.0.0.1}", "metrics: {enabled: true}", "web: {enabled: true}")
    checks, _ = await file.without_extras()
    for check, extra in (("mqtt", "mqtt"), ("metrics", "metrics"), ("web page", "web")):
        assert checks[check]["level"] == "fault"
        assert checks[check]["todo"] == f'pip install "twinpost[{extra}]"'


async def test_nothing_of_what_is_not_configured_is_looked_at_or_imported(file: File) -> None:
    file.says()
    checks, imported = await file.without_extras()
    assert not {"mqtt", "metrics", "web page"} & set(checks)
    assert not any(name.startswith("notices") for name in checks)
    assert imported in ("IMPORTED []", "IMPORTED ['bridge.surfaces.socket']")


@pytest.mark.parametrize(
    ("section", "check"), [("web", "web page"), ("metrics", "metrics")], ids=["web", "metrics"]
)
async def test_an_address_that_somebody_else_has_is_a_fault_and_a_free_one_is_well(
    file: File, section: str, check: str
) -> None:
    with taken() as port:
        file.says(f'{section}: {{enabled: true, listen: "127.0.0.1:{port}"}}')
        row = await file.found(check)
        assert row.level is Level.FAULT
        assert row.detail == f"another program listens on 127.0.0.1:{port}"
        assert f"{section}.listen" in row.todo
    row = await file.found(check)
    assert row.level is Level.OK
    assert f"http://127.0.0.1:{port}/" in row.detail


async def test_an_address_that_this_machine_does_not_have_is_a_fault(file: File) -> None:
    file.says('metrics: {enabled: true, listen: "192.0.2.7:8431"}')
    row = await file.found("metrics")
    assert row.level is Level.FAULT
    assert row.detail == "this machine has no address 192.0.2.7"


async def test_beside_the_running_bridge_its_own_addresses_are_no_fault(
    world: World, tmp_path: Path
) -> None:
    port, broker = free_port(), Broker(tmp_path, "amqtt")
    with world.config.open("a", encoding="utf-8") as config:
        config.write(f'metrics: {{enabled: true, listen: "127.0.0.1:{port}"}}\n')
        config.write(f"mqtt: {{host: 127.0.0.1, port: {broker.port}}}\n")
    async with running(broker), world.running(), listening(broker) as ear:
        await ear.until("twinpost/status")
        told = await world.twinpost("check")
        # The daemon's own connection was not put out by it.
        assert ear.of("twinpost/status") == ["online"]
    assert told.code == 0, told
    assert told.err == ""
    assert f"metrics: 127.0.0.1:{port} is in use, as it is while the bridge runs" in told.out
    assert f"mqtt: 127.0.0.1:{broker.port} lets us in" in told.out


async def test_a_mail_servers_certificate_and_password_are_tried_without_a_letter(
    file: File, tmp_path: Path
) -> None:
    office, _, server = await post_office(tmp_path, "starttls")
    given = (
        f"notices: {{email: {{host: 127.0.0.1, port: {office.port}, from: a@example.org, "
        "to: [b@example.org], username: me, password: canary}}"
    )
    file.says(given)
    row = await file.found("notices by email")
    assert row.level is Level.FAULT
    assert "its certificate is not trusted" in row.detail
    assert f"127.0.0.1:{office.port}" in row.detail

    file.says("ca_file: cert.pem", given)
    row = await file.found("notices by email")
    assert row.level is Level.OK, row
    assert any(line.startswith("AUTH") for line in office.lines)
    assert not any(line.startswith(("MAIL", "RCPT", "DATA")) for line in office.lines)

    office.refuse = True
    row = await file.found("notices by email")
    server.close()
    assert row.level is Level.FAULT
    assert "535" in row.detail
    assert "notices.email" in row.todo


async def test_a_program_that_is_not_there_is_a_fault_and_none_is_started(
    file: File, tmp_path: Path
) -> None:
    file.says(f"notices: {{command: [/bin/sh, -c, 'touch {tmp_path}/started']}}")
    assert (await file.found("notices by command")).level is Level.OK
    assert not (tmp_path / "started").exists()
    file.says("notices: {command: [/no/such/program]}")
    row = await file.found("notices by command")
    assert row.level is Level.FAULT
    assert "/no/such/program" in row.detail


async def test_addresses_that_are_secrets_are_not_shown_nor_asked(file: File) -> None:
    with taken() as port:
        file.says(
            f"notices: {{webhook: {{url: 'http://127.0.0.1:{port}/canary'}}, "
            f"ntfy: {{url: 'http://127.0.0.1:{port}', topic: canary-topic}}}}"
        )
        for check in ("notices by webhook", "notices by ntfy"):
            row = await file.found(check)
            assert row.level is Level.OK
            assert row.detail == "to 127.0.0.1; not tried, since that would be a notice"
