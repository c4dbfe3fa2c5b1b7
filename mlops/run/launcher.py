"""Starts commands, each with its own ``/opt/ml``, and stays beside each until it ends. Run by path, with ``namespaces``
or ``folders`` as its argument; imports nothing of ours.

One launcher serves one runner. It makes once what all sandboxes have in common, and then keeps one process ready, the
next command's keeper, which waits in namespaces of its own for an order: what a sandbox costs is paid while nobody
waits. The launcher is single-threaded, so that it may fork and that the kernel's word of a parent's death means what it
says. Standard input is a Unix socket, which the keeper at hand reads; each order (see
:class:`mlops.run.sandbox.Order`) comes as four bytes of length and JSON, with the descriptors of the control socket,
the log and what the command inherits.

The keeper binds the order's folders into the sandbox, starts the command and answers on the control socket: its own
process number, and at the end the exit status, four bytes each. In namespaces it is process 1 of the command, with
whose end the kernel ends all others. The other end of the control socket is the runner's alone, and a lifeline: when it
closes, because the runner closed it or died, the keeper kills everything that it started. ``T`` on it is SIGTERM for
the command. The exit status is the command's, 128 + n where signal n ended it; as with Docker 125 says that the sandbox
could not be made, 126 and 127 that the command could not be started.
"""

# pathlib would cost every step start-up time.
# ruff: noqa: PTH101, PTH102, PTH103, PTH108, PTH112, PTH113, PTH114, PTH115, PTH120, PTH123, PTH208, PTH211

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 0x1, 0x2, 0x4, 0x8, 0x1000, 0x4000
MS_UNBINDABLE, MS_PRIVATE = 1 << 17, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 24, 36
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot,
# audit_write, setfcap: what a container of Docker's has, without mknod. With others a step that root started could undo
# its sandbox, or set the machine's clock.
KEPT_CAPABILITIES = frozenset((0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31))
CAPABILITIES = 64
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# Of Nvidia, AMD, Intel, WSL 2 and AWS, and what joins the hosts that have them.
ACCELERATORS = ("nvidia", "kfd", "dri", "dxg", "neuron", "infiniband")
# Disks that a person has plugged in, and programs where NixOS has them.
RUN = ("media", "current-system", "opengl-driver", "booted-system")
DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
# In it root changes the machine, from its clock ticks to its next reboot, without any capability.
READ_ONLY_PROC = ("sys", "sysrq-trigger", "irq", "bus", "fs")
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MOUNT_ATTR_NODEV = 442, -100, 0x8000, 1, 4
# By number, for the C library's own function wants a stack. Arguments that are 0 have no order.
SYS_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220}.get(os.uname().machine) if sys.maxsize > 2**32 else None
JOIN_SECONDS = 10.0
MOST_DESCRIPTORS = 64
# An ignored signal stays ignored behind exec.
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
NO_SANDBOX = 125
KILLED = 128 + signal.SIGKILL

FIRST_NAME = "algo-1"
HOSTS = {FIRST_NAME: "127.0.0.1"}
# In the launcher's own view of the file system, where nobody needs what is there.
WORKSHOP = "/proc/sys"
ROOT, EMPTY = f"{WORKSHOP}/root", f"{WORKSHOP}/empty"

_libc = ctypes.PyDLL(None, use_errno=True)


def main(namespaces: bool) -> None:
    # The command's standard input is another one.
    orders = socket.socket(fileno=os.dup(0))
    # What a collector touches is copied for every child.
    gc.disable()
    gc.freeze()
    # Keepers answer the runner themselves; nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    refusal, hosts = "", None
    if namespaces:
        try:
            _enter_namespaces()
            _make_root()
            hosts = _known_hosts()
        except OSError as fault:
            refusal = _reason(fault)
    _replace_input(f"{ROOT}/dev/null" if namespaces and not refusal else os.devnull)
    while True:
        taken, take = os.pipe()
        if _fork(namespaces and not refusal) == 0:
            os.close(taken)
            _keep(orders, take, namespaces, refusal, hosts)
        os.close(take)
        # Nothing comes where it ended without an order: then the runner has gone.
        if not os.read(taken, 1):
            return
        os.close(taken)


