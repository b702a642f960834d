"""The image as a container: nothing but its volume to write to, no rights, secrets from files."""

import json
import os
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system import container, ground
from tests.system.container import USER, Container, Image
from tests.system.ground import until
from tests.system.networks import Networks, Person

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ENDED_IN_TIME = 10


@pytest.fixture(scope="module")
def image(debian: Path, wheels: Path, workshop: Path) -> Iterator[Image]:
    try:
        ground.need(container.TOOLS)
    except ground.Missing as missing:
        pytest.skip(str(missing))
    with container.built(debian, wheels, workshop / "image") as made:
        yield made


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume as an engine makes it: it belongs to the image's user."""
    made = tmp_path / "volume"
    made.mkdir(mode=0o700)
    os.chown(made, USER, USER)
    return made


@pytest.fixture
def ada(networks: Networks) -> Person:
    return networks.person(f"ada{time.monotonic_ns() % 10**9}")


@pytest.fixture
def files(tmp_path: Path, networks: Networks, ada: Person) -> dict[str, Path]:
    """A configuration, and its secrets where containers have them."""
    config, secrets = tmp_path / "config.yaml", tmp_path / "secrets"
    config.write_text(networks.configuration(), encoding="utf-8")
    secrets.mkdir()
    for name, value in ada.secrets().items():
        (secrets / name).write_text(value + "\n", encoding="utf-8")
        (secrets / name).chmod(0o440)
        os.chown(secrets / name, 0, USER)
    return {"/etc/twinpost/config.yaml": config, "/run/secrets": secrets}


@contextmanager
def daemon(image: Image, folder: Path, volume: Path, files: dict[str, Path]) -> Iterator[Container]:
    """The image's own command, once it is healthy."""
    folder.mkdir(exist_ok=True)
    with container.running(image, folder, volume=volume, files=files) as made:
        until(lambda: healthy(image, made) or made.process.poll() is not None)
        assert made.process.poll() is None, made.said()
        yield made


def healthy(image: Image, running: Container) -> bool:
    """What the image's own health check says."""
    kind, *command = image.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    return running.run(*command).returncode == 0


def mirrored(networks: Networks, person: Person, text: str) -> None:
    """Write on Mastodon, and wait until it stands on X, once."""
    networks.toot(person, text)
    until(lambda: text in networks.on_x(person))
    assert networks.on_x(person).count(text) == 1


def watching(running: Container) -> None:
    """Wait until both timelines have been read once: what is written after that is new."""

    def all_read() -> bool:
        rows = [
            json.loads(r) for r in running.run("twinpost", "status", "--json").stdout.splitlines()
        ]
        return bool(rows) and all(row["last_read_at"] for row in rows)

    until(all_read)


def status(running: Container) -> dict[str, str]:
    """What the kernel says about the first process."""
    lines = running.run("cat", "/proc/1/status").stdout.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_the_image_says_how_it_wants_to_be_run(image: Image, figure: Callable[[str], None]) -> None:
    figure(f"image, all that it adds to its base: {image.own_megabytes:.0f} MB")
    assert image.config["User"] == f"{USER}:{USER}"
    assert image.config["Entrypoint"] == ["/opt/twinpost/bin/twinpost"]
    assert list(image.config["Volumes"]) == ["/state"]
    assert image.config["Healthcheck"]["Test"][0] == "CMD"
    assert image.own_megabytes < 120


def test_the_image_holds_nothing_that_only_building_it_needed(image: Image) -> None:
    for left in ("etc/pip.conf", "root/.config", "root/.cache", "root/wheels", "src"):
        assert not (image.rootfs / left).exists(), left
    assert not list(image.rootfs.glob("opt/twinpost/lib/*/site-packages/pip*"))
    writable = ground.said(
        ["find", str(image.rootfs / "opt"), "-not", "-type", "l", "-perm", "/022"]
    )
    assert writable.stdout == ""


def test_the_image_has_what_the_page_the_broker_and_the_metrics_need(image: Image) -> None:
    asked = "import aiomqtt, jinja2, prometheus_client"
    ground.inside(image.rootfs, "/opt/twinpost/bin/python", "-c", asked)


