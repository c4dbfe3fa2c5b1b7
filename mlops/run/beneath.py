"""Files that somebody may swap while we look at them: walked, opened, read, written and removed below a descriptor.

A step owns its ``/opt/ml`` and runs beside us: what is a file when it is looked at is a link to our account when it is
opened. So a name is used once and for one component, relative to the descriptor of the folder that it lies in, and no
link is ever followed (O_NOFOLLOW). Only regular files are opened; a FIFO would block, a device would act. Links
between names need no care: the sandbox has ``/opt/ml`` as a mount of its own, and none leads from one mount to another.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn

from mlops.ir.dataclass import dataclass

DEEPEST = 100
"""Folders within folders. A key of S3 has at most 1,024 bytes, and each open folder costs a descriptor."""

CHUNK = 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without waiting: for the writer of a FIFO, or for who holds a lease on the file.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SWAPPED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Barred(Exception):
    """Nothing is read there. ``path`` is relative to the top, ``reason`` says why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class InItsPlace(Barred):
    """Something else has the name; ``found`` says what."""

    def __init__(self, path: str, found: str) -> None:
        super().__init__(path, f"{found} is in its place")
        self.found = found


class TooDeep(Barred):
    def __init__(self, path: str) -> None:
        super().__init__(path, f"it lies deeper than {DEEPEST} folders")


