"""A pipeline file is a program and may never end: it gets some time.

Python code is interrupted where it stands, so that the finding has its line. Code that swallows the interruption, or
that is written in C and does not come back, cannot be: there only a process ends it. A command says that its process is
its own (:func:`owns_process`) and is ended then, with a word on standard error; anybody else's process goes on to wait.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

_AGAIN_SECONDS = 0.5
_MOST_INTERRUPTIONS = 4
"""Who goes on after so many swallows them all."""
_LAST_SECONDS = 5.0
"""How much later than its time whatever is then still going on in C is ended, by a thread that needs no Python."""
_FAILED = 1

_end_process = os._exit
"""The real one: while a file runs, ``os._exit`` is another (:mod:`mlops.declare.load`)."""
_owned = False


class TimeIsUp(BaseException):
    """No ``except Exception`` of the file keeps it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it did not end within {seconds:g} s")


def owns_process() -> None:
    """To be called by who may end this process."""
    global _owned
    _owned = True


@contextlib.contextmanager
def limited(seconds: float | None, what: str) -> Iterator[None]:
    """Raises TimeIsUp inside where it takes longer. ``what`` is said where the process has to be ended. Only the main
    thread can be interrupted; elsewhere, and on systems without timers, nothing is limited."""
    if seconds is None or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    armed, times = True, 0

    def over(number: int, frame: FrameType | None) -> None:
        nonlocal times
        times += 1
        if armed and times > _MOST_INTERRUPTIONS and _owned:
            said = f"error: {what} did not end within {seconds:g} s and takes no interruption, so mlops ends\n"
            os.write(2, said.encode(errors="replace"))
            _end_process(_FAILED)
        if armed:
            raise TimeIsUp(seconds)

    before = signal.signal(signal.SIGALRM, over)
    waiting = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    ends = _owned and _ended_from_c(seconds + _LAST_SECONDS)
    try:
        yield
    finally:
        armed = False
        if ends:
            faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, *waiting)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)


def _ended_from_c(seconds: float) -> bool:
    """Whether it will: it shows where the code stood on standard error, which has to be a real one."""
    try:
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    except (OSError, ValueError, RuntimeError, AttributeError):
        return False
    return True
