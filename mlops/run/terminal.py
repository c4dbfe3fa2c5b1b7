"""A command in a sandbox that talks with whoever called: on a terminal through one of its own, else through the streams
as they are.

The sandbox starts everything in a new session without a terminal; a program in between gives it one.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import sys
import termios
import tty
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlops.run.sandbox import Box, Boxed, start

_PAUSE_SECONDS = 0.05
_CHUNK = 65_536
_TAKE_STREAMS = """
import fcntl, os, sys, termios
streams, command = [int(word) for word in sys.argv[1:4]], sys.argv[4:]
if streams[0] == streams[1]:
    fcntl.ioctl(streams[0], termios.TIOCSCTTY, 0)
copies = [fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, 10) for stream in streams]
for place, copy in enumerate(copies):
    os.dup2(copy, place)
for stream in set(streams):
    if stream > 2:
        os.close(stream)
try:
    os.execvp(command[0], command)
except OSError as fault:
    sys.exit(f"cannot start {command[0]}: {fault.strerror}")
"""


def run(command: Sequence[str], box: Box, *, environment: Mapping[str, str], cwd: str, log: Path) -> int:
    """The exit status. ``log`` gets what the sandbox itself has to say."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return _run_on_terminal(command, box, environment, cwd, log)
    sys.stdout.flush()
    streams = [os.dup(descriptor) for descriptor in (0, 1, 2)]
    try:
        boxed = _start(command, box, environment, cwd, log, streams)
    finally:
        for stream in streams:
            os.close(stream)
    try:
        while (code := boxed.wait(1.0)) is None:
            pass
        return code
    finally:
        boxed.kill()


def _start(
    command: Sequence[str], box: Box, environment: Mapping[str, str], cwd: str, log: Path, streams: Sequence[int]
) -> Boxed:
    words = [sys.executable, "-I", "-S", "-c", _TAKE_STREAMS, *map(str, streams), *command]
    return start(words, box, environment=environment, log=log, cwd=cwd, pass_fds=tuple(dict.fromkeys(streams)))


def _run_on_terminal(command: Sequence[str], box: Box, environment: Mapping[str, str], cwd: str, log: Path) -> int:
    ours, theirs = pty.openpty()
    environment = {**environment, "TERM": os.environ.get("TERM", "dumb")}
    try:
        _resize(ours)
        boxed = _start(command, box, environment, cwd, log, [theirs, theirs, theirs])
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    before = termios.tcgetattr(0)
    resized = signal.signal(signal.SIGWINCH, lambda *_: _resize(ours))
    try:
        # What is typed goes through as it is, Ctrl-C too: their terminal makes a signal of it.
        tty.setraw(0, termios.TCSADRAIN)
        return _relay(ours, boxed)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, resized)
        os.close(ours)
        boxed.kill()


def _relay(ours: int, boxed: Boxed) -> int:
    listening = [ours, 0]
    while True:
        code = boxed.poll()
        readable, _, _ = select.select(listening, [], [], _PAUSE_SECONDS)
        if ours in readable:
            try:
                told = os.read(ours, _CHUNK)
            except OSError:  # Linux answers EIO when nobody holds the other side
                told = b""
            if told:
                _write(1, told)
                continue
            listening = [item for item in listening if item != ours]
        if code is not None:
            return code
        if 0 in readable:
            typed = os.read(0, _CHUNK)
            if typed:
                _write(ours, typed)
            else:
                listening.remove(0)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _resize(terminal: int) -> None:
    with suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))
