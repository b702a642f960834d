"""What decodes strangers' files can do nothing else, even where it was taken over.

Each attack is tried by a real process, first where nothing was given up, so that what is refused
afterwards is refused for that reason.
"""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.media.confined import Bounds, Files, enforced, run
from bridge.media.lockdown import MACHINES, Machine, no_harm, only_computing

ATTACKS = Path(__file__).with_name("attacks.py")
BOUNDS = Bounds(memory=1 << 30, seconds=20, file=1 << 20)
FREE_EVERYWHERE = {
    "read a file", "write to a file", "shorten a file", "make a file", "list a folder",
    "rename a file", "remove a file", "link a file", "connect to a socket", "connect by TCP",
    "send by UDP", "make a pair of sockets", "fork", "spawn", "run", "signal the parent",
    "signal another", "signal everybody", "limit another",
}  # fmt: skip
FILES = {name for name in FREE_EVERYWHERE if name.endswith(("a file", "a folder"))}

needs_confinement = pytest.mark.skipif(
    len(enforced()) < 2, reason=f"this kernel enforces {enforced() or 'nothing'} only"
)


@pytest.fixture
def aim(tmp_path: Path) -> Iterator[dict[str, str | int]]:
    """Everything that an attack could be aimed at."""
    secret, own = tmp_path / "ledger.sqlite3", tmp_path / "own"
    for path in (secret, own, tmp_path / "ledger.sqlite3.old", tmp_path / "ledger.sqlite3.gone"):
        path.write_text("secret", encoding="ascii")
    victim = subprocess.Popen(["sleep", "60"], start_new_session=True)
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        # By a short name: its path may not be long.
        unix.bind(f"/tmp/twinpost-{victim.pid}.sock")
        unix.listen()
        yield {
            "secret": str(secret),
            "own": str(own),
            "socket": unix.getsockname(),
            "port": tcp.getsockname()[1],
            "victim": victim.pid,
        }
        Path(unix.getsockname()).unlink()
    victim.kill()
    victim.wait()


async def tried(how: str, aim: dict[str, str | int], files: Files | None = None) -> dict[str, str]:
    program = [sys.executable, "-P", str(ATTACKS), how, json.dumps(aim)]
    ended = await run(program, BOUNDS, wait=30, files=files)
    assert ended.code == 0, ended.words
    found: dict[str, str] = json.loads(ended.words.strip().splitlines()[-1])
    return found


def is_whole(aim: dict[str, str | int]) -> bool:
    return Path(str(aim["secret"])).read_text(encoding="ascii") == "secret"


async def test_free_of_confinement_the_attacks_succeed(aim: dict[str, str | int]) -> None:
    came = await tried("free", aim)
    assert {name for name, what in came.items() if what == "done"} >= FREE_EVERYWHERE


@needs_confinement
async def test_the_process_of_a_picture_can_do_nothing_but_compute(
    aim: dict[str, str | int],
) -> None:
    came = await tried("child", aim)
    assert set(came.values()) == {"EPERM"}, came
    assert is_whole(aim)


@needs_confinement
async def test_files_are_closed_without_a_filter_too(aim: dict[str, str | int]) -> None:
    came = await tried("landlock", aim)
    assert {came[name] for name in FILES} <= {"EACCES", "EXDEV"}, came
    assert came["spawn"] == "EACCES"
    assert is_whole(aim)


@needs_confinement
async def test_the_program_of_a_film_reaches_its_own_files_and_nobody(
    aim: dict[str, str | int],
) -> None:
    python = (sys.prefix, sys.base_prefix)
    files = Files(
        read=(str(ATTACKS),),
        run=("/usr", "/lib", "/lib64", *python),
        write=(str(aim["own"]),),
    )
    came = await tried("program", aim, files)
    assert came.pop("own") == "kept"
    # It may become a program, as it must once: any that it starts is confined as it is.
    assert came.pop("run") == "done"
    assert {name for name, what in came.items() if what == "done"} == set(), came
    assert {came[name] for name in FILES} <= {"EACCES", "EPERM", "EXDEV"}
    assert is_whole(aim)


