"""A machine with systemd, booted by systemd-nspawn, with twinpost installed as documented.

It shares this machine's network, so that the sandbox is reachable, and nothing else.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.system.ground import CLEAN, ROOT, SOURCE, TEXTS, Missing, inside, said, until

TOOLS = ("systemd-nspawn", "nsenter")
VENV = "/opt/twinpost"
_PATIENCE = 60.0


def installed(debian: Path, wheels: Path, folder: Path) -> Path:
    """A copy of `debian` with systemd and twinpost in it, the latter as docs/running.md has it."""
    root = folder / "machine"
    said(["cp", "-a", "--reflink=auto", str(debian), str(root)])
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    try:
        inside(root, "apt-get", "update", "-qq")
        packages = ("systemd", "systemd-sysv", "dbus")
        inside(root, "apt-get", "install", "-qq", "--no-install-recommends", *packages)
    except AssertionError as error:
        raise Missing(f"systemd cannot be had from the Debian archive: {error}") from None
    source = root / "src"
    source.mkdir()
    for name in (*SOURCE, *TEXTS):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    shutil.copytree(wheels, root / "wheels")
    index = "export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_DISABLE_PIP_VERSION_CHECK=1"
    steps = f'{index}; sudo() {{ "$@"; }}; cd /src\n{documented()}'
    inside(root, "sh", "-e", "-c", steps)
    return root


def documented() -> str:
    """How docs/running.md has the service installed: its first block of commands."""
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    return page.split("## As a service\n")[1].split("```\n")[1]


@dataclass(slots=True)
class Machine:
    """A booted machine. `leader` is the process id, out here, of its systemd."""

    root: Path
    leader: int
    cleared_at: float = 0.0
    """Since when (seconds since 1970) what the journal holds belongs to this test."""

    def run(
        self, *command: str, check: bool = True, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root."""
        enter = ["nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--pid"]
        whole = [*enter, "--root", "--wd=/", *command]
        return said(whole, env=CLEAN, check=check, wait=_PATIENCE, typed=typed)

    def tell(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).stdout.strip()

    def journal(self, unit: str) -> list[str]:
        """What a unit and systemd have said about it, in the order in which it was heard."""
        since = f"--since=@{self.cleared_at:.3f}"
        return self.run("journalctl", "--unit", unit, "--output=cat", since).stdout.splitlines()

    def configure(self, text: str, secrets: Mapping[str, str], name: str = "twinpost") -> None:
        """Put a configuration and its secrets where a service looks for them."""
        file = "config" if name == "twinpost" else name.removeprefix("twinpost-")
        (self.root / f"etc/twinpost/{file}.yaml").write_text(text, encoding="utf-8")
        for secret, value in secrets.items():
            path = self.root / f"etc/credstore/{name}.{secret}"
            path.touch(mode=0o600)
            path.write_text(value + "\n", encoding="utf-8")

    def drop_in(self, unit: str, text: str) -> None:
        """Change a unit as its owner would, with `systemctl edit`."""
        folder = self.root / f"etc/systemd/system/{unit}.d"
        folder.mkdir(exist_ok=True)
        (folder / "test.conf").write_text(text, encoding="utf-8")
        self.run("systemctl", "daemon-reload")

    def clear(self) -> None:
        """Stop everything of twinpost, and forget all that it left."""
        self.run("systemctl", "stop", "twinpost*.timer", "twinpost*.service")
        self.run("systemctl", "reset-failed")
        for pattern in (
            "var/lib/private/twinpost*",
            "var/lib/twinpost*",
            "etc/twinpost/*",
            "etc/credstore/twinpost*",
            "etc/systemd/system/twinpost*.d",
        ):
            for path in self.root.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        self.run("systemctl", "daemon-reload")
        self.cleared_at = time.time()


@contextmanager
def booted(root: Path) -> Iterator[Machine]:
    """Boot `root`; switched off at the end. Raises `Missing` where nspawn cannot do that."""
    log = root.with_name("boot.log")
    command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"]
    command += ["--console=pipe", "--machine=twinpost-test", "--directory", str(root)]
    with (
        log.open("wb") as said_at_boot,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said_at_boot, stderr=subprocess.STDOUT
        ) as nspawn,
    ):
        try:
            machine = Machine(root, _leader(nspawn, log))
            until(lambda: _is_up(machine), _PATIENCE)
            yield machine
            with suppress(AssertionError):
                machine.run("systemctl", "poweroff", check=False)
            with suppress(subprocess.TimeoutExpired):
                nspawn.wait(20)
        finally:
            # The second request is taken as an order to end at once.
            for _ in range(2):
                if nspawn.poll() is None:
                    nspawn.terminate()
                    with suppress(subprocess.TimeoutExpired):
                        nspawn.wait(10)
            nspawn.kill()


def _leader(nspawn: subprocess.Popen[bytes], log: Path) -> int:
    """The first process inside."""
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if nspawn.poll() is not None:
            break
        found = children.read_text(encoding="ascii").split()
        if found:
            return int(found[0])
        time.sleep(0.05)
    raise Missing(f"systemd-nspawn cannot boot here: {log.read_text(errors='replace').strip()}")


def _is_up(machine: Machine) -> bool:
    asked = machine.run("systemctl", "is-system-running", check=False)
    return asked.stdout.strip() in {"running", "degraded"}
