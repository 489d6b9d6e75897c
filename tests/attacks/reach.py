"""Reaching out: networks, devices, mounts, other submissions, and whoever comes next."""

from __future__ import annotations

from attacks.baits import ABSTRACT, PORT, SHM_KEY, SOCKET_PATH
from attacks.cases import Family, cell, family

family(Family.REACH)

# -- networks and sockets

_CONNECTS = {
    "tcp-host": ("a server on this machine", f"socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', {PORT})"),
    "tcp-outside": ("a server elsewhere", "socket.AF_INET, socket.SOCK_STREAM, ('192.0.2.1', 80)"),
    "tcp6": ("this machine by IPv6", f"socket.AF_INET6, socket.SOCK_STREAM, ('::1', {PORT})"),
    "unix": ("a socket file of this machine",
             f"socket.AF_UNIX, socket.SOCK_STREAM, {str(SOCKET_PATH)!r}"),
    "abstract": ("an abstract socket of this machine",
                 f"socket.AF_UNIX, socket.SOCK_STREAM, {ABSTRACT!r}"),
    "docker": ("Docker's socket", "socket.AF_UNIX, socket.SOCK_STREAM, '/var/run/docker.sock'"),
    "dbus": ("the system's bus", "socket.AF_UNIX, socket.SOCK_STREAM, '/run/dbus/system_bus_socket'"),
}  # fmt: skip
for _name, (_what, _where) in _CONNECTS.items():
    cell(f"connect-{_name}", f"connects to {_what}", f"""
        def connect(kind, form, address):
            with socket.socket(kind, form) as one:
                one.settimeout(1)
                one.connect(address)
                print(one.recv(100))
        attempt("connected to {_what}", connect, {_where})
    """)
cell("udp", "sends by UDP, here and to everybody", """
    def send(address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            one.sendto(b"pwned", address)
    for address in (("192.0.2.1", 53), ("255.255.255.255", 9), ("224.0.0.1", 9)):
        attempt(f"sent to {address[0]}", send, address)
""")
cell("dns", "asks for an address by name", """
    socket.setdefaulttimeout(1)
    attempt("resolved a name", socket.getaddrinfo, "example.org", 80)
""")
cell("http", "fetches a page", """
    import urllib.request
    attempt("fetched a page", lambda: urllib.request.urlopen("http://example.org", timeout=1).read())
""")
cell("pip", "installs a package", """
    import subprocess
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--target", ".", "six"],
                          capture_output=True, timeout=2.5)
    if done.returncode == 0:
        achieved("installed a package")
""")
for _name, _family in (
    ("netlink", 16), ("packet", 17), ("key", 15), ("vsock", 40), ("alg", 38), ("bluetooth", 31),
    ("can", 29), ("tipc", 30), ("rds", 21), ("xdp", 44), ("qipcrtr", 42), ("smc", 43),
):  # fmt: skip
    cell(f"family-{_name}", f"opens a socket of the family {_name}", f"""
        for form in (1, 2, 3, 5):
            attempt("a socket of the family {_name}", lambda: socket.socket({_family}, form, 0).close())
    """)
cell("raw", "opens raw sockets", """
    for number in (1, 6, 17, 255):
        attempt("a raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, number).close())
""")
cell("interfaces", "looks for a network interface beside the loopback", """
    names = [name for _, name in socket.if_nameindex()]
    if set(names) - {"lo"}:
        achieved(f"interfaces {names}")
""")

# -- kernel interfaces. Numbers are x86_64's.