PID = 4242
LOW, HIGH = PID, 0


def answered(program: list[tuple[int, int, int, int]], audit: int, call: int, first: int) -> int:
    """What the kernel's machine makes of a filter."""
    data = {0: call, 4: audit, 16: first & 0xFFFFFFFF, 20: first >> 32}
    at = held = 0
    while True:
        code, yes, no, value = program[at]
        at += 1
        if code == 0x20:
            held = data[value]
        elif code == 0x06:
            return value
        else:
            holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
            at += yes if holds else no


def lets(program: list[tuple[int, int, int, int]], machine: Machine, call: int, arg: int) -> bool:
    return answered(program, machine.audit, call, arg) == 0x7FFF0000


@pytest.mark.parametrize("name", MACHINES)
def test_every_call_that_is_not_named_is_refused(name: str) -> None:
    machine = MACHINES[name]
    program = only_computing(machine, PID)
    for call in range(700):
        named = call in machine.allowed
        for arg in (0, 1, PID, PID + (1 << 32), 0xFFFFFFFFFFFFFFFF, 0x01200011):
            if call == machine.clone:
                assert lets(program, machine, call, arg) is bool(arg & 0x10000)
            elif call not in machine.own:
                assert lets(program, machine, call, arg) is named, (call, arg)
    assert answered(program, machine.audit ^ 1, 0, 0) == 0x80000000
    assert answered(program, machine.audit, 0x40000000, 0) == 0x80000000
    assert len(program) < 4096


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("rules", [only_computing, no_harm])
def test_signals_and_limits_reach_this_process_alone(name: str, rules: type) -> None:
    machine = MACHINES[name]
    program = rules(machine, PID)
    limits = max(machine.own)
    for call in machine.own:
        own = 0 if call == limits else PID
        assert lets(program, machine, call, own)
        for other in (1, PID + 1, own + (1 << 32), 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, PID - own):
            assert not lets(program, machine, call, other), (call, other)


@pytest.mark.parametrize("name", MACHINES)
def test_a_program_starts_threads_and_no_process(name: str) -> None:
    machine = MACHINES[name]
    program = no_harm(machine, PID)
    assert lets(program, machine, machine.clone, 0x3D0F00)
    assert not lets(program, machine, machine.clone, 0x1200011)
    assert not any(lets(program, machine, call, 0) for call in machine.refused)


ALLOWED = """
    read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn
    pread64 pwrite64 readv writev sched_yield mremap mincore madvise nanosleep getpid exit uname
    getcwd gettimeofday getrusage times sigaltstack gettid futex sched_getaffinity restart_syscall
    clock_gettime clock_getres clock_nanosleep exit_group newfstatat set_robust_list getrandom
    membarrier statx rseq
"""
REFUSED = """
    socket socketpair connect accept accept4 bind listen sendto sendmsg sendmmsg recvfrom recvmsg
    recvmmsg ptrace process_vm_readv process_vm_writev rt_sigqueueinfo rt_tgsigqueueinfo unshare
    setns mount umount2 pivot_root chroot bpf perf_event_open userfaultfd memfd_create execveat
    keyctl add_key request_key open_by_handle_at name_to_handle_at seccomp kcmp
"""


@pytest.mark.parametrize(
    ("name", "header", "more"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", {"time"}),
        ("aarch64", "/usr/include/asm-generic/unistd.h", set()),
    ],
)
def test_the_numbers_are_those_of_the_kernel(name: str, header: str, more: set[str]) -> None:
    if not Path(header).exists():
        pytest.skip(f"{header} is not here (linux-libc-dev)")
    text = Path(header).read_text(encoding="ascii")
    of = {call: int(n) for call, n in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", text)}
    of.setdefault("newfstatat", of.get("fstatat", -1))
    machine = MACHINES[name]
    assert machine.allowed == {of[call] for call in (*ALLOWED.split(), *more)}
    assert machine.refused >= {of[call] for call in REFUSED.split()}
    assert machine.own == {of[call] for call in ("kill", "tkill", "tgkill", "prlimit64")}
    assert machine.clone == of["clone"]
    assert machine.newer == {of["clone3"]}
