"""System calls that student code has no business making are refused by the kernel."""

from __future__ import annotations

import errno
import socket

from course_utils.sandbox import linux

# Ways to look into or command other processes, to change mounts, namespaces or the kernel, and
# interfaces with a history of privilege escalation. None is needed to train a network.
_REFUSED = (
    "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd "
    "mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount mount_setattr "
    "unshare setns open_by_handle_at name_to_handle_at fanotify_init "
    "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
    "keyctl add_key request_key init_module finit_module delete_module kexec_load "
    "kexec_file_load reboot swapon swapoff settimeofday clock_settime adjtimex quotactl acct "
    "personality syslog sethostname setdomainname iopl ioperm modify_ldt lookup_dcookie"
).split()


def available() -> bool:
    """Whether libseccomp can be loaded on this machine."""
    try:
        import pyseccomp  # noqa: F401  # importing it loads the C library
    except (ImportError, RuntimeError, OSError):
        return False
    return True


def install() -> None:
    """Refuse those calls in this process and all that it starts; cannot be undone."""
    import pyseccomp

    refuse = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in _REFUSED:
        try:
            rules.add_rule(refuse, name)
        except (ValueError, OSError, RuntimeError):
            continue  # a call that this architecture or libseccomp does not know
    for flag in (linux.CLONE_NEWUSER, linux.CLONE_NEWNS, linux.CLONE_NEWPID):
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # clone3 hides its flags behind a pointer; told that it does not exist, libc uses clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    # Only local and (unconnected) internet sockets: vsock and netlink reach past a network
    # namespace or into the kernel.
    for family in range(socket.AF_INET6 + 1, 46):
        rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    for family in range(socket.AF_INET + 1, socket.AF_INET6):
        rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    rules.load()