_CALLS = {
    "mount": ("mounts a file system", "165, b'none', b'/mnt', b'tmpfs', 0, None"),
    "unmount": ("takes a mount away", "166, b'/proc', 2"),
    "pivot": ("exchanges the root", "155, b'.', b'.'"),
    "chroot": ("changes the root", "161, b'/'"),
    "move-mount": ("makes a mount by the new calls", "430, b'tmpfs', 0"),
    "open-tree": ("copies a mount", "428, -100, b'/', 1"),
    "user-namespace": ("makes a user namespace", "272, 0x10000000"),
    "mount-namespace": ("makes a mount namespace", "272, 0x00020000"),
    "network-namespace": ("makes a network namespace", "272, 0x40000000"),
    "pid-namespace": ("makes a pid namespace", "272, 0x20000000"),
    "uts-namespace": ("makes a namespace for names", "272, 0x04000000"),
    "time-namespace": ("makes a namespace for clocks", "272, 0x00000080"),
    "handle": ("opens a file by its handle", "304, -100, ctypes.create_string_buffer(64), 0"),
    "name-to-handle": ("asks for a file's handle", "303, -100, b'/', ctypes.create_string_buffer("
                       "bytes([128, 0, 0, 0]) + bytes(200)), ctypes.create_string_buffer(4), 0"),
    "bpf": ("loads a program into the kernel", "321, 0, ctypes.create_string_buffer(64), 64"),
    "perf": ("watches by perf", "298, ctypes.create_string_buffer(128), 0, -1, -1, 0"),
    "io-uring": ("makes an io_uring", "425, 8, ctypes.create_string_buffer(256)"),
    "userfaultfd": ("handles page faults", "323, 1"),
    "keyring": ("joins a keyring", "250, 1, None"),
    "add-key": ("adds a key", "248, b'user', b'pwned', b'x', 1, -4"),
    "fanotify": ("watches files by fanotify", "300, 0, 0"),
    "module": ("loads a module", "313, 0, b'', 0"),
    "swap": ("adds swap", "167, b'/scratch/swap', 0"),
    "quota": ("asks for quotas", "179, 0x800007 << 8, b'/', 0, None"),
    "acct": ("keeps accounts", "163, b'/scratch/acct'"),
    "syslog": ("reads the kernel's log", "103, 10, None, 0"),
    "reboot": ("asks for a restart with wrong keys", "169, 0, 0, 0, None"),
    "personality": ("changes its personality", "135, 0x0040000"),
    "clone-user": ("clones with a user namespace", "56, 0x10000000 | 17, None, None, None, None"),
    "set-uid": ("becomes root", "105, 0"),
    "set-groups": ("joins groups", "116, 1, ctypes.create_string_buffer(4)"),
    "mknod": ("makes a device", "133, b'/scratch/sda', 0o060666, 2048"),
    "pidfd-open": ("opens the zygote for its descriptors", "438, 3, 3, 0"),
    "kcmp": ("compares processes in the kernel", "312, 1, 2, 0, 0, 0"),
    "modify-ldt": ("writes descriptor tables", "154, 0, ctypes.create_string_buffer(64), 64"),
    "iopl": ("asks for ports", "172, 3"),
    "process-madvise": ("advises on others' memory", "440, 3, None, 0, 0, 0"),
    "landlock-less": ("reads another process's memory", "310, 1, None, 0, None, 0, 1"),
}  # fmt: skip
for _name, (_what, _call) in _CALLS.items():
    # Being root in one's own namespace is no news to setuid(0): whoever is 0 already gets 0.
    cell(f"call-{_name}", f"{_what} (system call)", f"""
        if os.uname().machine == "x86_64" and not ({_call.split(',')[0]} == 105 and os.getuid() == 0):
            syscall("{_what}", {_call})
    """)
for _path in (
    "mem", "kmem", "port", "sda", "vda", "kvm", "fuse", "net/tun", "loop-control", "snapshot",
    "cpu/0/msr", "nvidia0", "dri/card0", "vhost-net", "uinput", "tty1", "console", "rtc0",
):  # fmt: skip
    cell(f"device-{_path.replace('/', '-')}", f"opens the device /dev/{_path}", f"""
        def reach():
            os.close(os.open("/dev/{_path}", os.O_RDWR | os.O_NONBLOCK))
        attempt("opened /dev/{_path}", reach)
    """)
