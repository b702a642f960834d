"""The image, built by buildah on a small Debian, and containers of it, run by runc.

A container has a root it cannot write to, no capability, a process tree of its own, and one volume,
as compose.example.yaml would have it; and this machine's network, where the sandbox is.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.ground import CLEAN, ROOT, said

TOOLS = ("buildah", "runc")
USER = 10001
_BASE, _IMAGE = "localhost/small-debian", "localhost/twinpost"


class Store:
    """Buildah's images, in a folder of this run's own."""

    def __init__(self, folder: Path) -> None:
        self._images, self._run = folder / "images", folder / "run"
        home = {"HOME": str(folder), "TMPDIR": str(folder)}
        self._env = CLEAN | home | {"BUILDAH_ISOLATION": "chroot"}
        self._driver = "overlay"
        try:
            self.buildah("info")
        except AssertionError:
            # Works everywhere, but copies the whole base for each layer.
            self._driver = "vfs"

    def close(self) -> None:
        """Let go of the folder, so that it can be removed."""
        self.buildah("umount", "--all")
        # Buildah leaves the folder of its driver mounted onto itself.
        said(["umount", str(self._images / self._driver)], check=False)

    def buildah(self, *arguments: str) -> str:
        """Run a command of buildah; returns what it printed."""
        place = ["--root", str(self._images), "--runroot", str(self._run)]
        command = ["buildah", "--storage-driver", self._driver, *place, *arguments]
        return said(command, env=self._env, wait=600).stdout.strip()


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: its files, and what it says about itself."""

    rootfs: Path
    config: dict[str, Any]
    own_megabytes: float


@contextmanager
def built(debian: Path, wheels: Path, folder: Path) -> Iterator[Image]:
    """Build the image on `debian`. Packages come from `wheels`, by settings that stay outside."""
    folder.mkdir()
    store = Store(folder)
    try:
        yield _image(store, debian, wheels, folder)
    finally:
        store.close()


def _image(store: Store, debian: Path, wheels: Path, folder: Path) -> Image:
    base = store.buildah("from", "scratch")
    said(["cp", "-a", f"{debian}/.", store.buildah("mount", base)])
    store.buildah("commit", "--quiet", "--rm", base, _BASE)
    # Shown as root's home while it is built: a folder that is there anyway, and so leaves no trace.
    home = folder / "home"
    shutil.copytree(wheels, home / "wheels")
    settings = home / ".config/pip/pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nno-index = true\nfind-links = /root/wheels\n", encoding="ascii")
    store.buildah(
        *("build", "--quiet", "--format", "docker", "--build-arg", f"BASE={_BASE}"),
        *("--volume", f"{home}:/root:ro", "--tag", _IMAGE, str(ROOT)),
    )
    described = json.loads(store.buildah("inspect", "--type", "image", _IMAGE))
    rootfs = Path(store.buildah("mount", store.buildah("from", _IMAGE)))
    size = said(["du", "--summarize", "--block-size=1", str(rootfs / "opt/twinpost")]).stdout
    return Image(rootfs, described["Docker"]["config"], int(size.split()[0]) / 1e6)


@dataclass(slots=True)
class Container:
    """A container that was started."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path
    runtime: tuple[str, ...]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its user."""
        asked = [*self.runtime, "exec", self.name, *command]
        return said(asked, env=CLEAN, check=False, wait=30)

    def signal(self, name: str) -> None:
        """Send a signal to its first process."""
        said([*self.runtime, "kill", self.name, name], env=CLEAN)

    def ended(self, seconds: float) -> int:
        """Its exit code, within so many seconds."""
        return self.process.wait(seconds)

    def said(self) -> str:
        """What it has printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(
    image: Image,
    folder: Path,
    *,
    volume: Path,
    command: Sequence[str] | None = None,
    files: Mapping[str, Path] | None = None,
) -> Iterator[Container]:
    """Run the image's command, or another; `files` are shown inside, read-only, under their names.

    Whatever still runs at the end is killed.
    """
    name = f"twinpost-{os.getpid()}-{len(list(folder.iterdir()))}"
    bundle = folder / name
    bundle.mkdir()
    spec = _spec(image, image.config["Cmd"] if command is None else command, volume, files or {})
    (bundle / "config.json").write_text(json.dumps(spec), encoding="utf-8")
    runtime = ("runc", "--root", str(folder / "runc"))
    output = bundle / "output"
    with (
        output.open("wb") as file,
        subprocess.Popen(
            [*runtime, "run", "--bundle", str(bundle), name],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=CLEAN,
        ) as process,
    ):
        try:
            yield Container(name, process, output, runtime)
        finally:
            said([*runtime, "delete", "--force", name], env=CLEAN, check=False)
            process.wait(10)


def _spec(
    image: Image, command: Sequence[str], volume: Path, files: Mapping[str, Path]
) -> dict[str, Any]:
    """What the runtime is to do, in the form of the OCI runtime specification."""
    user, group = (int(number) for number in image.config["User"].split(":"))
    (state,) = image.config["Volumes"]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": user, "gid": group},
            "args": [*image.config["Entrypoint"], *command],
            "env": image.config["Env"],
            "cwd": image.config["WorkingDir"],
            "capabilities": {
                kind: [] for kind in ("bounding", "effective", "permitted", "inheritable")
            },
            "noNewPrivileges": True,
        },
        "root": {"path": str(image.rootfs), "readonly": True},
        "hostname": "twinpost",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
            _bound(volume, state, "rw"),
            *(_bound(path, name, "ro") for name, path in files.items()),
        ],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]},
    }


def _bound(source: Path, destination: str, mode: str) -> dict[str, Any]:
    options = ["rbind", mode, "nosuid", "nodev"]
    return {"destination": destination, "type": "bind", "source": str(source), "options": options}
