"""Taking from this process what it does not need: files, network, programs, other processes.

Landlock closes the file system, TCP and signals; a seccomp filter closes everything else. Both are
kept by whatever program this process becomes, and cannot be undone. For Linux on x86_64 and
aarch64; elsewhere, and in kernels without them, less is enforced, and `lock_down` says what.

Imported by scripts that run alone: standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import stat
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_FILTER: Final = 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The numbers of Landlock's system calls, the same on all machines."""


class Machine(NamedTuple):
    """What differs between machines: its name to the kernel, and the numbers of system calls.

    `own` may be called about this process alone.
    """

    audit: int
    allowed: frozenset[int]
    refused: frozenset[int]
    own: frozenset[int]
    clone: int
    newer: frozenset[int]


_REFUSED_EVERYWHERE: Final = frozenset(
    {424, 425, 426, 427, 434, 438, 440, *range(428, 434), 442, 448}
)
"""Signals and memory by way of pidfd, io_uring, which no filter sees through, and mounts."""

_NEWER: Final = frozenset({435})
"""Calls whose arguments cannot be seen: programs take them for missing, and use an older one."""

MACHINES: Final = {
    "x86_64": Machine(
        audit=0xC000003E,
        # read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask
        # rt_sigreturn pread64 pwrite64 readv writev sched_yield mremap mincore madvise nanosleep
        # getpid exit uname getcwd gettimeofday getrusage times sigaltstack gettid time futex
        # sched_getaffinity restart_syscall clock_gettime clock_getres clock_nanosleep exit_group
        # newfstatat set_robust_list getrandom membarrier statx rseq
        allowed=frozenset(
            {0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 24, 25, 27, 28, 35, 39, 60}
            | {63, 79, 96, 98, 100, 131, 186, 201, 202, 204, 219, 228, 229, 230, 231, 262, 273, 318}
            | {324, 332, 334}
        ),
        # shmget shmat shmctl socket connect accept sendto recvfrom sendmsg recvmsg shutdown bind
        # listen getsockname getpeername socketpair setsockopt getsockopt fork vfork semget semop
        # semctl msgget msgsnd msgrcv msgctl ptrace rt_sigqueueinfo pivot_root chroot mount umount2
        # semtimedop mq_open add_key request_key keyctl unshare accept4 perf_event_open recvmmsg
        # rt_tgsigqueueinfo name_to_handle_at open_by_handle_at setns sendmmsg process_vm_readv
        # process_vm_writev kcmp seccomp memfd_create bpf execveat userfaultfd
        refused=frozenset(
            {*range(29, 32), *range(41, 56), 57, 58, *range(64, 67), *range(68, 72), 101, 129, 155}
            | {
                161,
                165,
                166,
                220,
                240,
                248,
                249,
                250,
                272,
                288,
                297,
                298,
                299,
                303,
                304,
                307,
                308,
                310,
            }
            | {311, 312, 317, 319, 321, 322, 323}
        ),
        own=frozenset({62, 200, 234, 302}),  # kill tkill tgkill prlimit64
        clone=56,
        newer=_NEWER,
    ),
    "aarch64": Machine(
        audit=0xC00000B7,
        # The same as above, but for time, which there is not.
        allowed=frozenset(
            {
                17,
                57,
                62,
                63,
                64,
                65,
                66,
                67,
                68,
                79,
                80,
                93,
                94,
                98,
                99,
                101,
                113,
                114,
                115,
                123,
                124,
            }
            | {128, 132, 134, 135, 139, 153, 160, 165, 169, 172, 178, 214, 215, 216, 222, 226, 232}
            | {233, 278, 283, 291, 293}
        ),
        refused=frozenset(
            {39, 40, 41, 51, 97, 117, 138, 180, *range(186, 198), *range(198, 213), 217, 218, 219}
            | {240, 241, 242, 243, 264, 265, 268, 269, 270, 271, 272, 277, 279, 280, 281, 282}
        ),
        own=frozenset({129, 130, 131, 261}),
        clone=220,
        newer=_NEWER,
    ),
}

_ALLOW, _REFUSE, _MISSING, _KILL = (
    0x7FFF0000,
    0x00050000 | errno.EPERM,
    0x00050000 | errno.ENOSYS,
    0x80000000,
)
_NUMBER, _ARCHITECTURE, _FIRST_LOW, _FIRST_HIGH = 0, 4, 16, 20
"""Places in what a filter is asked about."""

_LOAD, _IS, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000

Instruction = tuple[int, int, int, int]


Files = Mapping[str, Sequence[str]]
"""Paths of files and folders by what may be done with them: ``read``, ``run``, ``write``."""


