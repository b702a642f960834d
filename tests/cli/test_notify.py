"""What a service manager and a container's probe are told, by the real process and its notifier.

Bars of docs/reliability.md: R17.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli.notify import Notifier
from bridge.sandbox.faults import Fault
from tests.fixtures.world import SHARED_MACHINE, World, until

HEALTHY = Path(__file__).parents[2] / "deploy" / "healthy.py"


class Manager:
    """A service manager's end of the socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)
        self.heard: list[list[str]] = []

    def close(self) -> None:
        self._socket.close()

    def listen(self) -> list[list[str]]:
        """Every message so far, each as its lines."""
        while True:
            try:
                self.heard.append(self._socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return self.heard

    def count(self, line: str) -> int:
        return sum(line in message for message in self.listen())

    def order(self) -> list[str]:
        """The messages by what their first line says, beats left out."""
        first = [message[0].split("=")[0] for message in self.listen()]
        return [word for word in first if word != "WATCHDOG"]

    def statuses(self) -> list[str]:
        lines = [line for message in self.listen() for line in message]
        return [line.removeprefix("STATUS=") for line in lines if line.startswith("STATUS=")]


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    yield made
    made.close()


@pytest.fixture
def beat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "heartbeat"
    monkeypatch.setenv("TWINPOST_HEARTBEAT", str(path))
    return path


def healthy() -> subprocess.CompletedProcess[str]:
    """What the probe of a container says, started as the image starts it."""
    command = [sys.executable, "-IS", str(HEALTHY)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def ended(process: asyncio.subprocess.Process) -> None:
    _, said = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 0, said.decode()


async def test_a_daemon_is_ready_once_it_polls_tells_of_a_reload_and_says_that_it_ends(
    world: World, manager: Manager
) -> None:
    process = await world.start("run")
    try:
        await until(lambda: manager.count("READY=1") == 1)
        assert manager.statuses() == ["2 route(s) at work"]
        assert manager.count("WATCHDOG=1") == 1
        await until(lambda: world.asked_who_it_is() > 0)
        process.send_signal(signal.SIGHUP)
        await until(lambda: manager.count("READY=1") == 2)
        process.terminate()
        await ended(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert manager.order() == ["READY", "RELOADING", "READY", "STOPPING"]
    (asked,) = [line for m in manager.heard for line in m if line.startswith("MONOTONIC_USEC=")]
    assert 0 < time.monotonic() - int(asked.split("=")[1]) / 1e6 < 60


async def test_a_daemon_is_never_ready_with_a_wrong_configuration(
    world: World, manager: Manager
) -> None:
    world.config.write_text("bridges: nonsense\n")
    assert (await world.twinpost("run")).code == 2
    assert manager.listen() == []


async def test_a_reload_that_finds_faults_goes_on_and_says_so(
    world: World, manager: Manager
) -> None:
    process = await world.start("run")
    try:
        await until(lambda: manager.count("READY=1") == 1)
        world.config.write_text("bridges: nonsense\n")
        process.send_signal(signal.SIGHUP)
        await until(lambda: manager.count("READY=1") == 2)
        assert "faults and was not taken" in manager.statuses()[-1]
        process.terminate()
        await ended(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_a_network_out_of_reach_or_unpaid_does_not_keep_a_daemon_from_being_ready(
    world: World, manager: Manager
) -> None:
    world.mastodon.faults.add(Fault("refuse-then-503", path="^/api/", times=None))
    world.x.out_of_credits = True
    process = await world.start("run")
    try:
        await until(lambda: manager.count("READY=1") == 1)
        # The next beat comes eight seconds later, and names what waits.
        await until(lambda: "waits until" in manager.statuses()[-1], 15 * SHARED_MACHINE)
        assert "x_to_mastodon waits for money" in manager.statuses()[-1]
        assert "credentials" not in manager.statuses()[-1]
    finally:
        process.terminate()
        await ended(process)


async def test_a_probe_finds_a_daemon_healthy_while_it_runs_and_not_when_it_has_ended(
    world: World, beat: Path
) -> None:
    assert healthy().returncode == 1
    process = await world.start("run")
    try:
        await until(beat.exists)
        assert healthy().returncode == 0
        assert os.stat(beat).st_mode & 0o777 == 0o600  # noqa: PTH116 - one glance
    finally:
        process.terminate()
        await ended(process)
    found = healthy()
    assert (found.returncode, "no beat" in found.stderr) == (1, True)


@pytest.mark.parametrize(
    ("ago", "code"), [(0, 0), (50, 0), (70, 1), pytest.param(-100, 1, id="before a new start")]
)
def test_a_probe_counts_the_silence(beat: Path, ago: float, code: int) -> None:
    beat.write_text(f"{time.monotonic() - ago:20.3f}\n")
    assert healthy().returncode == code


@pytest.mark.parametrize("content", ["", "soon\n", "nan\n"])
def test_a_beat_that_makes_no_sense_is_not_healthy(beat: Path, content: str) -> None:
    beat.write_text(content)
    assert healthy().returncode == 1


def test_a_probe_is_over_before_it_is_noticed(beat: Path) -> None:
    beat.write_text(f"{time.monotonic():20.3f}\n")
    took = []
    for _ in range(5):
        begun = time.monotonic()
        assert healthy().returncode == 0
        took.append(time.monotonic() - begun)
    assert min(took) < 0.2 * SHARED_MACHINE


def test_an_abstract_socket_is_reached(tmp_path: Path) -> None:
    name = f"twinpost-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    try:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).alive("fine")
        assert manager.listen() == [["READY=1", "STATUS=fine"]]
    finally:
        manager.close()


def test_a_status_is_told_when_it_changes_and_a_beat_only_to_who_watches_this_process(
    manager: Manager, tmp_path: Path
) -> None:
    asked = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
    watched = Notifier(asked | {"WATCHDOG_PID": str(os.getpid())})
    for status in ("fine", "fine", "one waits"):
        watched.alive(status)
    assert manager.statuses() == ["fine", "one waits"]
    assert manager.count("WATCHDOG=1") == 3
    Notifier(asked | {"WATCHDOG_PID": "1"}).alive("fine")
    assert manager.count("WATCHDOG=1") == 3


@pytest.mark.parametrize("name", ["NOTIFY_SOCKET", "TWINPOST_HEARTBEAT"])
def test_what_cannot_be_told_is_logged_once_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    notifier = Notifier({name: str(tmp_path / "nowhere" / "at all")})
    for _ in range(3):
        notifier.alive("fine")
    assert len(caplog.messages) == 1
    assert name in caplog.text


def test_who_asks_for_nothing_gets_nothing(caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier({})
    notifier.starting()
    notifier.alive("fine")
    notifier.reloading()
    notifier.kept()
    notifier.stopping()
    notifier.ended()
    assert caplog.messages == []
