"""Starts one command with its own ``/opt/ml`` and stays beside it until it ends. Run by path; imports nothing of ours.

Standard input brings one line of JSON, the order (see :class:`mlops.run.sandbox.Order`), and then stays open as a
lifeline: when it closes, because the runner closed it or died, everything that was started here is killed. SIGTERM is
passed on to the command. The exit status is the command's, 128 + n where signal n ended it; as with Docker 125 says
that the sandbox could not be made, 126 and 127 that the command could not be started.
"""

# pathlib would cost every step start-up time.
# ruff: noqa: PTH101, PTH102, PTH103, PTH108, PTH112, PTH113, PTH114, PTH115, PTH123, PTH208, PTH211

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import sys
import time
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 0x2, 0x4, 0x8, 0x1000, 0x4000
MS_UNBINDABLE, MS_PRIVATE = 1 << 17, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
# dac_read_search, net_admin, sys_module, sys_rawio, sys_ptrace, sys_admin, sys_boot, mknod: with them a step that root
# started could undo its sandbox.
DROPPED_CAPABILITIES = (2, 12, 16, 17, 19, 21, 22, 27)
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
LIFELINE = 0
JOIN_SECONDS = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    order = json.loads(_first_line(LIFELINE))
    namespaces = order["mode"] == "namespaces"
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    # A signal that comes before the command exists waits here.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    alive_read, alive_write = os.pipe()
    if namespaces:
        _guard("unshare", lambda: _enter_namespaces(order["network"], order["join"]))
    child = os.fork()
    if child == 0:
        os.close(alive_write)
        _die_with_parent(alive_read)
        if namespaces:
            _guard("mount", lambda: _make_root(order))
            _libc.sethostname(order["hostname"].encode(), len(order["hostname"].encode()))
            if not order["network"]:
                _guard("loopback", _raise_loopback)
            for capability in DROPPED_CAPABILITIES:
                _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
            _be_first_process(order)
        _execute(order)
    _pass_on_termination(child)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
    os._exit(_watch(child, wake_read, group=not namespaces))


def _first_line(descriptor: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 65536)
        if not piece:
            os._exit(125)
        line += piece
    return line


def _guard(doing: str, work: Any) -> None:
    try:
        work()
    except OSError as fault:
        at = f" {fault.filename}" if fault.filename else ""
        sys.stderr.write(f"[mlops] the sandbox could not be made: {doing}{at}: {fault.strerror}\n")
        sys.stderr.flush()
        os._exit(125)


def _watch(child: int, wake_read: int, group: bool) -> int:
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            if group:
                _kill_group(child)
            return _exit_status(status)
        readable, _, _ = select.select([LIFELINE, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 512)
        if LIFELINE in readable and not os.read(LIFELINE, 512):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            if group:
                _kill_group(child)
            os.waitpid(child, 0)
            return 128 + signal.SIGKILL


def _pass_on_termination(process: int) -> None:
    def pass_on(*_: Any) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_on)


def _kill_group(leader: int) -> None:
    # macOS answers EPERM where only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _exit_status(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _die_with_parent(alive: int) -> None:
    """``alive`` reaches its end where the parent died before the kernel knew of our wish."""
    if sys.platform != "linux":
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if select.select([alive], [], [], 0)[0]:
        os._exit(128 + signal.SIGKILL)


def _be_first_process(order: dict[str, Any]) -> NoReturn:
    """Process 1 of the new namespace: the kernel kills every other process in it when this one ends."""
    alive_read, alive_write = os.pipe()
    command = os.fork()
    if command == 0:
        os.close(alive_write)
        _die_with_parent(alive_read)
        _execute(order)
    signal.set_wakeup_fd(-1)
    _pass_on_termination(command)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
    while True:
        ended, status = os.wait()
        if ended == command:
            os._exit(_exit_status(status))


def _execute(order: dict[str, Any]) -> NoReturn:
    command, environment = order["command"], order["environment"]
    try:
        os.setsid()
        os.chdir(order["cwd"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        # Python ignores SIGPIPE and an ignored signal stays ignored behind exec.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        os.execvpe(command[0], command, environment)  # noqa: S606 - the command is the author's own
    except OSError as fault:
        where = order["cwd"] if fault.filename == order["cwd"] else command[0]
        sys.stderr.write(f"[mlops] cannot start {where!r}: {fault.strerror}\n")
        sys.stderr.flush()
        os._exit(127 if fault.errno == errno.ENOENT else 126)


def _enter_namespaces(network: bool, join: int | None) -> None:
    """``join`` is a launcher whose network becomes ours too."""
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
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _make_root(order: dict[str, Any]) -> None:
    """A new root: what the host has, read-only where the kernel can do that, with its own ``/opt/ml`` and ``/tmp``."""
    root = order["root"]
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
    # Else the copy of the host's tree would hold the half-made new tree again.
    _mount(None, root, None, MS_UNBINDABLE)
    for entry in os.listdir("/"):
        if entry not in ("opt", "tmp"):
            _bring(f"/{entry}", root, read_only=entry not in ("dev", "proc"))
    shared_memory = "/dev/shm"  # noqa: S108 - it gets its own
    if os.path.isdir(shared_memory) and not os.path.islink(shared_memory):
        _mount("tmpfs", root + shared_memory, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=1777")
    os.mkdir(f"{root}/opt")
    if os.path.isdir("/opt"):
        for entry in os.listdir("/opt"):
            if entry != "ml":
                _bring(f"/opt/{entry}", root, read_only=True)
    for hidden in order["hide"]:
        _mount("tmpfs", root + hidden, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=555")
        _make_read_only(root + hidden)
    for source, target in ((order["ml"], "/opt/ml"), (order["tmp"], "/tmp")):  # noqa: S108
        os.mkdir(root + target)
        _mount(source, root + target, None, MS_BIND | MS_REC)
    for kept in order["keep"]:
        os.makedirs(root + kept, exist_ok=True)
        _mount(kept, root + kept, None, MS_BIND | MS_REC)
        _make_read_only(root + kept)
    os.chdir(root)
    _check(_libc.pivot_root(b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")
    _mount(None, "/", None, MS_PRIVATE)
    # Where the host hides parts of /proc this is refused; the old one then shows the numbers of outside.
    with contextlib.suppress(OSError):
        _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    with contextlib.suppress(OSError):
        _mount("/proc/sys", "/proc/sys", None, MS_BIND | MS_REC)
        _make_read_only("/proc/sys")
    _name_hosts(order["hosts"])


def _bring(path: str, root: str, read_only: bool) -> None:
    """The same file, folder or link under the new root."""
    target = root + path
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    _mount(path, target, None, MS_BIND | MS_REC)
    if read_only:
        _make_read_only(target)


def _make_read_only(path: str) -> None:
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    # Before Linux 5.12 there is no such call; the root then stays writable.
    _libc.syscall(
        SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, ctypes.byref(attributes), ctypes.sizeof(attributes)
    )


def _name_hosts(hosts: dict[str, str]) -> None:
    if not os.path.isfile("/etc/hosts"):
        return
    with open("/etc/hosts", encoding="utf-8", errors="replace") as host_file:
        known = host_file.read()
    ours = "/.hosts"
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
