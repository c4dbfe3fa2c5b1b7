"""The file system that a sandbox sees, made of the host's by mounting: once what all have in common, then what each has
for itself."""

# pathlib would cost every step start-up time.
# ruff: noqa: PTH101, PTH102, PTH103, PTH108, PTH110, PTH112, PTH113, PTH114, PTH115, PTH120, PTH123, PTH208, PTH211

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from mlops.run.sandbox.kernel import (
    MNT_DETACH,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_RDONLY,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_UNBINDABLE,
    check,
    libc,
    mount,
    restrict,
)
from mlops.run.sandbox.order import FIRST_NAME, Order

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
ALONE = {FIRST_NAME: "127.0.0.1"}
# In the launcher's own view of the file system, where nobody needs what is there.
WORKSHOP = "/proc/sys"
ROOT, EMPTY = f"{WORKSHOP}/root", f"{WORKSHOP}/empty"


def make_root() -> None:
    """What all sandboxes have of the host, read-only where the kernel can do that, and of ``/dev`` and ``/run`` only
    what cannot be used against the host."""
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", WORKSHOP, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
    # Else a copy of the host's tree would hold the half-made new tree again.
    mount(None, WORKSHOP, None, MS_UNBINDABLE)
    for folder in (ROOT, EMPTY):
        os.mkdir(folder)
    mount("tmpfs", EMPTY, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, b"mode=555")
    mount("tmpfs", ROOT, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
    for folder in ("opt", "opt/ml", "tmp", "dev", "run", "proc"):
        os.mkdir(f"{ROOT}/{folder}")
    for path in (*shared(), *of_run()):
        _bring(path)
    no_writing = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV
    if not restrict(ROOT, no_writing):  # one of them refuses, or the kernel knows no such call
        for entry in (*os.listdir(ROOT), *(f"opt/{entry}" for entry in os.listdir(f"{ROOT}/opt"))):
            restrict(f"{ROOT}/{entry}", no_writing)
    _make_devices()


def shared() -> list[str]:
    """What a sandbox sees as the host has it."""
    found: list[str] = []
    for folder, left_out in (("/", ("opt", "tmp", "dev", "run", "proc")), ("/opt/", ("ml",))):
        if os.path.isdir(folder):
            found += [f"{folder}{entry}" for entry in os.listdir(folder) if entry not in left_out]
    return found


def devices() -> list[str]:
    """Those that harm nobody."""
    return [f"/dev/{name}" for name in DEVICES if os.path.exists(f"/dev/{name}")]


def accelerators() -> list[str]:
    return [f"/dev/{name}" for name in sorted(os.listdir("/dev")) if name.startswith(ACCELERATORS)]


def make_own_places(hosts: str | None) -> None:
    """What one sandbox shares with no other, as far as it is known without an order."""
    shared_memory = f"{ROOT}/dev/shm"  # noqa: S108 - made by _make_devices
    mount("tmpfs", shared_memory, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=1777")
    mount("devpts", f"{ROOT}/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, b"newinstance,ptmxmode=0666,mode=600")
    try:
        mount("proc", f"{ROOT}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError:  # where the host hides parts of /proc; the old one shows the numbers of outside
        mount("/proc", f"{ROOT}/proc", None, MS_BIND | MS_REC)
    for name in READ_ONLY_PROC:
        with contextlib.suppress(OSError):
            mount(f"{ROOT}/proc/{name}", f"{ROOT}/proc/{name}", None, MS_BIND | MS_REC)
            restrict(f"{ROOT}/proc/{name}", MOUNT_ATTR_RDONLY)
    if hosts is not None:
        write_hosts(f"{shared_memory}/hosts", hosts, ALONE)
        mount(f"{shared_memory}/hosts", f"{ROOT}/etc/hosts", None, MS_BIND)
        os.unlink(f"{shared_memory}/hosts")


def bring_ordered(order: Order) -> None:
    """Into the root, what an order names."""
    for hidden in order.hide:
        if os.path.isdir(ROOT + hidden):  # not so below what is private anyway, such as /dev/shm
            shown = any(kept.startswith(f"{hidden}/") for kept in order.keep)
            if shown:  # the empty folder is one for all, and nothing can be made in it
                mount("tmpfs", ROOT + hidden, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
            else:
                mount(EMPTY, ROOT + hidden, None, MS_BIND)
    for source, target in ((order.ml, "/opt/ml"), (order.tmp, "/tmp")):  # noqa: S108
        mount(source, ROOT + target, None, MS_BIND | MS_REC)
    for kept in order.keep:
        os.makedirs(ROOT + kept, exist_ok=True)
        mount(kept, ROOT + kept, None, MS_BIND | MS_REC)
        restrict(ROOT + kept, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)
    for hidden in order.hide:
        if any(kept.startswith(f"{hidden}/") for kept in order.keep):
            restrict(ROOT + hidden, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)


def enter_root() -> None:
    os.chdir(ROOT)
    check(libc.pivot_root(b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")


def known_hosts() -> str | None:
    if not os.path.isfile("/etc/hosts"):
        return None
    with open("/etc/hosts", encoding="utf-8", errors="replace") as file:
        return file.read().rstrip()


def write_hosts(path: str, known: str, hosts: Mapping[str, str]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(hosts_file(known, hosts))
    os.chmod(path, 0o644)


def hosts_file(known: str, hosts: Mapping[str, str]) -> str:
    return "".join(f"{line}\n" for line in (known, *(f"{hosts[name]} {name}" for name in hosts)))


def of_run() -> list[str]:
    """What a program needs of ``/run``; in the rest listen those who do for root what they are asked: Docker, the
    system's bus, agents with keys."""
    names = os.path.dirname(os.path.realpath("/etc/resolv.conf"))
    needed = {f"/run/{name}" for name in RUN} | ({names} if names.startswith("/run/") else set())
    return sorted(folder for folder in needed if os.path.isdir(folder))


def _make_devices() -> None:
    """Those that harm nobody, and accelerators. The host's own folder is writable for root, and so are its disks."""
    folder = f"{ROOT}/dev"
    mount("tmpfs", folder, "tmpfs", MS_NOSUID, b"mode=755")
    for path in (*accelerators(), *devices()):
        _bring(path)
    for name, to in DEVICE_LINKS.items():
        os.symlink(to, f"{folder}/{name}")
    os.mkdir(f"{folder}/shm")
    os.mkdir(f"{folder}/pts")
    restrict(folder, MOUNT_ATTR_RDONLY)


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
    mount(path, target, None, MS_BIND | MS_REC)