def lock_down(files: Files | None = None) -> list[str]:
    """Confine this process; returns which of ``landlock`` and ``seccomp`` are enforced now.

    Without `files` it can do no more than compute, and read and write what it has open. With them
    it may become one of the programs that it may run, which may start threads and no processes.
    """
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:  # noqa: PLR2004 - bytes
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    # Without this, only root may confine itself; and no program gives rights back.
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        return []
    enforced = []
    if _close_files(libc, files or {}):
        enforced.append("landlock")
    machine = MACHINES.get(os.uname().machine)
    if machine is not None:
        rules = only_computing if files is None else no_harm
        if _filter(libc, rules(machine, os.getpid())):
            enforced.append("seccomp")
    return enforced


def only_computing(machine: Machine, pid: int) -> list[Instruction]:
    """A filter that lets through what works on memory and open files, and refuses all else."""
    lets = [_each(number, _ALLOW) for number in sorted(machine.allowed)]
    return _program(machine, [*lets, *_threads(machine), *_about_itself(machine, pid)], _REFUSE)


def no_harm(machine: Machine, pid: int) -> list[Instruction]:
    """A filter for programs: no network, no process, no way into another one or the kernel."""
    refused = sorted(machine.refused | _REFUSED_EVERYWHERE)
    return _program(
        machine,
        [
            *(_each(number, _REFUSE) for number in refused),
            *_threads(machine),
            *_about_itself(machine, pid),
        ],
        _ALLOW,
    )


def _program(
    machine: Machine, blocks: Iterable[list[Instruction]], otherwise: int
) -> list[Instruction]:
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IS, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        *(each for block in blocks for each in block),
        (_RETURN, 0, 0, otherwise),
    ]


def _each(number: int, answer: int) -> list[Instruction]:
    return [(_IS, 0, 1, number), (_RETURN, 0, 0, answer)]


def _threads(machine: Machine) -> list[list[Instruction]]:
    """Let a process start threads, and no other process."""
    return [
        *(_each(number, _MISSING) for number in sorted(machine.newer)),
        [
            (_IS, 0, 4, machine.clone),
            (_LOAD, 0, 0, _FIRST_LOW),
            (_ANY_BIT, 0, 1, _CLONE_THREAD),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _REFUSE),
        ],
    ]


def _about_itself(machine: Machine, pid: int) -> list[list[Instruction]]:
    """Let calls through that name this process, or 0 for it where that means no group of it."""
    return [
        [
            (_IS, 0, 6, number),
            (_LOAD, 0, 0, _FIRST_HIGH),
            (_IS, 0, 3, 0),
            (_LOAD, 0, 0, _FIRST_LOW),
            (_IS, 0, 1, 0 if number == max(machine.own) else pid),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _REFUSE),
        ]
        for number in sorted(machine.own)
    ]


def _filter(libc: ctypes.CDLL, program: list[Instruction]) -> bool:
    packed = b"".join(struct.pack("=HBBI", *each) for each in program)
    kept = ctypes.create_string_buffer(packed, len(packed))
    head = struct.pack("@HP", len(program), ctypes.addressof(kept))
    return bool(
        libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.c_char_p(head), 0, 0) == 0
    )


_EXECUTE, _WRITE, _READ, _LIST, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, _TRUNCATE), (5, 1 << 15))
"""Rights to files, by the version of Landlock that knows them."""

_WAYS = {
    "read": _READ | _LIST,
    "run": _READ | _LIST | _EXECUTE,
    "write": _READ | _WRITE | _TRUNCATE,
}
_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
_VERSION = 1


def _close_files(libc: ctypes.CDLL, files: Files) -> bool:
    """Close the file system but for `files`, and TCP and signals where the kernel can."""
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    if version < 1:
        return False
    rights = sum(bits for since, bits in _RIGHTS if version >= since)
    fields = [rights]
    if version >= 4:  # noqa: PLR2004 - as below, since when the kernel knows it
        fields.append(_TCP)
    if version >= 6:  # noqa: PLR2004
        fields.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    wanted = struct.pack(f"={len(fields)}Q", *fields)
    rules = libc.syscall(_CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        for way, allowed in _WAYS.items():
            for path in files.get(way, ()):
                _open_up(libc, rules, path, allowed & rights)
        return bool(libc.syscall(_RESTRICT_SELF, rules, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(rules)


def _open_up(libc: ctypes.CDLL, rules: int, path: str, allowed: int) -> None:
    """Except `path`, with all that is in it; what is not there is left out."""
    with contextlib.suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(place).st_mode):
                allowed &= ~_LIST
            rule = struct.pack("=Qi", allowed, place)
            libc.syscall(_ADD_RULE, rules, ctypes.c_int(1), rule, ctypes.c_uint32(0))
        finally:
            os.close(place)


if __name__ == "__main__":
    # What this machine enforces, for whoever asks.
    sys.stdout.write(json.dumps(lock_down()))