class Unreadable(Barred):
    def __init__(self, path: str) -> None:
        super().__init__(path, "its mode forbids to read it")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a walk found. ``path`` is relative to where it began."""

    path: str
    state: os.stat_result

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.state.st_mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.state.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.state.st_mode)


class Folder:
    """One that is held, whatever has its name by now. One that is not there is empty."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def at(cls, top: Path, inside: str = "") -> Folder:
        """``inside`` is relative to ``top``, whose own parents are trusted. Raises :class:`InItsPlace`."""
        try:
            descriptor = os.open(top, _FOLDER)
        except FileNotFoundError:
            return cls(None)
        except OSError as fault:
            _refuse(fault, None, os.fspath(top), "")
        return cls(_entered(descriptor, inside))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def walk(self, *, pass_unreadable: bool = False) -> Iterator[Entry]:
        """All that lies below, in the order of their paths' names, each folder before what is in it. What goes
        meanwhile is passed over. Raises :class:`Barred`."""
        if self._descriptor is None:
            return
        levels = [_Level.of(os.dup(self._descriptor), "")]
        try:
            while levels:
                level = levels[-1]
                if not level.names:
                    os.close(levels.pop().descriptor)
                    continue
                name = level.names.pop()
                try:
                    state = os.stat(name, dir_fd=level.descriptor, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield Entry(level.prefix + name, state)
                if not stat.S_ISDIR(state.st_mode):
                    continue
                if len(levels) > DEEPEST:
                    raise TooDeep(level.prefix + name)
                try:
                    with _passed_over():
                        found = os.open(name, _FOLDER, dir_fd=level.descriptor)
                        levels.append(_Level.of(found, f"{level.prefix}{name}/"))
                except PermissionError:
                    if not pass_unreadable:
                        raise Unreadable(level.prefix + name) from None
        finally:
            for level in levels:
                os.close(level.descriptor)

    def open(self, path: str) -> IO[bytes]:
        """Raises :class:`Barred`, as :class:`InItsPlace` for what is no regular file; FileNotFoundError;
        BlockingIOError where somebody holds a lease on it."""
        with self._parent(path) as (parent, name):
            if not stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                _refuse(OSError(errno.ELOOP, ""), parent, name, path)
            try:
                descriptor = os.open(name, _READ, dir_fd=parent)
            except OSError as fault:
                _refuse(fault, parent, name, path)
            found = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(found):
                os.close(descriptor)
                raise InItsPlace(path, _KINDS.get(stat.S_IFMT(found), "something"))
            return os.fdopen(descriptor, "rb")

    def read(self, path: str, limit: int) -> bytes | None:
        """At most ``limit`` bytes; None where there is no regular file of that name. Raises :class:`Barred` for
        the folders above it."""
        try:
            with self.open(path) as file:
                return file.read(limit)
        except Barred as barred:
            if barred.path == path:
                return None
            raise
        except FileNotFoundError:
            return None

    def link(self, path: str) -> str:
        """Where it leads to. Raises OSError."""
        with self._parent(path) as (parent, name):
            return os.readlink(name, dir_fd=parent)

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        if self._descriptor is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        inside, _, name = path.rpartition("/")
        parent = _entered(os.dup(self._descriptor), inside)
        if parent is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        try:
            yield parent, name
        finally:
            os.close(parent)


class NewFolder:
    """One that is filled: nothing goes through a link in it, not even through one that was put there before."""

    def __init__(self, top: Path) -> None:
        self._descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> NewFolder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def make(self, path: str) -> None:
        """A folder, and those above it. Raises :class:`InItsPlace`, as all that follow do."""
        os.close(self._made(path))

    def write(self, source: IO[bytes], path: str, mode: int, modified: float) -> None:
        """Takes the place of another file or link."""
        with self._free(path) as (parent, name), os.fdopen(os.open(name, _WRITE, mode, dir_fd=parent), "wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
            file.flush()
            with suppress(OverflowError, OSError):  # a time that this file system does not know
                os.utime(file.fileno(), (modified, modified))

    def symlink(self, target: str, path: str) -> None:
        with self._free(path) as (parent, name):
            os.symlink(target, name, dir_fd=parent)

    def link(self, target: str, path: str) -> None:
        """Another name of the regular file ``target``. Raises FileNotFoundError."""
        inside, _, name = target.rpartition("/")
        source = _entered(os.dup(self._descriptor), inside)
        if source is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), target)
        try:
            state = os.stat(name, dir_fd=source, follow_symlinks=False)
            if not stat.S_ISREG(state.st_mode):
                raise InItsPlace(target, _KINDS.get(stat.S_IFMT(state.st_mode), "something"))
            if target != path:
                with self._free(path) as (parent, new):
                    os.link(name, new, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(source)

    @contextmanager
    def _free(self, path: str) -> Iterator[tuple[int, str]]:
        inside, _, name = path.rpartition("/")
        if not name:
            raise InItsPlace(path, "a folder")
        parent = self._made(inside)
        try:
            try:
                os.unlink(name, dir_fd=parent)
            except FileNotFoundError:
                pass
            except (IsADirectoryError, PermissionError):  # the second on macOS
                raise InItsPlace(path, "a folder") from None
            yield parent, name
        finally:
            os.close(parent)

    def _made(self, path: str) -> int:
        here, descriptor = "", os.dup(self._descriptor)
        for name in path.split("/") if path else ():
            here = f"{here}/{name}" if here else name
            try:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=descriptor)
                following = os.open(name, _FOLDER, dir_fd=descriptor)
            except OSError as fault:
                _refuse(fault, descriptor, name, here)
            finally:
                os.close(descriptor)
            descriptor = following
        return descriptor


class _Level:
    """A folder of a walk; ``names`` are taken from their end."""

    __slots__ = ("descriptor", "names", "prefix")

    def __init__(self, descriptor: int, prefix: str, names: list[str]) -> None:
        self.descriptor = descriptor
        self.prefix = prefix
        self.names = names

    @classmethod
    def of(cls, descriptor: int, prefix: str) -> _Level:
        try:
            return cls(descriptor, prefix, sorted(os.listdir(descriptor), reverse=True))
        except BaseException:
            os.close(descriptor)
            raise


