"""Containers whose owner is gone: a process that was killed takes the engine's program along, but neither what the
engine remembers of its container nor what goes on in it.

Who starts one holds the lock on a folder, which a label of the container names; the kernel lets go of it when that
process ends, however it does. Whoever comes next removes what nobody holds.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from mlops.knowledge.container_engine import engine

_HOST, _OWNER = "mlops.host", "mlops.owner"
_SECONDS = 30


def labels(owner: Path) -> list[str]:
    """For the engine's command line. ``owner`` is a folder that the container does not see."""
    return ["--label", _here(), "--label", f"{_OWNER}={os.path.realpath(owner)}"]


def hold(owner: Path) -> int:
    """The descriptor that holds the lock, closed on exec."""
    descriptor = os.open(owner, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def remove_abandoned() -> None:
    """Nothing where no engine is asked for. What it cannot remove is there for the next one."""
    program = shutil.which(engine() or "")
    if program is None:
        return
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        found = _told(program, "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={_here()}").split()
        told = _told(program, "inspect", "--format", "{{json .Config.Labels}}", *found) if found else ""
        for container, line in zip(found, told.splitlines(), strict=True):
            if _is_abandoned(json.loads(line).get(_OWNER)):
                _remove(program, container)


def _remove(program: str, container: str) -> None:
    """Where podman's monitor was killed too, podman 4.3 fails once, and knows then that the container has ended."""
    try:
        _told(program, "rm", "--force", container)
    except subprocess.CalledProcessError:
        _told(program, "rm", "--force", container)


def _told(program: str, *words: str) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=_SECONDS, check=True)
    return done.stdout


def _here() -> str:
    """An engine may serve other machines and users, whose folders are not to be seen here."""
    return f"{_HOST}={socket.gethostname()}/{os.getuid()}"


def _is_abandoned(owner: object) -> bool:
    """A folder that is gone is nobody's."""
    if not isinstance(owner, str) or not owner.startswith("/"):
        return False
    try:
        descriptor = os.open(owner, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
