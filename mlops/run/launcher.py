"""Starts commands, each with its own ``/opt/ml``, and stays beside each until it ends. Run by path; imports nothing of
ours.

One launcher serves one runner. It is single-threaded, so that it may fork and that the kernel's word of a parent's
death means what it says. Standard input is a Unix socket; each order (see :class:`mlops.run.sandbox.Order`) comes as
one byte with the descriptors of the control socket, the log and what the command inherits, then four bytes of length,
then JSON.

Per order the launcher forks a keeper, which makes the sandbox, starts the command and answers on the control socket:
its own process number, and at the end the exit status, four bytes each. The other end is the runner's alone, and a
lifeline: when it closes, because the runner closed it or died, the keeper kills everything that it started. ``T`` on
it is SIGTERM for the command. The exit status is the command's, 128 + n where signal n ended it; as with Docker 125
says that the sandbox could not be made, 126 and 127 that the command could not be started.
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
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 0x2, 0x4, 0x8, 0x1000, 0x4000
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
JOIN_SECONDS = 10.0
MOST_DESCRIPTORS = 64
NO_SANDBOX = 125
KILLED = 128 + signal.SIGKILL

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    orders = socket.socket(fileno=0)
    # What a collector touches is copied for every child.
    gc.disable()
    gc.freeze()
    # Keepers answer the runner themselves; nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        start, descriptors, _, _ = socket.recv_fds(orders, 1, MOST_DESCRIPTORS)
        text = _exactly(orders, int.from_bytes(_exactly(orders, 4))) if start else b""
        if not text:
            return
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        if os.fork() == 0:
            control, log, *inherited = descriptors
            _keep(json.loads(text), control, log, inherited)
        for descriptor in descriptors:
            os.close(descriptor)


def _exactly(orders: socket.socket, length: int) -> bytes:
    """Less only where the other end is gone."""
    text = b""
    while len(text) < length and (piece := orders.recv(length - len(text))):
        text += piece
    return text if len(text) == length else b""


def _keep(order: dict[str, Any], control: int, log: int, inherited: list[int]) -> NoReturn:
    """The keeper. It outlives the launcher; what ends it early is the control socket."""
    os.write(control, os.getpid().to_bytes(4))
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, place)
    os.close(log)
    os.close(nothing)
    namespaces = order["mode"] == "namespaces"
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # A signal that comes before the command exists waits here.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    status = NO_SANDBOX
    if not namespaces and sys.platform == "linux":
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if not namespaces or _done("unshare", lambda: _enter_namespaces(order["network"], order["join"])):
        alive_read, alive_write = os.pipe()
        child = os.fork()
        if child == 0:
            # The runner is to see this socket close when the keeper dies.
            os.close(control)
            os.close(alive_write)
            _die_with_parent(alive_read)
            if namespaces:
                _become_first_process(order, inherited)
            else:
                _execute(order, inherited)
        for descriptor in inherited:
            os.close(descriptor)
        status = _watch(child, control, wake_read)
    with contextlib.suppress(BrokenPipeError):
        os.write(control, status.to_bytes(4))
    os._exit(0)


def _done(doing: str, work: Any) -> bool:
    """Where it could not be done the log says so."""
    try:
        work()
    except OSError as fault:
        at = f" {fault.filename}" if fault.filename else ""
        _tell(f"the sandbox could not be made: {doing}{at}: {fault.strerror}")
        return False
    return True


def _tell(text: str) -> None:
    os.write(2, f"[mlops] {text}\n".encode())


def _watch(child: int, control: int, wake_read: int) -> int:
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _kill_leftovers(child)
            return _exit_status(status)
        readable, _, _ = select.select([control, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 512)
        if control in readable:
            said = _read(control)
            if not said:
                os.kill(child, signal.SIGKILL)
                _kill_leftovers(child)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, 0)
                return KILLED
            os.kill(child, signal.SIGTERM)


def _read(control: int) -> bytes:
    try:
        return os.read(control, 512)
    except ConnectionResetError:  # it died before it read what we wrote
        return b""


def _kill_leftovers(leader: int) -> None:
    """What is left of the command's session, and where the kernel lists them all children: orphans come to us. In a
    namespace the kernel has done it."""
    # macOS answers EPERM where only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    with contextlib.suppress(FileNotFoundError, ChildProcessError):
        while children := _children():
            for child in children:
                os.kill(child, signal.SIGKILL)
            os.wait()


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


def _become_first_process(order: dict[str, Any], inherited: list[int]) -> NoReturn:
    """Process 1 of the new namespace: the kernel kills every other process in it when this one ends."""
    _libc.sethostname(order["hostname"].encode(), len(order["hostname"].encode()))
    made = _done("mount", lambda: _make_root(order))
    if not made or not (order["network"] or _done("loopback", _raise_loopback)):
        os._exit(NO_SANDBOX)
    for capability in set(range(CAPABILITIES)) - KEPT_CAPABILITIES:
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    alive_read, alive_write = os.pipe()
    command = os.fork()
    if command == 0:
        os.close(alive_write)
        _die_with_parent(alive_read)
        _execute(order, inherited)
    for descriptor in inherited:
        os.close(descriptor)
    signal.set_wakeup_fd(-1)

    def pass_on(*_: Any) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(command, signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    while True:
        ended, status = os.wait()
        if ended == command:
            os._exit(_exit_status(status))


def _execute(order: dict[str, Any], inherited: list[int]) -> NoReturn:
    command, environment = order["command"], order["environment"]
    try:
        os.setsid()
        os.chdir(order["cwd"])
        # First out of the way: one may have come under the number that another one is to have.
        above = max(order["inherit"], default=2) + 1
        copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, above) for descriptor in inherited]
        for copy, place in zip(copies, order["inherit"], strict=True):
            os.dup2(copy, place)
        # Python ignores SIGPIPE and an ignored signal stays ignored behind exec.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        os.execvpe(command[0], command, environment)  # noqa: S606 - the command is the author's own
    except OSError as fault:
        where = order["cwd"] if fault.filename == order["cwd"] else command[0]
        _tell(f"cannot start {where!r}: {fault.strerror}")
        os._exit(127 if fault.errno == errno.ENOENT else 126)


def _enter_namespaces(network: bool, join: int | None) -> None:
    """``join`` is a keeper whose network becomes ours too."""
    user, group = os.geteuid(), os.getegid()
    wanted = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS
    if join is not None:
        _join_network(join)
        _check(_libc.unshare(wanted), None)
        return
    wanted |= 0 if network else CLONE_NEWNET
    if user == 0:
        try:
            _check(_libc.unshare(wanted), None)
        except PermissionError:
            pass  # root without CAP_SYS_ADMIN, as in a container
        else:
            return
    _check(_libc.unshare(CLONE_NEWUSER | wanted), None)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def _join_network(other: int) -> None:
    """Waits until the other one has a network of its own. The user namespace that owns it comes first, and its numbers
    are written after the network was made."""
    own, deadline = os.readlink("/proc/self/ns/net"), time.monotonic() + JOIN_SECONDS
    while os.readlink(f"/proc/{other}/ns/net") == own or not _is_mapped(other):
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), f"/proc/{other}/ns/net")
        time.sleep(0.002)
    spaces = ["user"] if os.readlink(f"/proc/{other}/ns/user") != os.readlink("/proc/self/ns/user") else []
    for name in (*spaces, "net"):
        descriptor = os.open(f"/proc/{other}/ns/{name}", os.O_RDONLY)
        _check(_libc.setns(descriptor, 0), f"/proc/{other}/ns/{name}")
        os.close(descriptor)


def _is_mapped(process: int) -> bool:
    with open(f"/proc/{process}/gid_map", encoding="ascii") as file:
        return bool(file.read().strip())


def _raise_loopback() -> None:
    """A new network namespace has nothing but ``lo``, and that is down. Sockets made before stay where they were."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _make_root(order: dict[str, Any]) -> None:
    """A new root: what the host has, read-only where the kernel can do that, with its own ``/opt/ml`` and ``/tmp``,
    and of ``/dev`` and ``/run`` only what cannot be used against the host."""
    root = order["root"]
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
    # Else the copy of the host's tree would hold the half-made new tree again.
    _mount(None, root, None, MS_UNBINDABLE)
    for entry in os.listdir("/"):
        if entry not in ("opt", "tmp", "dev", "run"):
            _bring(f"/{entry}", root)
    for folder in ("opt", "opt/ml", "tmp", "dev", "run"):
        os.mkdir(f"{root}/{folder}")
    if os.path.isdir("/opt"):
        for entry in os.listdir("/opt"):
            if entry != "ml":
                _bring(f"/opt/{entry}", root)
    for folder in _of_run():
        _bring(folder, root)
    no_writing = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV
    if not _restrict(root, no_writing):  # one of them refuses, or the kernel knows no such call
        for entry in (*os.listdir(root), *(f"opt/{entry}" for entry in os.listdir(f"{root}/opt"))):
            _restrict(f"{root}/{entry}", no_writing)
    _make_devices(root)
    for hidden in order["hide"]:
        if not os.path.isdir(root + hidden):  # below what is private anyway, such as /dev/shm
            continue
        _mount("tmpfs", root + hidden, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=555")
        _restrict(root + hidden, no_writing)
    for source, target in ((order["ml"], "/opt/ml"), (order["tmp"], "/tmp")):  # noqa: S108
        _mount(source, root + target, None, MS_BIND | MS_REC)
    for kept in order["keep"]:
        os.makedirs(root + kept, exist_ok=True)
        _mount(kept, root + kept, None, MS_BIND | MS_REC)
        _restrict(root + kept, no_writing)
    os.chdir(root)
    _check(_libc.pivot_root(b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")
    _mount(None, "/", None, MS_PRIVATE)
    # Where the host hides parts of /proc this is refused; the old one then shows the numbers of outside.
    with contextlib.suppress(OSError):
        _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in READ_ONLY_PROC:
        with contextlib.suppress(OSError):
            _mount(f"/proc/{name}", f"/proc/{name}", None, MS_BIND | MS_REC)
            _restrict(f"/proc/{name}", MOUNT_ATTR_RDONLY)
    _name_hosts(order["hosts"])


def _of_run() -> list[str]:
    """What a program needs of ``/run``; in the rest listen those who do for root what they are asked: Docker, the
    system's bus, agents with keys."""
    names = os.path.dirname(os.path.realpath("/etc/resolv.conf"))
    needed = {f"/run/{name}" for name in RUN} | ({names} if names.startswith("/run/") else set())
    return sorted(folder for folder in needed if os.path.isdir(folder))


def _make_devices(root: str) -> None:
    """Those that harm nobody, and accelerators. The host's own folder is writable for root, and so are its disks."""
    folder = f"{root}/dev"
    _mount("tmpfs", folder, "tmpfs", MS_NOSUID, b"mode=755")
    for name in sorted(os.listdir("/dev")):
        if name in DEVICES or name.startswith(ACCELERATORS):
            _bring(f"/dev/{name}", root)
    for name, to in DEVICE_LINKS.items():
        os.symlink(to, f"{folder}/{name}")
    os.mkdir(f"{folder}/shm")
    os.mkdir(f"{folder}/pts")
    _restrict(folder, MOUNT_ATTR_RDONLY)
    _mount("tmpfs", f"{folder}/shm", "tmpfs", MS_NOSUID | MS_NODEV, b"mode=1777")
    _mount("devpts", f"{folder}/pts", "devpts", MS_NOSUID | MS_NOEXEC, b"newinstance,ptmxmode=0666,mode=600")


def _bring(path: str, root: str) -> None:
    """The same file, folder or link under the new root."""
    target = root + path
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


def _name_hosts(hosts: dict[str, str]) -> None:
    if not os.path.isfile("/etc/hosts"):
        return
    with open("/etc/hosts", encoding="utf-8", errors="replace") as host_file:
        known = host_file.read()
    ours = "/dev/shm/.hosts"  # noqa: S108 - the sandbox's own
    with open(ours, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in (known.rstrip(), *(f"{hosts[name]} {name}" for name in hosts))))
    os.chmod(ours, 0o644)
    _mount(ours, "/etc/hosts", None, MS_BIND)
    os.unlink(ours)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: bytes | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _check(_libc.mount(*texts, ctypes.c_ulong(flags), options), target)


def _check(result: int, at: str | None) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), at)


if __name__ == "__main__":
    main()
