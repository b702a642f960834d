"""What images and machines stand on: a small Debian, and the locked packages as wheels.

Made afresh in a temporary folder for each run of the tests. Must not know the image or the units.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ("bridge", "systemd", "config.example.yaml", "pyproject.toml", "requirements-extras.lock")
TEXTS = ("README.md", "LICENSE")
CLEAN = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
"""The environment of what runs inside: nothing of the machine that the tests run on."""


class Missing(Exception):
    """Something that these tests need is not here; the message says what."""


def need(tools: Iterable[str]) -> None:
    """Raise `Missing` unless this is root on a Debian with `tools`."""
    if os.geteuid() != 0:
        raise Missing("only root can build images and boot machines")
    if suite() is None:
        raise Missing(f"only Debian can be rebuilt here, and this is {platform.system()}")
    lacking = [tool for tool in tools if shutil.which(tool) is None]
    if lacking:
        raise Missing(f"not installed: {', '.join(lacking)} (.ci/run names the Debian packages)")


def suite() -> str | None:
    """The name of this Debian (``bookworm``); None on anything else."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return None
    return release.get("VERSION_CODENAME") if release.get("ID") == "debian" else None


def debian(folder: Path) -> Path:
    """A minimal Debian of this machine's suite with Python. Takes about half a minute."""
    made = folder / "debian"
    packages = "python3,python3-venv,ca-certificates"
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", str(suite()), str(made)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        last = (ended.stdout + ended.stderr).strip().splitlines()[-1:]
        raise Missing(f"debootstrap could not bring a Debian: {' '.join(last)}")
    for archive in (made / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()
    return made


def wheels(folder: Path, debian: Path) -> Path:
    """Every locked package as a wheel for the Python of `debian`, with its hash checked.

    They are fetched out here, with this machine's own settings for pip, none of which goes inside.
    """
    made = folder / "wheels"
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = inside(debian, "python3", "-c", asked).stdout.strip()
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(made)),
            *("--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version", version),
            *("-r", str(ROOT / "requirements-extras.lock")),
        ],
        check=True,
        capture_output=True,
    )
    return made


def inside(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `root`. Raises `CalledProcessError`, with what it said, if it fails."""
    return said(["chroot", str(root), *command], env=CLEAN)


def said(
    command: list[str],
    *,
    env: dict[str, str] | None = None,
    check: bool = True,
    wait: float = 300,
    typed: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with `typed` as its input; a failure carries its output."""
    ended = subprocess.run(
        command,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        env=env,
        timeout=wait,
        cwd="/",
    )
    if check and ended.returncode != 0:
        raise AssertionError(
            f"{command} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
        )
    return ended


def until(reached: Callable[[], object], seconds: float = 30) -> float:
    """Wait until something is so; returns how many seconds that took."""
    begun = time.monotonic()
    while not reached():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - begun
