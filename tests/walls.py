"""What the tests of the sandbox's walls run inside it: marks to leave, and ways to find them.

As sources for cells. Each tries everything there is and says what it got, so that a test need not
know which way is open.
"""

from __future__ import annotations

LIBC = "import ctypes, os, socket\nlibc = ctypes.CDLL(None, use_errno=True)\n"

# Opens every setting of the kernel for writing, and writes nothing.
OPEN_SETTINGS = """
import os
opened = []
def attempt(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        opened.append(path)
    except OSError:
        pass
for top in ('/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/scsi', '/sys'):
    for folder, _, names in os.walk(top):
        for name in names:
            attempt(os.path.join(folder, name))
for name in os.listdir('/proc'):
    if not name.isdigit() and name not in ('self', 'thread-self'):
        attempt(os.path.join('/proc', name))
print(opened)
"""

# Of every process but one's own.
OPEN_PROCESSES = """
import os
opened = []
for number in [n for n in os.listdir('/proc') if n.isdigit() and int(n) != OWN]:
    for folder, folders, names in os.walk(f'/proc/{number}', onerror=lambda error: None):
        folders[:] = [f for f in folders if f not in ('task', 'net', 'root', 'cwd')]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                opened.append(path)
            except OSError:
                pass
print(opened)
""".replace("OWN", "int(os.readlink('/proc/self'))")

# Leaves a mark at every path that takes one, in any way it may be taken, and under every kind of
# name that the kernel keeps.
LEAVE = (
    LIBC
    + """
def attempt(what, *arguments, **options):
    try:
        what(*arguments, **options)
    except (OSError, ValueError):
        pass
for folder, folders, names in os.walk('/'):
    if folder.startswith('/proc/') and folder.split('/')[2].isdigit():
        folders.clear()
        continue
    attempt(os.close, os.open(folder, os.O_RDONLY))
    mark = os.path.join(folder, 'MARK')
    for make in (os.mkdir, os.mkfifo, lambda path: os.symlink('x', path),
                 lambda path: os.close(os.open(path, os.O_CREAT | os.O_WRONLY))):
        attempt(make, mark)
    for path in [folder, *(os.path.join(folder, name) for name in names[:40])]:
        attempt(os.utime, path, (12345, 12345))
        attempt(os.chmod, path, os.lstat(path).st_mode | 0o100)
        attempt(os.setxattr, path, 'user.mark', b'x')
for path in ('/proc/sys/kernel/hostname', '/proc/sys/kernel/domainname'):
    attempt(lambda: open(path, 'w').write('MARK'))
libc.sethostname(b'MARK', 4)
for path in ('/proc/sys/kernel/shmmni', '/proc/sys/kernel/msgmni', '/proc/sys/fs/mqueue/msg_max',
             '/proc/sys/net/ipv4/ip_default_ttl', '/proc/sys/user/max_user_namespaces'):
    attempt(lambda: open(path, 'w').write('77'))
libc.shmget(0x3a11, 4096, 0o1666)
libc.msgget(0x3a11, 0o1666)
libc.semget(0x3a11, 1, 0o1666)
libc.mq_open(b'/MARK', 0o102, 0o666, None)
ADD_KEY = 248 if os.uname().machine == 'x86_64' else 217
for ring in (-4, -5):                              # the user's own
    libc.syscall(ADD_KEY, b'user', b'MARK', b'x', 1, ring)
listening = socket.socket(socket.AF_UNIX)
attempt(listening.bind, '\\0MARK')
if os.fork() == 0:                                 # holds the name as long as it can
    os.setsid()
    import time
    time.sleep(60)
    os._exit(0)
attempt(lambda: socket.create_server(('127.0.0.1', 34567)))
passing = socket.socket()
attempt(passing.bind, ('127.0.0.1', 34568))
attempt(passing.listen)
caller = socket.socket()
attempt(caller.connect, ('127.0.0.1', 34568))
for s in (caller, passing):
    s.close()
for folder in ('/scratch', '/dev/shm'):
    open(folder + '/MARK-file', 'w').write('x')
print('left')
"""
)

FIND = (
    LIBC
    + """
found = []
for folder, folders, names in os.walk('/'):
    if folder.startswith('/proc/') and folder.split('/')[2].isdigit():
        folders.clear()
        continue
    for name in [*folders, *names]:
        path = os.path.join(folder, name)
        if name.startswith('MARK'):
            found.append(path)
        try:
            if os.lstat(path).st_mtime == 12345:
                found.append(path)
            if os.getxattr(path, 'user.mark', follow_symlinks=False):
                found.append(path)
        except OSError:
            pass
for path in ('/proc/sys/kernel/hostname', '/proc/sys/kernel/domainname'):
    if 'MARK' in open(path).read():
        found.append(path)
for path in ('/proc/sys/kernel/shmmni', '/proc/sys/kernel/msgmni', '/proc/sys/fs/mqueue/msg_max',
             '/proc/sys/net/ipv4/ip_default_ttl', '/proc/sys/user/max_user_namespaces'):
    if os.path.exists(path) and open(path).read().strip() == '77':
        found.append(path)
for kind in ('shm', 'msg', 'sem'):
    if '14865' in open(f'/proc/sysvipc/{kind}').read():
        found.append(kind)
if libc.mq_open(b'/MARK', 2) >= 0:
    found.append('mq')
KEYCTL = 250 if os.uname().machine == 'x86_64' else 219
for ring in (-4, -5):
    if libc.syscall(KEYCTL, 10, ring, b'user', b'MARK', 0) >= 0:
        found.append('key')
if os.path.exists('/proc/keys') and 'MARK' in open('/proc/keys').read():
    found.append('/proc/keys')
if '@MARK' in open('/proc/net/unix').read():
    found.append('abstract socket')
for table in ('tcp', 'udp'):
    lines = open(f'/proc/net/{table}').read().splitlines()[1:]
    found += [f'{table} {line.split()[1]}' for line in lines]
print(found)
"""
)
