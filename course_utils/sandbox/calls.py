"""Which system calls student code may make: those that a notebook needs, and no others.

The list follows the one that container runtimes ship, less what training a network has no use for.
One list serves x86_64 and aarch64; a name that an architecture does not have is skipped.
"""

from __future__ import annotations

ALLOWED = frozenset(
    # Files, in the ways that are bounded by a file system's size and number of files.
    "access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat "
    "faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat "
    "fdatasync flock fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 "
    "getxattr fgetxattr lgetxattr lchown link linkat listxattr flistxattr llistxattr lseek lstat "
    "mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 "
    "pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir "
    "sendfile splice stat statfs statx symlink symlinkat sync_file_range tee truncate umask unlink "
    "unlinkat utime utimensat utimes write writev "
    # Memory. Shared memory without a file is looked at separately.
    "brk get_mempolicy madvise membarrier mincore mlock mlock2 mlockall mprotect mremap mseal "
    "msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect "
    # Processes and threads, their own signals and limits.
    "arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue futex_wait "
    "futex_waitv futex_wake get_robust_list get_thread_area getcpu getegid geteuid getgid "
    "getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage "
    "getsid gettid getuid ioprio_get kill pause pidfd_open pidfd_send_signal restart_syscall rseq "
    "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
    "rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min "
    "sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
    "sched_yield set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid "
    "setgroups setpgid setregid setresgid setresuid setreuid setrlimit setsid setuid sigaltstack "
    "tgkill tkill vfork wait4 waitid "
    # Waiting, time and random numbers.
    "alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl "
    "epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 getitimer getrandom gettimeofday "
    "nanosleep poll ppoll pselect6 select setitimer signalfd signalfd4 sysinfo time timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime "
    "timerfd_settime times uname "
    # Pipes and sockets; which families, socket() says. ioctl serves terminals and GPUs.
    "accept accept4 bind connect getpeername getsockname getsockopt ioctl listen pipe pipe2 "
    "recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown socketpair".split()
)

# Known, and refused: EPERM tells a program that there is no point in trying another way, while
# whatever stands in neither list is said not to exist, so that a newer library falls back.
REFUSED = frozenset(
    # Other processes: looking into them, commanding them, slowing the one that watches.
    "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd "
    "ioprio_set sched_setattr sched_setparam sched_setscheduler "
    # Memory that no process is seen to hold, and system-wide pools of it.
    "memfd_secret shmget shmat shmctl shmdt msgget msgctl msgrcv msgsnd semget semctl "
    "semop semtimedop mq_open mq_unlink mq_notify mq_getsetattr mq_timedreceive mq_timedsend "
    "vmsplice remap_file_pages io_setup io_submit io_destroy io_cancel io_getevents io_pgetevents "
    "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch setxattr fsetxattr lsetxattr "
    "removexattr fremovexattr lremovexattr set_mempolicy_home_node migrate_pages move_pages "
    # Mounts, namespaces, file handles, all file systems at once.
    "mount umount umount2 pivot_root chroot move_mount open_tree fsopen fspick fsconfig fsmount "
    "mount_setattr unshare setns open_by_handle_at name_to_handle_at fanotify_init fanotify_mark "
    "quotactl quotactl_fd sync syncfs "
    # The kernel itself, and interfaces with a history of privilege escalation.
    "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register seccomp "
    "keyctl add_key request_key init_module finit_module create_module delete_module kexec_load "
    "kexec_file_load reboot swapon swapoff settimeofday clock_settime clock_adjtime adjtimex acct "
    "personality syslog sethostname setdomainname iopl ioperm modify_ldt lookup_dcookie vhangup "
    "uselib ustat sysfs _sysctl nfsservctl vm86".split()
)

# What CUDA's driver makes besides those, so that on a GPU they are allowed, and else refused.
DRIVER = frozenset("memfd_create mbind sched_setaffinity set_mempolicy".split())

# fcntl's commands, by number: not those that lock ranges of a file (F_SETLK, F_SETLKW and their
# like for open files), of which one file takes millions, in memory of the kernel's that nobody is
# seen to hold, nor F_NOTIFY (1026). flock, of which an open file takes one, is allowed.
RANGE_LOCKS = frozenset({6, 7, 37, 38})
FCNTL = frozenset({*range(17), 36, *range(1024, 1041)}) - RANGE_LOCKS - {1026}

# prctl's options, by number: all that concern the calling process, but neither PR_SET_SECCOMP (22),
# PR_SET_MM (35) nor PR_SCHED_CORE (62), which idles the core next to this one.
PRCTL = frozenset({*range(1, 65), 0x53564D41, 0x41555856}) - {22, 35, 62}

# TCP, UDP, and whatever is usual: other protocols load kernel modules.
PROTOCOLS = (0, 6, 17)