cell("capabilities", "looks for capabilities", """
    status = open("/proc/self/status").read()
    for line in status.splitlines():
        if line.startswith(("CapPrm", "CapEff", "CapInh", "CapAmb")) and int(line.split()[1], 16):
            achieved(line)
    if "NoNewPrivs:\\t1" not in status:
        achieved("may gain privileges")
""")
cell("host-uid", "is root, or the grader's own user, on the host", """
    owner = int(open("/proc/self/uid_map").read().split()[1])
    if os.stat("/proc/sys/kernel/ostype").st_uid == os.getuid():
        achieved("owns the kernel's settings")
""")
cell("set-user", "programs that make one root", """
    import subprocess
    for program in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount"], ["newgrp"], ["ping", "-c1", "127.0.0.1"]):
        try:
            done = subprocess.run(program, capture_output=True, timeout=1, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if b"uid=0(root)" in done.stdout:
            achieved(f"{program[0]} made it root")
""")

# -- writable places outside the scratch

cell("write-anywhere", "writes wherever it can, outside its own scratch", """
    home = os.path.realpath(os.getcwd())
    own = (home, "/dev/shm", "/proc", "/tmp")
    places = ["/", "/usr", "/usr/lib", "/usr/local", "/bin", "/lib", "/etc", "/etc/fonts", "/var", "/run",
              "/dev", "/opt", "/home", "/root", "/course", "/course/course_utils", sys.prefix,
              sys.base_prefix, os.path.dirname(np.__file__), "/dev/mqueue", "/sys", "/sys/fs/cgroup",
              "/dev/pts", "/mnt", "/srv", "/boot"]
    for place in places:
        if os.path.realpath(place).startswith(own):
            continue
        def reach(place=place):
            path = os.path.join(place, "pwned")
            open(path, "w").close()
            os.unlink(path)
        attempt(f"wrote into {place}", reach)
""")
cell("write-packages", "changes the packages that everybody imports", """
    for path in (np.__file__, os.__file__, sys.executable, "/course/course_utils/__init__.py",
                 "/usr/bin/env", "/etc/ld.so.cache"):
        def reach(path=path):
            os.close(os.open(path, os.O_WRONLY))
        attempt(f"opened {path} for writing", reach)
        attempt(f"changed the mode of {path}", os.chmod, path, 0o777)
""")
cell("inherited", "folders and files of the host in what it has inherited", """
    for number in range(3, 64):
        try:
            kind = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if kind.startswith("/") and not kind.startswith(("/scratch", "/dev", "/memfd", "/proc/self")):
            achieved(f"descriptor of {kind}")
        try:
            os.fchdir(number)
            achieved(f"a folder of the host: {kind}")
        except OSError:
            pass
""")

# -- processes beside it

cell("neighbours", "processes of other submissions", """
    mine = open("/proc/self/status").read()
    depth = len(mine.partition("NSpid:")[2].split("\\n")[0].split())
    space = os.readlink("/proc/self/ns/pid")
    for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") != space:
                achieved(f"the namespace of process {pid} can be seen")
            os.kill(int(pid), 0) if int(pid) > 60 else None
        except OSError:
            pass
""")
cell("zygote-memory", "writes into the process that it was forked from", """
    for pid in [p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]:
        for name in ("mem", "clear_refs", "attr/current", "environ", "maps", "auxv", "syscall", "stack"):
            def reach(path=f"/proc/{pid}/{name}", flags=os.O_RDWR if name == "mem" else os.O_RDONLY):
                handle = os.open(path, flags)
                data = os.read(handle, 16) if name != "mem" else b"x"
                os.close(handle)
                if not data:
                    raise OSError
            if "NSpid" in open(f"/proc/{pid}/status").read() and os.stat(f"/proc/{pid}").st_uid != os.getuid():
                attempt(f"{name} of another user's process", reach)
""")
cell("sysv-host", "attaches to the machine's System V memory", f"""
    number = libc.shmget({SHM_KEY}, 0, 0)
    if number >= 0:
        achieved("shared memory of the machine")
""")

# -- whoever comes next: four students hand the same in, on two workers

