"""Closes this process before anything of a user's file runs in it, with what the steps' sandboxes use too.

Afterwards it is in namespaces of its own: no network, no other process in sight, the file system read-only but for the
project, which is an overlay whose changes go away with the process, a new ``/tmp``, and a home without the hidden files
in which credentials lie. What the file starts dies with this process, and this process with who started it.
"""

# ruff: noqa: S108 - /tmp is a new one here

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlops.compose import system_calls
from mlops.run.sandbox import kernel, mounts
from mlops.run.sandbox.namespaces import enter_namespaces, raise_loopback

ALONE = kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
KEPT_CAPABILITIES = frozenset((0, 1, 3, 4))
"""chown, dac_override, fowner, fsetid: what root needs for the files of others. None has a user who is not root."""

_FAILED = 125
_TMP = Path("/tmp")
_CREDENTIALS = (
    ".aws",
    ".boto",
    ".config",
    ".docker",
    ".git-credentials",
    ".gnupg",
    ".kube",
    ".netrc",
    ".pypirc",
    ".ssh",
)
"""What is covered in a home that is itself the project, whose other hidden files may be the project's."""
_WORKSHOP = f"{mounts.WORKSHOP}/overlay"


def enclose(root: Path, private: Path, secret: Iterable[Path] = ()) -> None:
    """Returns in the closed process alone; this one waits for it and ends as it does. ``private`` is the one folder
    outside that can be written to, ``secret`` are files that look empty. Raises OSError where the system refuses; then
    nothing has changed but that this process may have lost its network."""
    kernel.die_with_parent()
    read, write = os.pipe()
    enter_namespaces()
    kernel.unshare(ALONE)
    child = os.fork()
    if child:
        os.close(write)
        _stand_by(child, read)
        return
    os.close(read)
    try:
        kernel.die_with_parent()
        os.setsid()  # a terminal that it could write commands into
        _mount(root, private, [Path(path) for path in secret])
        raise_loopback()
        _drop_rights()
    except OSError as fault:
        os.write(write, f"{fault.errno or errno.EIO} {fault}".encode())
        os._exit(_FAILED)
    os.close(write)


def _stand_by(child: int, told: int) -> None:
    """Ends this process as the closed one ends. Raises OSError where that could not be made."""
    with os.fdopen(told, "rb") as pipe:
        refusal = pipe.read().decode()
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # who waits for us ends us
            _, status = os.waitpid(child, 0)
            break
    if refusal:
        number, _, said = refusal.partition(" ")
        raise OSError(int(number), said)
    code = os.waitstatus_to_exitcode(status)
    sys.stderr.flush()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _mount(root: Path, private: Path, secret: list[Path]) -> None:
    homes = sorted(_homes())
    here = Path.cwd()
    mounts.make_root()
    mounts.make_own_places(None)
    kernel.mount("tmpfs", f"{mounts.ROOT}/tmp", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, b"mode=1777")
    needed = sorted({*_needed(), *(path for path in (root,) if path.is_relative_to(_TMP))})
    for path in needed:
        if path.is_relative_to(_TMP) and path != _TMP:
            _show(_below(_TMP, path))
    outer = [home for home in homes if not home.is_relative_to(root)]
    for home in outer:
        _hide_home(home, needed)
    _overlay(root)
    for home in homes:
        if home == root:
            _cover(home / name for name in _CREDENTIALS)
        elif home not in outer:
            _hide_home(home, needed)
    _cover(secret)
    _show(private, writable=True)
    mounts.enter_root()
    with contextlib.suppress(OSError):
        os.chdir(here)


def _homes() -> Iterator[Path]:
    """Of the variable and of the system, where they are folders and not the whole file system."""
    places = {os.environ.get("HOME", "")}
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        places.add(pwd.getpwuid(os.getuid()).pw_dir)
    for place in places:
        path = Path(place)
        if path.is_absolute() and path.is_dir() and path.resolve() != Path("/"):
            yield path.resolve()


def _needed() -> Iterator[Path]:
    """Where Python and its modules lie."""
    own = Path(__file__).resolve().parents[2]
    places: list[str | Path] = [
        sys.prefix,
        sys.base_prefix,
        sys.exec_prefix,
        Path(sys.executable).parent,
        own,
        *sys.path,
    ]
    for place in places:
        path = Path(place)
        for each in {path, path.resolve()} if path.is_absolute() else ():
            if each.exists() and each != Path("/"):
                yield each


def _below(top: Path, path: Path) -> Path:
    """The entry of ``top`` in which ``path`` lies; siblings of a project may be its modules."""
    parts = path.relative_to(top).parts
    return top / parts[0] if parts else path


def _inside(path: Path) -> str:
    return mounts.ROOT + str(path)


def _show(path: Path, *, writable: bool = False) -> None:
    """As the host has it."""
    target = _inside(path)
    if path.is_dir():
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    kernel.mount(str(path), target, None, kernel.MS_BIND | kernel.MS_REC)
    if not writable:
        kernel.restrict(target, kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NODEV)


def _hide_home(home: Path, needed: list[Path]) -> None:
    """A new home with what is not hidden of the old one, and with Python where that lies there."""
    if not os.path.isdir(_inside(home)):  # noqa: PTH112 - below a new /tmp, so nothing of it is there
        return
    shown = [entry for entry in sorted(home.iterdir()) if not entry.name.startswith(".")]
    kernel.mount("tmpfs", _inside(home), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, b"mode=700")
    for entry in shown:
        if entry.is_symlink():
            Path(_inside(entry)).symlink_to(entry.readlink())
        elif entry.is_dir() or entry.is_file():
            _show(entry)
    for path in needed:
        if path.is_relative_to(home) and path != home and not os.path.lexists(_inside(path)):
            _show(path)


def _overlay(root: Path) -> None:
    """The project, with what is written to it kept beside. Where the system has none, it is read-only."""
    os.makedirs(f"{_WORKSHOP}", exist_ok=True)  # noqa: PTH103
    kernel.mount("tmpfs", _WORKSHOP, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, b"mode=700")
    for folder in ("changed", "work"):
        os.mkdir(f"{_WORKSHOP}/{folder}")  # noqa: PTH102
    # A name may hold what separates the options.
    os.chdir(root)
    os.makedirs(_inside(root), exist_ok=True)  # noqa: PTH103
    options = f"lowerdir=.,upperdir={_WORKSHOP}/changed,workdir={_WORKSHOP}/work"
    for more in ("", ",userxattr"):
        try:
            kernel.mount(
                "overlay", _inside(root), "overlay", kernel.MS_NOSUID | kernel.MS_NODEV, (options + more).encode()
            )
        except OSError:
            continue
        return
    _show(root)


def _cover(paths: Iterable[Path]) -> None:
    for path in paths:
        inside = _inside(path)
        if os.path.isdir(inside):  # noqa: PTH112
            kernel.mount(mounts.EMPTY, inside, None, kernel.MS_BIND)
        elif os.path.exists(inside):  # noqa: PTH110
            kernel.mount("/dev/null", inside, None, kernel.MS_BIND)
            kernel.restrict(inside, kernel.MOUNT_ATTR_RDONLY)


def _drop_rights() -> None:
    """Else what was mounted could be mounted otherwise."""
    kept = KEPT_CAPABILITIES if os.geteuid() == 0 else frozenset[int]()
    kernel.keep_capabilities(kept)
    kernel.set_capabilities(kept)
    system_calls.refuse(system_calls.TO_LISTENERS)