def _replace_input(path: str) -> None:
    """Where it is a node of the host's own folder, root could change that node through the descriptor."""
    nothing = os.open(path, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _fork(namespaces: bool) -> int:
    if not namespaces:
        return os.fork()
    wanted = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | signal.SIGCHLD
    child: int = _libc.syscall(SYS_CLONE, ctypes.c_ulong(wanted), None, None, None, None)
    _check(min(child, 0), "clone")
    return child


def _keep(orders: socket.socket, take: int, namespaces: bool, refusal: str, hosts: str | None) -> NoReturn:
    """The keeper. It outlives the launcher; what ends it early is the control socket, or while it waits for an order
    that nobody can send one any more."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # A signal that comes before the command exists waits here.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # The host's processes are still in sight, and it is told by their numbers.
    process = int(os.readlink("/proc/self")) if namespaces and not refusal else os.getpid()
    if namespaces and not refusal:
        try:
            _make_own_places(hosts)
        except OSError as fault:
            refusal = _reason(fault)
    elif sys.platform == "linux":
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    text, descriptors = _receive(orders)
    if not text:
        os._exit(0)
    with contextlib.suppress(BrokenPipeError):  # somebody killed the launcher
        os.write(take, b"O")
    os.close(take)
    orders.close()
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    control, log, *inherited = descriptors
    os.write(control, process.to_bytes(4))
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    order: dict[str, Any] = json.loads(text)
    status = NO_SANDBOX
    if refusal:
        _tell(refusal)
    else:
        try:
            if namespaces:
                _enter_sandbox(order, hosts)
            child = (_spawn if namespaces else _fork_command)(order, inherited)
        except _NoStart as fault:
            _tell(f"cannot start {fault.what!r}: {fault.reason}")
            status = fault.status
        except OSError as fault:
            _tell(_reason(fault))
        else:
            for descriptor in inherited:
                os.close(descriptor)
            status = _watch(child, control, wake_read, namespaces)
    with contextlib.suppress(BrokenPipeError):
        os.write(control, status.to_bytes(4))
    os._exit(0)


class _NoStart(Exception):
    def __init__(self, what: str, fault: OSError) -> None:
        super().__init__(what)
        self.what = what
        self.reason = fault.strerror
        self.status = 127 if fault.errno == errno.ENOENT else 126


def _receive(orders: socket.socket) -> tuple[bytes, list[int]]:
    """Nothing where the other end is gone."""
    size, descriptors, _, _ = socket.recv_fds(orders, 4, MOST_DESCRIPTORS)
    size += _exactly(orders, 4 - len(size))
    return _exactly(orders, int.from_bytes(size)), descriptors


def _exactly(orders: socket.socket, length: int) -> bytes:
    """Less only where the other end is gone."""
    text = b""
    while len(text) < length and (piece := orders.recv(length - len(text))):
        text += piece
    return text if len(text) == length else b""


def _reason(fault: OSError) -> str:
    at = f"{fault.filename}: " if fault.filename else ""
    return f"the sandbox could not be made: {at}{fault.strerror}"


def _tell(text: str) -> None:
    os.write(2, f"[mlops] {text}\n".encode())


def _watch(child: int, control: int, wake_read: int, namespaces: bool) -> int:
    while True:
        # Orphans come to us too.
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == child:
                    _kill_leftovers(child, namespaces)
                    return _exit_status(found[1])
        readable, _, _ = select.select([control, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 512)
        if control in readable:
            if not _read(control):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                _kill_leftovers(child, namespaces)
                return KILLED
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)


def _read(control: int) -> bytes:
    try:
        return os.read(control, 512)
    except ConnectionResetError:  # it died before it read what we wrote
        return b""


def _kill_leftovers(leader: int, namespaces: bool) -> None:
    """Of the namespace all but us. Elsewhere what is left of the command's session, and where the kernel lists them all
    children: orphans come to us."""
    if namespaces:
        with contextlib.suppress(ChildProcessError):
            while True:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
                os.wait()
        return
    # macOS answers EPERM where only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    with contextlib.suppress(FileNotFoundError, ChildProcessError):
        while children := _children():
            for child in children:
                os.kill(child, signal.SIGKILL)
            os.wait()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(leader, 0)


def _children() -> list[int]:
    with open("/proc/thread-self/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def _exit_status(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _die_with_parent(alive: int) -> None:
    """``alive`` reaches its end where the parent died before the kernel knew of our wish."""
    if sys.platform != "linux":
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if select.select([alive], [], [], 0)[0]:
        os._exit(KILLED)


def _spawn(order: dict[str, Any], inherited: list[int]) -> int:
    """Without a copy of this process. Raises _NoStart."""
    command, environment = order["command"], order["environment"]
    try:
        os.chdir(order["cwd"])
    except OSError as fault:
        raise _NoStart(order["cwd"], fault) from fault
    copies = _out_of_the_way(order, inherited)
    try:
        return os.posix_spawn(
            _program(command[0], environment.get("PATH", os.defpath)),
            command,
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, copy, place) for copy, place in copies],
            setsid=True,
            setsigdef=IGNORED_BY_PYTHON,
            setsigmask=(),
        )
    except OSError as fault:
        raise _NoStart(command[0], fault) from fault
    finally:
        for copy, _ in copies:
            os.close(copy)


def _program(name: str, path: str) -> str:
    """Where it is looked for first when it is nowhere."""
    places = [name] if "/" in name else [f"{folder}/{name}" for folder in path.split(":")]
    return next((place for place in places if os.access(place, os.X_OK)), places[0])


def _fork_command(order: dict[str, Any], inherited: list[int]) -> int:
    """Of this process the command hears when it ends."""
    alive_read, alive_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive_write)
        _die_with_parent(alive_read)
        _execute(order, inherited)
    os.close(alive_read)
    return child


def _execute(order: dict[str, Any], inherited: list[int]) -> NoReturn:
    command, environment = order["command"], order["environment"]
    try:
        os.setsid()
        os.chdir(order["cwd"])
        for copy, place in _out_of_the_way(order, inherited):
            os.dup2(copy, place)
        for number in IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvpe(command[0], command, environment)  # noqa: S606 - the command is the author's own
    except OSError as fault:
        told = _NoStart(order["cwd"] if fault.filename == order["cwd"] else command[0], fault)
        _tell(f"cannot start {told.what!r}: {told.reason}")
        os._exit(told.status)


def _out_of_the_way(order: dict[str, Any], inherited: list[int]) -> list[tuple[int, int]]:
    """Copies of what is inherited, and the numbers that they are to have: one may have come under the number that
    another one is to have."""
    above = max(order["inherit"], default=2) + 1
    copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, above) for descriptor in inherited]
    return list(zip(copies, order["inherit"], strict=True))


def _enter_namespaces() -> None:
    """Where the user has not got the right to mount, in a namespace of users in which this process has it."""
    if SYS_CLONE is None:
        raise OSError(errno.ENOSYS, f"clone has no known number on {os.uname().machine}")
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        try:
            _check(_libc.unshare(CLONE_NEWNS), "unshare")
        except PermissionError:
            pass  # root without CAP_SYS_ADMIN, as in a container
        else:
            return
    _check(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def _enter_network(join: int | None) -> None:
    """One with nothing but its own loopback, or the one of another keeper, as soon as that has got it."""
    if join is None:
        _check(_libc.unshare(CLONE_NEWNET), "unshare")
        _raise_loopback()
        return
    theirs, own, deadline = f"/proc/{join}/ns/net", os.readlink("/proc/self/ns/net"), time.monotonic() + JOIN_SECONDS
    while os.readlink(theirs) == own:
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), theirs)
        time.sleep(0.002)
    descriptor = os.open(theirs, os.O_RDONLY)
    _check(_libc.setns(descriptor, CLONE_NEWNET), theirs)
    os.close(descriptor)


def _raise_loopback() -> None:
    """A new network namespace has nothing but ``lo``, and that is down. Sockets made before stay where they were."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _make_root() -> None:
    """What all sandboxes have of the host, read-only where the kernel can do that, and of ``/dev`` and ``/run`` only
    what cannot be used against the host."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", WORKSHOP, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
    # Else a copy of the host's tree would hold the half-made new tree again.
    _mount(None, WORKSHOP, None, MS_UNBINDABLE)
    for folder in (ROOT, EMPTY):
        os.mkdir(folder)
    _mount("tmpfs", EMPTY, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, b"mode=555")
    _mount("tmpfs", ROOT, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
    for folder in ("opt", "opt/ml", "tmp", "dev", "run", "proc"):
        os.mkdir(f"{ROOT}/{folder}")
    for folder, left_out in (("/", ("opt", "tmp", "dev", "run", "proc")), ("/opt/", ("ml",))):
        if os.path.isdir(folder):
            for entry in os.listdir(folder):
                if entry not in left_out:
                    _bring(f"{folder}{entry}")
    for folder in _of_run():
        _bring(folder)
    no_writing = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV
    if not _restrict(ROOT, no_writing):  # one of them refuses, or the kernel knows no such call
        for entry in (*os.listdir(ROOT), *(f"opt/{entry}" for entry in os.listdir(f"{ROOT}/opt"))):
            _restrict(f"{ROOT}/{entry}", no_writing)
    _make_devices()


def _make_own_places(hosts: str | None) -> None:
    """What one sandbox shares with no other, as far as it is known without an order."""
    shared_memory = f"{ROOT}/dev/shm"  # noqa: S108 - made by _make_devices
    _mount("tmpfs", shared_memory, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=1777")
    _mount("devpts", f"{ROOT}/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, b"newinstance,ptmxmode=0666,mode=600")
    try:
        _mount("proc", f"{ROOT}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError:  # where the host hides parts of /proc; the old one shows the numbers of outside
        _mount("/proc", f"{ROOT}/proc", None, MS_BIND | MS_REC)
    for name in READ_ONLY_PROC:
        with contextlib.suppress(OSError):
            _mount(f"{ROOT}/proc/{name}", f"{ROOT}/proc/{name}", None, MS_BIND | MS_REC)
            _restrict(f"{ROOT}/proc/{name}", MOUNT_ATTR_RDONLY)
    if hosts is not None:
        _write_hosts(f"{shared_memory}/hosts", hosts, HOSTS)
        _mount(f"{shared_memory}/hosts", f"{ROOT}/etc/hosts", None, MS_BIND)
        os.unlink(f"{shared_memory}/hosts")
    _set_host_name(FIRST_NAME)
    for capability in set(range(CAPABILITIES)) - KEPT_CAPABILITIES:
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _enter_sandbox(order: dict[str, Any], hosts: str | None) -> None:
    for hidden in order["hide"]:
        if os.path.isdir(ROOT + hidden):  # not so below what is private anyway, such as /dev/shm
            _mount(EMPTY, ROOT + hidden, None, MS_BIND)
    for source, target in ((order["ml"], "/opt/ml"), (order["tmp"], "/tmp")):  # noqa: S108
        _mount(source, ROOT + target, None, MS_BIND | MS_REC)
    for kept in order["keep"]:
        os.makedirs(ROOT + kept, exist_ok=True)
        _mount(kept, ROOT + kept, None, MS_BIND | MS_REC)
        _restrict(ROOT + kept, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)
    if not order["network"]:
        _enter_network(order["join"])
    os.chdir(ROOT)
    _check(_libc.pivot_root(b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")
    if order["hostname"] != FIRST_NAME:
        _set_host_name(order["hostname"])
    if hosts is not None and order["hosts"] != HOSTS:
        _write_hosts("/etc/hosts", hosts, order["hosts"])


def _set_host_name(name: str) -> None:
    _check(_libc.sethostname(name.encode(), len(name.encode())), "sethostname")


def _known_hosts() -> str | None:
    if not os.path.isfile("/etc/hosts"):
        return None
    with open("/etc/hosts", encoding="utf-8", errors="replace") as file:
        return file.read().rstrip()


def _write_hosts(path: str, known: str, hosts: dict[str, str]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in (known, *(f"{hosts[name]} {name}" for name in hosts))))
    os.chmod(path, 0o644)


def _of_run() -> list[str]:
    """What a program needs of ``/run``; in the rest listen those who do for root what they are asked: Docker, the
    system's bus, agents with keys."""
    names = os.path.dirname(os.path.realpath("/etc/resolv.conf"))
    needed = {f"/run/{name}" for name in RUN} | ({names} if names.startswith("/run/") else set())
    return sorted(folder for folder in needed if os.path.isdir(folder))


def _make_devices() -> None:
    """Those that harm nobody, and accelerators. The host's own folder is writable for root, and so are its disks."""
    folder = f"{ROOT}/dev"
    _mount("tmpfs", folder, "tmpfs", MS_NOSUID, b"mode=755")
    for name in sorted(os.listdir("/dev")):
        if name in DEVICES or name.startswith(ACCELERATORS):
            _bring(f"/dev/{name}")
    for name, to in DEVICE_LINKS.items():
        os.symlink(to, f"{folder}/{name}")
    os.mkdir(f"{folder}/shm")
    os.mkdir(f"{folder}/pts")
    _restrict(folder, MOUNT_ATTR_RDONLY)


def _bring(path: str) -> None:
    """The same file, folder or link under the new root."""
    target = ROOT + path
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    _mount(path, target, None, MS_BIND | MS_REC)


def _restrict(path: str, attributes: int) -> bool:
    """With all that is mounted below it."""
    # Before Linux 5.12 there is no such call; the root then stays writable.
    wanted = (ctypes.c_uint64 * 4)(attributes)
    arguments = (os.fsencode(path), AT_RECURSIVE, ctypes.byref(wanted), ctypes.sizeof(wanted))
    done: int = _libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, *arguments)
    return done == 0


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: bytes | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _check(_libc.mount(*texts, ctypes.c_ulong(flags), options), target)


def _check(result: int, at: str | None) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), at)


if __name__ == "__main__":
    main(sys.argv[1] == "namespaces")
