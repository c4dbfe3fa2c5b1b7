"""Who owns an execution or an endpoint: the process that holds the lock on its ``owner.lock`` file.

The kernel lets the lock go when the owner ends, however it ends; a process number would survive it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import mlops
from mlops.project.private import FILE, opener, private_folder

# Folders of steps lie beside these files; no step can have a dot in its name.
OWNER = "owner.lock"
RUNNER_LOG = "runner.log"
WAIT = "--wait"
_PAUSE_SECONDS = 0.02
# A look takes microseconds. Two who both want to own look at each other, so they wait for different times.
_GLANCE_SECONDS = 0.0001
_LOOKERS_SECONDS = 10.0
_RUNNER = (sys.executable, "-m", "mlops.account.local.process.runner")
# With -m the working folder is the first place of imports: the runner is this very package.
_PACKAGE = Path(mlops.__file__).parent.parent


def take(folder: Path, wait_seconds: float = 0.0) -> int | None:
    """The descriptor that holds the lock, closed on exec; None where somebody else holds it for longer than
    ``wait_seconds``. Who only looks (:func:`owned`) is waited for in any case."""
    private_folder(folder)
    descriptor = os.open(folder / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE)
    deadline = time.monotonic() + wait_seconds
    lookers = deadline + _LOOKERS_SECONDS
    while not _locked(descriptor, fcntl.LOCK_EX):
        # Who looks shares the lock, an owner does not. Between our two questions either may have come or gone.
        looked_at = _locked(descriptor, fcntl.LOCK_SH)
        if looked_at:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        if time.monotonic() >= (lookers if looked_at else deadline):
            os.close(descriptor)
            return None
        time.sleep(_GLANCE_SECONDS * (1 + os.getpid() % 16) if looked_at else _PAUSE_SECONDS)
    return descriptor


def owned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / OWNER, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Waiting:
    """A runner that was started ahead: it has loaded what it needs and waits to be told what to run. It ends when this
    process does."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        self._environment = dict(os.environ)
        with theirs:
            self._process = subprocess.Popen(
                [*_RUNNER, WAIT],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=_PACKAGE,
                start_new_session=True,
            )

    def take(self, arguments: Sequence[str], descriptors: Sequence[int]) -> bool:
        """Whether it is there to do it, and has the environment that is ours now: nobody may have come for it when it
        was started, as where a run was refused."""
        try:
            with self._orders:
                if self._environment != dict(os.environ):
                    return False
                socket.send_fds(self._orders, [json.dumps(arguments).encode()], descriptors)
        except OSError:
            return False
        finally:
            reap(self._process)
        return True


_waiting: list[_Waiting] = []


def start_ahead() -> None:
    """To be called by who will soon start an execution and has other things to do until then."""
    _waiting.append(_Waiting())


def hand_over(
    descriptor: int, state: Path, region: str, kind: str, name: str, folder: Path, *, anew: bool = False
) -> None:
    """Give the lock that we hold to a runner: there is no moment in which nobody holds it. The runner has a session of
    its own and outlives this process and its terminal. ``anew``: never the one that was started ahead, which is for an
    execution."""
    arguments = [str(state), kind, name, "--region", region]
    try:
        with open(folder / RUNNER_LOG, "ab", opener=opener) as log:
            if _waiting and not anew and _waiting.pop().take(arguments, (descriptor, log.fileno())):
                return
            process = subprocess.Popen(
                [*_RUNNER, *arguments, "--lock", str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_PACKAGE,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
    finally:
        # Also where nothing was started: then nobody holds the lock, and whoever asks is told that the work is gone.
        os.close(descriptor)
    reap(process)


def reap(process: subprocess.Popen[bytes]) -> None:
    """Nobody else does while this process lives."""
    threading.Thread(target=process.wait, daemon=True).start()
