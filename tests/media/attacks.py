"""What a hostile picture or film would do if it took over its decoder; run as a script.

    attacks.py HOW '{"secret": path, "socket": path, "port": number, "victim": pid, "own": path}'

HOW is ``free`` (nothing is given up before), ``child`` (what the picture's process gives up),
``landlock`` (the same on a machine whose system calls are not known) or ``program`` (another one
has given up what films' programs do without). Ends with one line of JSON
on standard error: what came of each, ``done`` or the name of an error.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
MEDIA = Path(__file__).parents[2] / "bridge" / "media"
SEIZE, NEW_USER = 0x4206, 0x10000000


def called(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def number(x86_64: int, aarch64: int) -> int:
    return x86_64 if os.uname().machine == "x86_64" else aarch64


def forked() -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def spawned() -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def ran() -> None:
    try:
        os.execv("/bin/there-is-none", ["x"])
    except FileNotFoundError:
        return


def connected(family: int, place: object) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.connect(place)  # type: ignore[arg-type]


def sent(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("127.0.0.1", port))


def peeked(victim: int) -> None:
    here = ctypes.create_string_buffer(8)
    piece = struct.pack("PN", ctypes.addressof(here), 0)
    call = number(310, 270)
    called(LIBC.syscall(call, victim, piece, 1, piece, 1, 0))


def attacks(aim: dict[str, str | int]) -> dict[str, Callable[[], object]]:
    secret, victim, port = Path(str(aim["secret"])), int(aim["victim"]), int(aim["port"])
    return {
        "read a file": lambda: os.close(os.open(secret, os.O_RDONLY)),
        "write to a file": lambda: os.close(os.open(secret, os.O_WRONLY)),
        "shorten a file": lambda: os.truncate(secret, 1),
        "make a file": lambda: os.close(os.open(f"{secret}.new", os.O_CREAT | os.O_WRONLY)),
        "list a folder": lambda: list(secret.parent.iterdir()),
        "rename a file": lambda: Path(f"{secret}.old").rename(f"{secret}.older"),
        "remove a file": lambda: Path(f"{secret}.gone").unlink(),
        "link a file": lambda: os.link(secret, f"{secret}.link"),
        "connect to a socket": lambda: connected(socket.AF_UNIX, str(aim["socket"])),
        "connect by TCP": lambda: connected(socket.AF_INET, ("127.0.0.1", port)),
        "send by UDP": lambda: sent(port),
        "make a pair of sockets": socket.socketpair,
        "fork": forked,
        "spawn": spawned,
        "run": ran,
        "signal the parent": lambda: os.kill(os.getppid(), 0),
        "signal everybody": lambda: os.killpg(os.getpgid(victim), 0),
        "signal another": lambda: os.kill(victim, 0),
        "trace another": lambda: called(LIBC.ptrace(SEIZE, victim, None, None)),
        "read another's memory": lambda: peeked(victim),
        "limit another": lambda: resource.prlimit(victim, resource.RLIMIT_CORE),
        "leave the namespace": lambda: called(LIBC.unshare(NEW_USER)),
        "use io_uring": lambda: called(LIBC.syscall(425, 1, ctypes.create_string_buffer(120))),
        "run from memory": lambda: os.close(os.memfd_create("x")),
    }


def main() -> None:
    how, aim = sys.argv[1], json.loads(sys.argv[2])
    tried = attacks(aim)
    if how == "landlock":
        sys.path.insert(0, str(MEDIA))
        import lockdown  # type: ignore[import-not-found]

        lockdown.MACHINES.clear()
        lockdown.lock_down()
    if how == "child":
        sys.path.insert(0, str(MEDIA))
        import child  # type: ignore[import-not-found]

        child._prepare(child.Wanted("image/png", (), 1, None, None, None, None))
        # Whoever has taken over a process has three descriptors to exchange.
        os.close(0)
    came: dict[str, str] = {}
    for name, attack in tried.items():
        try:
            attack()
        except OSError as error:
            came[name] = errno.errorcode.get(error.errno or 0, "?")
        else:
            came[name] = "done"
    if how == "program":
        Path(str(aim["own"])).write_text("kept", encoding="ascii")
        came["own"] = Path(str(aim["own"])).read_text(encoding="ascii")
    sys.stderr.write("\n" + json.dumps(came) + "\n")


if __name__ == "__main__":
    main()
