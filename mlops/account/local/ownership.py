"""Who owns an execution or an endpoint: the process that holds the lock on its ``owner.lock`` file.

The kernel lets the lock go when the owner ends, however it ends; a process number would survive it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import mlops

# Folders of steps lie beside these files; no step can have a dot in its name.
OWNER = "owner.lock"
RUNNER_LOG = "runner.log"
_PAUSE_SECONDS = 0.02


def take(folder: Path, wait_seconds: float = 0.0) -> int | None:
    """The descriptor that holds the lock, closed on exec; None where somebody else holds it. Somebody who only looks
    (:func:`owned`) holds it for a moment, so who means it waits a little."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(_PAUSE_SECONDS)


def owned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / OWNER, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def hand_over(descriptor: int, state: Path, region: str, kind: str, name: str, folder: Path) -> None:
    """Start the runner and give it the lock that we hold: there is no moment in which nobody holds it. The runner has a
    session of its own and outlives this process and its terminal."""
    command = [sys.executable, "-m", "mlops.account.local.runner", str(state), kind, name]
    try:
        with (folder / RUNNER_LOG).open("ab") as log:
            process = subprocess.Popen(
                [*command, "--region", region, "--lock", str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # With -m the working folder is the first place of imports: the runner is this very package.
                cwd=Path(mlops.__file__).parent.parent,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
    finally:
        # Also where nothing was started: then nobody holds the lock, and whoever asks is told that the work is gone.
        os.close(descriptor)
    # Nobody else reaps it while this process lives.
    threading.Thread(target=process.wait, daemon=True).start()
