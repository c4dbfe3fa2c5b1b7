"""Files and folders that are nobody else's business: data, models, and what people wrote into definitions.

All that is made below ``.mlops`` is made here, or by a process whose umask lets nobody else in.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
UMASK = 0o077
_OTHERS = 0o077
# The folders of a step's attempt that the step itself has written to.
_STEPS_OWN = frozenset({"ml", "scratch", "hosts", "containers"})


def private_folder(folder: Path) -> Path:
    """Made where it is missing, with all that is missing above it."""
    try:
        folder.mkdir(FOLDER)
    except FileExistsError:
        if not folder.is_dir():
            raise
    except FileNotFoundError:
        private_folder(folder.parent)
        return private_folder(folder)
    return folder


def opener(path: str, flags: int) -> int:
    """For ``open``: a file that is made is its owner's alone."""
    return os.open(path, flags, FILE)


def state_folder(folder: Path, *inside: str) -> Path:
    """``.mlops`` itself. Where it, or one of its files ``inside``, lets others in, all that it holds is mended: so an
    older mlops has left it."""
    private_folder(folder)
    if any(_lets_in(folder / name) for name in ("", *inside)):
        mend(folder)
    return folder


def mend(folder: Path) -> None:
    """Takes from everybody else what they were given. Not of what a step wrote, which might swap it meanwhile."""
    folder.chmod(FOLDER)
    for _, folders, files, here in os.fwalk(folder):
        folders[:] = [name for name in folders if name not in _STEPS_OWN]
        for name in (*folders, *files):
            try:
                mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
                if mode & _OTHERS and not stat.S_ISLNK(mode):
                    os.chmod(name, stat.S_IMODE(mode) & ~_OTHERS, dir_fd=here)
            except (FileNotFoundError, PermissionError):
                continue  # gone since, or not ours


def _lets_in(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except FileNotFoundError:
        return False


def not_ours(path: Path) -> str | None:
    """The name of the other user whose file or folder it is, and who lets nobody else write there; None where it is
    ours or not there."""
    while True:
        try:
            owner = path.lstat().st_uid
        except PermissionError:
            # A folder above lets nobody in: then that is whose it is.
            path = path.parent
            continue
        except OSError:
            return None
        break
    if owner == os.geteuid() or os.access(path, os.W_OK):
        return None
    return name_of(owner)


def name_of(user: int) -> str:
    import pwd  # not on every system, and only where there is something to tell

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"the user {user}"


def how_to_own(path: Path) -> str:
    """For somebody who has to have what another user made, as a run by root leaves it."""
    return f"give it back with `sudo chown -R {name_of(os.geteuid())} {path}`, or work as that user"