_LEAVES = {
    "scratch": ("a file in its scratch", "open('pwned.txt', 'w').close()", "os.path.exists('pwned.txt')"),
    "tmp": ("a file in /tmp", "open('/tmp/pwned', 'w').close()", "os.path.exists('/tmp/pwned')"),
    "var-tmp": ("a file in /var/tmp", "open('/var/tmp/pwned', 'w').close()",
                "os.path.exists('/var/tmp/pwned')"),
    "shm": ("a file in /dev/shm", "open('/dev/shm/pwned', 'w').close()",
            "os.path.exists('/dev/shm/pwned')"),
    "home": ("a file at home", "open(os.path.expanduser('~/pwned'), 'w').close()",
             "os.path.exists(os.path.expanduser('~/pwned'))"),
    "sysv": ("System V memory", "libc.shmget(4711, 4096, 0o1666)", "libc.shmget(4711, 0, 0) >= 0"),
    "message-queue": ("a System V queue", "libc.msgget(4711, 0o1666)", "libc.msgget(4711, 0) >= 0"),
    "semaphore": ("a System V semaphore", "libc.semget(4711, 1, 0o1666)", "libc.semget(4711, 1, 0) >= 0"),
    "posix-queue": ("a POSIX queue", "libc.mq_open(b'/pwned', 0o102, 0o666, None)",
                    "libc.mq_open(b'/pwned', 0) >= 0"),
    "abstract": ("a server on an abstract socket", "s = socket.socket(socket.AF_UNIX); s.bind('\\0pwned'); "
                 "s.listen(); os.fork() or time.sleep(99)", "'pwned' in open('/proc/net/unix').read()"),
    "loopback": ("a server on the loopback", "s = socket.socket(); s.bind(('127.0.0.1', 4711)); s.listen(); "
                 "os.fork() or time.sleep(99)", "socket.socket().connect_ex(('127.0.0.1', 4711)) == 0"),
    "host-name": ("a host name", "open('/proc/sys/kernel/hostname', 'w').write('pwned')",
                  "os.uname().nodename == 'pwned'"),
    "domain-name": ("a domain name", "open('/proc/sys/kernel/domainname', 'w').write('pwned')",
                    "open('/proc/sys/kernel/domainname').read() == 'pwned'"),
    "setting": ("a setting of its namespace", "open('/proc/sys/kernel/shmmni', 'w').write('1234')",
                "open('/proc/sys/kernel/shmmni').read().strip() == '1234'"),
    "network-setting": ("a setting of the network", "open('/proc/sys/net/ipv4/ip_default_ttl', 'w')"
                        ".write('77')", "open('/proc/sys/net/ipv4/ip_default_ttl').read().strip() == '77'"),
    "times": ("a file's time", "os.utime(np.__file__, (4711, 4711))", "os.stat(np.__file__).st_mtime == 4711"),
    "attribute": ("an attribute of a file", "os.setxattr(np.__file__, 'user.pwned', b'x')",
                  "'user.pwned' in os.listxattr(np.__file__)"),
    "keyring": ("a key", "libc.syscall(248, b'user', b'pwned', b'x', 1, -4)",
                "libc.syscall(249, b'user', b'pwned', None, -4) >= 0"),
    "terminal": ("a size of a terminal", "import fcntl, struct; fcntl.ioctl(0, 0x5414, struct.pack('HHHH', 47, "
                 "11, 0, 0))", "os.get_terminal_size(0).lines == 11"),
    "module": ("a changed module", "np.pwned = True", "hasattr(np, 'pwned')"),
    "priority": ("a process of its own", "children(1, lambda n: os.execv('/bin/sleep', ['pwned', '99']))",
                 "any('pwned' in open(f'/proc/{p}/cmdline').read() for p in os.listdir('/proc') if p.isdigit())"),
    "pages": ("memory that is not cleared", "a = np.full(2**22, 4711.0)", "np.any(np.empty(2**22) == 4711.0)"),
}  # fmt: skip
for _name, (_what, _leave, _look) in _LEAVES.items():
    cell(f"leaves-{_name}", f"leaves {_what} for the next submission, and looks for it", f"""
        try:
            if {_look}:
                achieved("found what another submission has left: {_what}")
        except OSError:
            pass
        try:
            {_leave}
        except OSError:
            pass
    """, copies=4)
