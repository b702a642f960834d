"""The units as files: how much they expose, and that they agree with each other and the program."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.exits import Exit
from bridge.config.keys import ROOT as KEYS
from bridge.engine.supervise import LEASE_RENEWAL

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
SERVICES = ("twinpost.service", "twinpost@.service", "twinpost-once.service")
DAEMONS = SERVICES[:2]
HARDENED = "# What it may reach"
MOST_EXPOSED = 1.5


def text(name: str) -> str:
    return (UNITS / name).read_text(encoding="utf-8")


def values(name: str, key: str) -> list[str]:
    """Every value of a key in a unit."""
    return re.findall(rf"^{key}=(.*)$", text(name), re.MULTILINE)


def secrets(section: Any = KEYS) -> set[str]:
    """Every secret of the configuration, with the section that it stands in."""
    found = set()
    for key in section.keys:
        if hasattr(key, "keys"):
            found |= secrets(key)
        elif key.secret:
            found.add(f"{section.name}.{key.name}")
    return found


def as_credential(secret: str) -> str:
    """What a secret is called where it is a file: its section in short, then its key."""
    section, key = secret.split(".")
    if section in {"mastodon", "webhook"}:
        return {"mastodon": "mastodon-token", "webhook": "notice-webhook"}[section]
    short = {"oauth1": "x", "oauth2": "x", "email": "mail"}.get(section, section)
    return f"{short}-{key}".replace("_", "-")


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_a_service_exposes_little(name: str) -> None:
    """By systemd's own measure: 10 is everything, and an empty unit has 9.6."""
    ended = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", f"./{name}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=UNITS,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    if "--offline" in ended.stderr:
        pytest.skip("this systemd-analyze cannot judge a file (systemd 251 or newer can)")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", ended.stdout)
    assert found, ended.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_all_services_are_shut_in_alike() -> None:
    shut_in = {
        text(name)
        .split(HARDENED)[1]
        .split("[Install]")[0]
        .replace("twinpost-%i", "twinpost")
        .strip()
        for name in SERVICES
    }
    assert len(shut_in) == 1


def test_a_violation_is_an_error_that_can_be_told_and_not_a_death() -> None:
    assert values("twinpost.service", "SystemCallErrorNumber") == ["EPERM"]


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_is_watched_and_started_again_but_not_where_that_mends_nothing(name: str) -> None:
    assert values(name, "Type") == ["notify"]
    assert values(name, "Restart") == ["on-failure"]
    never = {int(code) for code in values(name, "RestartPreventExitStatus")[0].split()}
    assert never == {Exit.USAGE, Exit.AUTHORISATION, Exit.LEDGER}
    # Two beats may be lost before it counts as dead.
    assert int(values(name, "WatchdogSec")[0]) >= 3 * LEASE_RENEWAL
    assert int(values(name, "TimeoutStopSec")[0]) > 10


def test_every_secret_of_the_configuration_can_come_as_a_credential() -> None:
    for name in SERVICES:
        store = values(name, "StateDirectory")[0]
        given = dict(value.split(":") for value in values(name, "LoadCredential"))
        assert given == {one: f"{store}.{one}" for one in given}
        wanted = {as_credential(one) for one in secrets()}
        assert set(given) == wanted


def test_the_way_to_the_networks_is_the_same_for_a_service_and_for_a_command_beside_it() -> None:
    files = {value for name in SERVICES for value in values(name, "EnvironmentFile")}
    assert files == {"-/etc/twinpost/environment"}
    assert f"-p EnvironmentFile={files.pop()} " in text("twinpost-as-service")


def test_the_example_of_a_configuration_names_secrets_as_the_units_do() -> None:
    example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"# +(?!tls_ca_file)\w+_file: ([a-z0-9-]+)$", example, re.MULTILINE))
    given = {value.split(":")[0] for value in values("twinpost.service", "LoadCredential")}
    assert named
    assert named <= given


def test_a_command_beside_a_service_is_given_the_same_credentials() -> None:
    script = text("twinpost-as-service")
    (listed,) = re.findall(r"for id in (.*?); do", script.replace("\\\n", " "), re.DOTALL)
    given = [value.split(":")[0] for value in values("twinpost.service", "LoadCredential")]
    assert listed.split() == given


def test_the_script_is_one_that_every_shell_reads() -> None:
    script = UNITS / "twinpost-as-service"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    told = subprocess.run([str(script)], capture_output=True, text=True, check=False)
    assert (told.returncode, "twinpost-as-service status" in told.stderr) == (2, True)
