"""The units on a booted systemd: ready, reload, watchdog, stop, private state, several, a timer."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system import ground, machine
from tests.system.ground import until
from tests.system.machine import Machine
from tests.system.networks import Networks, Person

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

UNIT = "twinpost.service"
STATE = "/var/lib/private/twinpost"
AT_WORK = "2 route(s) at work"


PICTURE = """
import asyncio, pathlib, tempfile
from PIL import Image
from bridge.core.capabilities import FileLimits
from bridge.media.fit import redraw
from bridge.media.sniff import sniff
source = pathlib.Path(tempfile.mkdtemp()) / "source"
Image.new("RGB", (3000, 2000), "teal").save(source, "PNG")
target = source.with_name("target")
limits = FileLimits(types=frozenset({"image/jpeg"}), max_bytes=10**6, max_width=400)
with target.open("w+b") as file:
    made = asyncio.run(redraw(source, sniff(source), limits, file.fileno()))
print(made.mime, Image.open(target).width)
"""


@pytest.fixture(scope="module")
def booted(debian: Path, wheels: Path, workshop: Path) -> Iterator[Machine]:
    try:
        ground.need(machine.TOOLS)
        with machine.booted(machine.installed(debian, wheels, workshop)) as made:
            yield made
    except ground.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def here(booted: Machine) -> Iterator[Machine]:
    """The machine as it is after an installation, before a configuration."""
    booted.clear()
    yield booted
    booted.clear()


@pytest.fixture
def ada(networks: Networks, here: Machine, request: pytest.FixtureRequest) -> Person:
    """Somebody new, whose accounts the service is configured for."""
    person = networks.person(f"ada{time.monotonic_ns() % 10**9}")
    here.configure(networks.configuration(), person.secrets())
    return person


def started(here: Machine, unit: str = UNIT) -> str:
    """Start the service; returns its process id inside. It is ready by then."""
    here.run("systemctl", "start", unit)
    assert here.tell(unit, "ActiveState") == "active"
    return here.tell(unit, "MainPID")


def mirrored(networks: Networks, person: Person, text: str) -> None:
    """Write on Mastodon, and wait until it stands on X, once."""
    networks.toot(person, text)
    until(lambda: text in networks.on_x(person))
    assert networks.on_x(person).count(text) == 1


def watching(here: Machine, unit: str = UNIT) -> None:
    """Wait until both timelines have been read once: what is written after that is new."""
    name = unit.removesuffix(".service").replace("@", "-")
    instance = [] if name == "twinpost" else ["-i", name.removeprefix("twinpost-")]

    def all_read() -> bool:
        asked = here.run("twinpost-as-service", *instance, "status", "--json", check=False)
        rows = [json.loads(line) for line in asked.stdout.splitlines()]
        return bool(rows) and all(row["last_read_at"] for row in rows)

    until(all_read)


def test_the_service_is_started_only_once_it_polls(
    here: Machine, ada: Person, networks: Networks, figure: Callable[[str], None]
) -> None:
    begun = time.monotonic()
    started(here)
    figure(f"service, start to ready: {time.monotonic() - begun:.2f} s")
    assert here.tell(UNIT, "StatusText") == AT_WORK
    said = here.journal(UNIT)
    running = next(i for i, line in enumerate(said) if "running 1 bridge(s)" in line)
    assert running < next(i for i, line in enumerate(said) if line.startswith("Started "))
    asked = networks.asked()
    until(lambda: networks.asked() > asked, 5)
    watching(here)
    mirrored(networks, ada, "Carried by a service")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(
            "echo 'bridges: nonsense' > /etc/twinpost/config.yaml", "2", id="configuration"
        ),
        pytest.param(f"rm {STATE}/ledger.sqlite3", "4", id="lost ledger"),
    ],
)
def test_what_does_not_mend_itself_is_not_started_again(
    here: Machine, ada: Person, spoil: str, code: str
) -> None:
    started(here)
    here.run("systemctl", "stop", UNIT)
    here.drop_in(UNIT, "[Service]\nRestartSec=100ms\n")
    here.run("sh", "-c", spoil)
    assert here.run("systemctl", "start", UNIT, check=False).returncode != 0
    time.sleep(1)
    assert here.tell(UNIT, "ActiveState") == "failed"
    assert here.tell(UNIT, "ExecMainStatus") == code
    assert here.tell(UNIT, "NRestarts") == "0"


def test_a_reload_takes_what_is_new_in_the_same_process_and_refuses_what_is_wrong(
    here: Machine, ada: Person, networks: Networks
) -> None:
    process = started(here)
    good = networks.configuration()
    here.configure(networks.configuration(outward=False), {})
    here.run("systemctl", "reload", UNIT)
    until(lambda: here.tell(UNIT, "StatusText") == "1 route(s) at work")
    here.configure("bridges: nonsense\n", {})
    here.run("systemctl", "reload", UNIT)
    until(lambda: "was not taken" in here.tell(UNIT, "StatusText"))
    until(lambda: here.tell(UNIT, "ActiveState") == "active")
    here.configure(good, {})
    here.run("systemctl", "reload", UNIT)
    until(lambda: here.tell(UNIT, "StatusText") == AT_WORK)
    assert here.tell(UNIT, "MainPID") == process
    watching(here)
    mirrored(networks, ada, "After three reloads")


def test_a_process_that_hangs_is_killed_by_the_watchdog_and_started_again(
    here: Machine, ada: Person, networks: Networks, figure: Callable[[str], None]
) -> None:
    here.drop_in(UNIT, "[Service]\nWatchdogSec=14\nRestartSec=1\n")
    process = started(here)
    watching(here)
    mirrored(networks, ada, "Before it hung")
    # Beats keep it alive for longer than the watchdog waits.
    time.sleep(15)
    assert here.tell(UNIT, "MainPID") == process
    here.run("sh", "-c", f"kill -STOP {process}")
    took = until(lambda: here.tell(UNIT, "NRestarts") == "1", 40)
    until(lambda: here.tell(UNIT, "StatusText") == AT_WORK)
    figure(f"service, hung to started again (WatchdogSec=14): {took:.1f} s")
    assert here.tell(UNIT, "MainPID") not in {process, "0"}
    assert any("watchdog" in line.lower() for line in here.journal(UNIT))
    mirrored(networks, ada, "After it hung")
    assert networks.on_x(ada) == ["After it hung", "Before it hung"]


def test_it_stops_within_ten_seconds_though_both_networks_hang(
    here: Machine, ada: Person, networks: Networks, figure: Callable[[str], None]
) -> None:
    started(here)
    watching(here)
    networks.hang()
    try:
        asked = networks.asked()
        until(lambda: networks.asked() > asked)
        begun = time.monotonic()
        here.run("systemctl", "stop", UNIT)
        took = time.monotonic() - begun
    finally:
        networks.mend()
    figure(f"service, stop while both networks hang: {took:.2f} s")
    assert took < 10
    assert here.tell(UNIT, "Result") == "success"


def test_an_idle_service_stops_at_once(
    here: Machine, ada: Person, figure: Callable[[str], None]
) -> None:
    started(here)
    watching(here)
    begun = time.monotonic()
    here.run("systemctl", "stop", UNIT)
    took = time.monotonic() - begun
    figure(f"service, stop: {took:.2f} s")
    assert took < 5
    assert here.tell(UNIT, "Result") == "success"


def test_state_and_tokens_are_the_services_alone_and_outlive_it(
    here: Machine, ada: Person, networks: Networks
) -> None:
    keys = dict(ada.x_keys["oauth2"])
    # An access token that X refuses has to be renewed, and the new pair has to be kept.
    secrets = {f"x-{name}".replace("_", "-"): value for name, value in keys.items()}
    secrets |= {"x-access-token": "stale", "mastodon-token": ada.mastodon_token}
    here.configure(networks.configuration("oauth2"), secrets)
    process = started(here)
    watching(here)
    tokens = f"{STATE}/tokens/personal-x.json"
    until((here.root / tokens[1:]).exists)

    user = here.run("stat", "-c", "%u", f"/proc/{process}").stdout.strip()
    assert int(user) >= 61184  # where systemd takes users from that exist only while they are used
    found = here.run("find", STATE, "-printf", "%U %m %y %P\n").stdout.splitlines()
    for line in found:
        owner, mode, kind, _ = line.split(" ", 3)
        assert (owner, mode) == (user, "700" if kind == "d" else "600"), line
    assert any("ledger.sqlite3" in line for line in found)

    environment = here.run("cat", f"/proc/{process}/environ").stdout
    assert "CREDENTIALS_DIRECTORY" in environment
    said = "\n".join(here.journal(UNIT)) + environment
    for secret in (*keys.values(), ada.mastodon_token):
        assert secret not in said
    credentials = here.run("stat", "-c", "%a", "/run/credentials/twinpost.service").stdout.strip()
    assert credentials[-1] == "0"

    kept = here.run("cat", tokens).stdout
    here.run("systemctl", "restart", UNIT)
    watching(here)
    assert here.run("cat", tokens).stdout == kept
    mirrored(networks, ada, "With the tokens that were kept")


def test_who_signs_in_as_the_service_needs_no_files_of_secrets(
    here: Machine, networks: Networks
) -> None:
    eve = networks.person(f"eve{time.monotonic_ns() % 10**9}")
    here.configure(networks.configuration(signed_in=True), {})
    keys = eve.x_keys["oauth1"]
    names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    login = ("twinpost-as-service", "login")
    here.run(*login, "mastodon", "--token-file", "-", typed=f"{eve.mastodon_token}\n")
    here.run(*login, "x", "--oauth1", typed="".join(f"{keys[name]}\n" for name in names))
    checked = here.run("twinpost-as-service", "check", check=False)
    assert "fault" not in checked.stdout, checked.stdout
    started(here)
    watching(here)
    mirrored(networks, eve, "Signed in as the service")


def test_a_picture_can_be_unpacked_within_the_walls_of_the_service(here: Machine) -> None:
    """Its child process sets bounds of its own, which the filters of the service must allow."""
    walls = (
        (ground.ROOT / "systemd" / UNIT).read_text(encoding="utf-8").split("# What it may reach")
    )
    asked = [
        line for line in walls[1].split("[Install]")[0].splitlines() if re.match(r"\w+=", line)
    ]
    properties = [word for line in asked for word in ("-p", line)]
    unit = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *properties]
    drawn = here.run(*unit, f"{machine.VENV}/bin/python", "-c", PICTURE)
    assert drawn.stdout.split() == ["image/jpeg", "400"]


def test_two_bridges_run_side_by_side_under_users_of_their_own(
    here: Machine, networks: Networks
) -> None:
    people = {
        name: networks.person(f"{name}{time.monotonic_ns() % 10**9}") for name in ("home", "work")
    }
    for name, person in people.items():
        here.configure(networks.configuration(), person.secrets(), f"twinpost-{name}")
        started(here, f"twinpost@{name}.service")
        watching(here, f"twinpost@{name}.service")
    for person in people.values():
        mirrored(networks, person, f"By {person.name}")
    owners = {here.run("stat", "-c", "%u", f"{STATE}-{name}").stdout for name in people}
    assert len(owners) == 2


def test_a_timer_makes_a_pass_now_and_then(here: Machine, ada: Person, networks: Networks) -> None:
    once = "twinpost-once.service"
    here.run("systemctl", "start", once)
    assert here.tell(once, "Result") == "success"
    networks.toot(ada, "By a timer")
    assert networks.on_x(ada) == []
    here.drop_in(
        "twinpost-once.timer",
        "[Timer]\nOnBootSec=\nOnActiveSec=1\nOnUnitInactiveSec=2\n"
        "RandomizedDelaySec=0\nAccuracySec=100ms\n",
    )
    here.run("systemctl", "start", "twinpost-once.timer")
    until(lambda: networks.on_x(ada) == ["By a timer"])
    networks.toot(ada, "And by its next run")
    until(lambda: len(networks.on_x(ada)) == 2)
    assert here.tell(once, "User") == "twinpost"


def test_a_command_beside_the_service_sees_what_the_service_did(
    here: Machine, ada: Person, networks: Networks
) -> None:
    started(here)
    watching(here)
    mirrored(networks, ada, "Ask me about it")
    asked = here.run("twinpost-as-service", "history", "--json")
    (row,) = [r for r in map(json.loads, asked.stdout.splitlines()) if r["parts"]]
    assert row["state"] == "delivered"
    assert here.run("twinpost-as-service", "why", "1", check=False).returncode == 2
    owners = here.run("find", STATE, "-printf", "%U\n").stdout.splitlines()
    assert set(owners) == {here.run("stat", "-c", "%u", STATE).stdout.strip()}