def test_the_demo_answers_and_stops(image: Image, tmp_path: Path, volume: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["demo", "--headless", "--port", str(port)]
    with container.running(image, tmp_path, volume=volume, command=command) as demo:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def page() -> bytes:
            try:
                with opener.open(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    content: bytes = answer.read()
            except OSError:
                return b""
            return content

        until(lambda: b"twinpost" in page() or demo.process.poll() is not None)
        demo.signal("TERM")
        assert demo.ended(ENDED_IN_TIME) == 0, demo.said()
    assert "The demo is at" in demo.said()


def test_a_bridge_runs_without_rights_on_a_root_it_cannot_write_to(
    image: Image,
    tmp_path: Path,
    volume: Path,
    files: dict[str, Path],
    ada: Person,
    networks: Networks,
    figure: Callable[[str], None],
) -> None:
    begun = time.monotonic()
    with daemon(image, tmp_path / "first", volume, files) as first:
        figure(f"container, start to healthy: {time.monotonic() - begun:.2f} s")
        facts = status(first)
        assert facts["Name"] == "twinpost"
        assert facts["Pid"] == "1"
        assert set(facts["Uid"].split()) == {str(USER)}
        assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0
        assert facts["NoNewPrivs"] == "1"
        for place in ("/", "/opt/twinpost", "/etc/twinpost", "/run/secrets"):
            assert "Read-only file system" in first.run("touch", f"{place}/x").stderr
        watching(first)
        first.signal("HUP")
        until(lambda: "configuration reloaded" in first.said())
        mirrored(networks, ada, "Out of a container")
        begun = time.monotonic()
        first.signal("TERM")
        assert first.ended(ENDED_IN_TIME) == 0, first.said()
        figure(f"container, SIGTERM to end: {time.monotonic() - begun:.2f} s")
    for secret in ada.secrets().values():
        assert secret not in first.said()
    for path in volume.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path

    with daemon(image, tmp_path / "second", volume, files) as second:
        mirrored(networks, ada, "Out of the next one")
        second.signal("TERM")
        assert second.ended(ENDED_IN_TIME) == 0, second.said()
    assert networks.on_x(ada) == ["Out of the next one", "Out of a container"]


def test_the_health_check_tells_a_daemon_that_hangs_from_one_that_lives(
    image: Image,
    tmp_path: Path,
    volume: Path,
    files: dict[str, Path],
    figure: Callable[[str], None],
) -> None:
    def silent_for_a_minute() -> None:
        (volume / "heartbeat").write_text(f"{time.monotonic() - 61:20.3f}\n", encoding="ascii")

    with daemon(image, tmp_path / "run", volume, files) as running:
        begun = time.monotonic()
        assert healthy(image, running)
        figure(f"container, one health check: {time.monotonic() - begun:.2f} s")
        silent_for_a_minute()
        assert not healthy(image, running)
        until(lambda: healthy(image, running))
        running.signal("STOP")
        silent_for_a_minute()
        time.sleep(9)
        assert not healthy(image, running)
        running.signal("CONT")
        until(lambda: healthy(image, running))
        running.signal("TERM")
        assert running.ended(ENDED_IN_TIME) == 0


def test_it_ends_in_time_though_both_networks_hang(
    image: Image,
    tmp_path: Path,
    volume: Path,
    files: dict[str, Path],
    networks: Networks,
    figure: Callable[[str], None],
) -> None:
    with daemon(image, tmp_path / "run", volume, files) as running:
        networks.hang()
        try:
            asked = networks.asked()
            until(lambda: networks.asked() > asked)
            begun = time.monotonic()
            running.signal("TERM")
            assert running.ended(ENDED_IN_TIME) == 0
        finally:
            networks.mend()
        took = time.monotonic() - begun
        figure(f"container, SIGTERM to end while both networks hang: {took:.2f} s")


def test_a_volume_as_kubernetes_mounts_it_is_good_enough(
    image: Image,
    tmp_path: Path,
    volume: Path,
    files: dict[str, Path],
    ada: Person,
    networks: Networks,
) -> None:
    """It belongs to root, and to the pod's `fsGroup` too."""
    os.chown(volume, 0, USER)
    volume.chmod(0o2770)
    with daemon(image, tmp_path / "run", volume, files) as running:
        watching(running)
        mirrored(networks, ada, "Out of a pod")
    assert {p.stat().st_mode & 0o777 for p in volume.iterdir() if p.is_file()} == {0o600}


def test_who_signs_in_within_a_container_is_remembered_in_its_volume(
    image: Image, tmp_path: Path, volume: Path, files: dict[str, Path]
) -> None:
    command = ["login", "mastodon", "--token-file", "/run/secrets/mastodon-token"]
    with container.running(image, tmp_path, volume=volume, files=files, command=command) as login:
        assert login.ended(30) == 0, login.said()
    (kept,) = (volume / "tokens").glob("personal-mastodon*.json")
    facts = kept.stat()
    assert (facts.st_uid, facts.st_mode & 0o777) == (USER, 0o600)


def test_what_is_wrong_is_said_in_a_sentence(
    image: Image, tmp_path: Path, volume: Path, files: dict[str, Path]
) -> None:
    secrets = files["/run/secrets"]
    (secrets / "x-access-token").unlink()
    with container.running(image, tmp_path, volume=volume, files=files) as incomplete:
        assert incomplete.ended(30) == 2
    assert "there is no file x-access-token in any of these folders" in incomplete.said()
    (secrets / "x-access-token").write_text("known\n", encoding="utf-8")
    (secrets / "x-access-token").chmod(0o444)
    os.chown(volume, 0, 0)
    with container.running(image, tmp_path, volume=volume, files=files) as shut_out:
        assert shut_out.ended(30) in {2, 4}
    assert "/state" in shut_out.said()
    assert "Traceback" not in shut_out.said()