def content(file: IO[bytes]) -> Iterator[bytes]:
    """Of a regular file as long as it is now: one that grows as fast as it is read would have no end."""
    left = os.fstat(file.fileno()).st_size
    while left > 0 and (chunk := file.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk


def disk_use(top: Path) -> int:
    """Bytes on disk below ``top``; what has several names counts once. Raises :class:`TooDeep`."""
    total, seen = 0, set[int]()
    with suppress(InItsPlace, Unreadable), Folder.at(top) as folder:
        for entry in folder.walk(pass_unreadable=True):
            if entry.is_folder:
                continue
            if entry.state.st_nlink > 1:
                if entry.state.st_ino in seen:
                    continue
                seen.add(entry.state.st_ino)
            total += entry.state.st_blocks * 512
    return total


def remove(top: Path) -> None:
    """All of it, however deep, and whatever modes somebody gave it. Raises OSError where that is not allowed; what is
    gone already is as good as removed."""
    parent = os.open(top.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _remove(parent, top.name)
    except FileNotFoundError:
        return
    finally:
        os.close(parent)


def _remove(parent: int, name: str) -> None:
    """Depth first. A folder below :data:`DEEPEST` others is moved up to the top before it is gone into."""
    state = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(state.st_mode):
        os.unlink(name, dir_fd=parent)
        return
    top = _open_for_removal(parent, name)
    levels = [_Level.of(top, name)]
    try:
        while levels:
            level = levels[-1]
            if not level.names:
                os.close(levels.pop().descriptor)
                with suppress(FileNotFoundError):
                    os.rmdir(level.prefix, dir_fd=levels[-1].descriptor if levels else parent)
                continue
            item = level.names.pop()
            try:
                os.unlink(item, dir_fd=level.descriptor)
                continue
            except FileNotFoundError:
                continue
            except (IsADirectoryError, PermissionError):  # EPERM on macOS
                if not stat.S_ISDIR(os.stat(item, dir_fd=level.descriptor, follow_symlinks=False).st_mode):
                    raise
            if len(levels) > DEEPEST:
                new = os.urandom(8).hex()
                os.rename(item, new, src_dir_fd=level.descriptor, dst_dir_fd=levels[0].descriptor)
                levels[0].names.append(new)
                continue
            with _passed_over():
                levels.append(_Level.of(_open_for_removal(level.descriptor, item), item))
    finally:
        for level in levels:
            os.close(level.descriptor)


def _open_for_removal(parent: int, name: str) -> int:
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        _make_readable(parent, name)
        descriptor = os.open(name, _FOLDER, dir_fd=parent)
    with suppress(PermissionError):
        if os.fstat(descriptor).st_mode & 0o700 != 0o700:
            os.fchmod(descriptor, 0o700)
    return descriptor


def _make_readable(parent: int, name: str) -> None:
    """A folder of ours. What a link leads to is not changed."""
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, 0o700, dir_fd=parent, follow_symlinks=False)
        return
    # Linux: through a descriptor that only names it.
    descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{descriptor}", 0o700)  # noqa: PTH101
    finally:
        os.close(descriptor)


def _entered(descriptor: int, inside: str) -> int | None:
    """The folder ``inside`` below ``descriptor``, which is closed; None where there is none. Raises
    :class:`InItsPlace`."""
    here = ""
    for name in inside.split("/") if inside else ():
        here = f"{here}/{name}" if here else name
        try:
            following = os.open(name, _FOLDER, dir_fd=descriptor)
        except FileNotFoundError:
            return None
        except OSError as fault:
            _refuse(fault, descriptor, name, here)
        finally:
            os.close(descriptor)
        descriptor = following
    return descriptor


def _refuse(fault: OSError, parent: int | None, name: str, path: str) -> NoReturn:
    """As :class:`Barred`, where it is for that."""
    if isinstance(fault, PermissionError):
        raise Unreadable(path) from None
    if fault.errno not in (errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
        raise fault
    kind = stat.S_IFMT(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    raise InItsPlace(path, _KINDS.get(kind, "something")) from None


@contextmanager
def _passed_over() -> Iterator[None]:
    """What was swapped since it was looked at."""
    try:
        yield
    except OSError as fault:
        if fault.errno not in _SWAPPED:
            raise
