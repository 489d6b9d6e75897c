"""The few Linux calls that Python's standard library lacks: namespaces, mounts, privileges."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
NAMESPACES = (
    CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
    CLONE_NEWNET,
)  # fmt: skip

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_SLAVE = 32, 4096, 16384, 1 << 19
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 36, 38, 22
_SECCOMP_MODE_FILTER = 2
_BPF_INSTRUCTION_BYTES = 8
_LAST_CAPABILITY = 40
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move the calling process into new namespaces; see unshare(2)."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def map_own_ids(uid: int, gid: int) -> None:
    """In a fresh user namespace, keep one's own user and group id."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def make_mounts_private() -> None:
    """Keep this mount namespace's changes to itself."""
    _check(
        _libc.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_SLAVE), None), "mount /"
    )


def mount_tmpfs(where: str, size: int, files: int) -> None:
    """Mount an empty file system in memory, of at most ``size`` bytes and ``files`` files."""
    options = f"size={size},nr_inodes={files},mode=0777"
    _mount("tmpfs", where, _MS_NOSUID | _MS_NODEV, options)


def mount_terminals(where: str, most: int) -> None:
    """Mount pseudo terminals of one's own, at most that many at once."""
    options = f"newinstance,ptmxmode=0666,mode=0600,max={most}"
    _mount("devpts", where, _MS_NOSUID | _MS_NOEXEC, options)


def close_for_writing(where: str) -> None:
    """Make a mount read-only, of a file system such as ``/proc`` that executes nothing anyway."""
    flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _mount("none", where, flags, "")


def _mount(kind: str, where: str, flags: int, options: str) -> None:
    name = kind.encode()
    done = _libc.mount(name, where.encode(), name, ctypes.c_ulong(flags), options.encode())
    _check(done, f"mount {where}")


def _prctl(option: int, value: int) -> int:
    zero = ctypes.c_ulong(0)
    result: int = _libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero)
    return result


def become(uid: int, groups: Sequence[int]) -> None:
    """Turn from root into that user, of a group of the same number and those named, for good."""
    _forget_capabilities()
    os.setgroups(groups)
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)  # of the capabilities it takes those in force
    drop_privileges()


def drop_privileges() -> None:
    """Give up every capability, for good, here and in whatever is executed later."""
    _check(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "prctl(NO_NEW_PRIVS)")
    _forget_capabilities()
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    number = _SYS_CAPSET[os.uname().machine]
    _check(_libc.syscall(ctypes.c_long(number), header, nothing), "capset")


class _Program(ctypes.Structure):
    """``struct sock_fprog``: a filter and its number of instructions."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def filter_calls(program: bytes) -> None:
    """Have the kernel ask a filter about every system call of this process and all that it starts.

    Args:
        program: what libseccomp has compiled; see seccomp(2).
    """
    code = ctypes.create_string_buffer(program, len(program))
    given = _Program(len(program) // _BPF_INSTRUCTION_BYTES, ctypes.addressof(code))
    mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
    _check(_libc.prctl(_PR_SET_SECCOMP, mode, ctypes.byref(given)), "prctl(SECCOMP)")


def _forget_capabilities() -> None:
    for capability in range(_LAST_CAPABILITY + 1):
        _prctl(_PR_CAPBSET_DROP, capability)  # fails where there is nothing left to drop


def hide_memory() -> None:
    """Keep other processes of the same user out of this one's memory and ``/proc`` files."""
    _check(_prctl(_PR_SET_DUMPABLE, 0), "prctl(DUMPABLE)")


def show_memory() -> None:
    """Undo :func:`hide_memory` in a forked child, which otherwise does not own its ``/proc`` files
    (unless it is root) and could not write its user map."""
    _check(_prctl(_PR_SET_DUMPABLE, 1), "prctl(DUMPABLE)")


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has gone."""
    _check(_prctl(_PR_SET_CHILD_SUBREAPER, 1), "prctl(CHILD_SUBREAPER)")


def die_with_parent() -> None:
    """Ask for SIGKILL when the parent goes."""
    _check(_prctl(_PR_SET_PDEATHSIG, 9), "prctl(PDEATHSIG)")
