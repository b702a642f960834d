"""Running a program on a stranger's file: bounded in memory, time and disk, ended without mercy.

Must not know what the program does. It sees no variable of the environment that it does not need.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

_CONFINE = Path(__file__).with_name("confine.py")
_LOCKDOWN = Path(__file__).with_name("lockdown.py")
_KEPT = ("PATH", "PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME")
_MOST_WORDS = 65_536
_PROBE_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a program may use: bytes of memory, seconds of processor, bytes of any one file."""

    memory: int
    seconds: int
    file: int


@dataclass(frozen=True, slots=True)
class Files:
    """What a program may reach: files and folders to read, and to run; files to write."""

    read: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its code (negative for a signal), and what it said at last."""

    code: int
    words: str
    in_time: bool = True


async def run(
    program: list[str],
    bounds: Bounds,
    *,
    wait: float,
    source: int | None = None,
    target: int | None = None,
    files: Files | None = None,
) -> Ended:
    """Run `program` (a whole path first), for `wait` seconds at most, in a session of its own.

    `source` and `target` are descriptors for its standard input and output. With `files` it can
    reach no other files, no network and no other process, as far as the kernel enforces it. It
    never outlives the call, cancelled or not. Raises `OSError` where it cannot be started.
    """
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # -I and -S: standard library alone, fast; the program that follows starts afresh.
        "-I",
        "-S",
        str(_CONFINE),
        json.dumps(asdict(bounds) | ({} if files is None else {"files": asdict(files)})),
        *program,
        stdin=nothing if source is None else source,
        stdout=nothing if target is None else target,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(wait):
            assert process.stderr is not None  # noqa: S101 - it was asked for, as a pipe
            words = b""
            while piece := await process.stderr.read(_MOST_WORDS):
                words = (words + piece)[-_MOST_WORDS:]
            code = await process.wait()
    except TimeoutError:
        return Ended(-signal.SIGKILL, "", in_time=False)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        # Shielded: a child must be waited for even where the caller is being cancelled.
        await asyncio.shield(process.wait())
    return Ended(code, words.decode(errors="replace"))


def enforced() -> list[str]:
    """Which of ``landlock`` and ``seccomp`` this machine enforces. Blocks for a moment."""
    try:
        asked = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(_LOCKDOWN)],
            env=_environment(),
            capture_output=True,
            check=True,
            timeout=_PROBE_WAIT,
        )
        found: list[str] = json.loads(asked.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    return found


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # One arena: each reserves address space, which is what is bounded.
    return kept | {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
