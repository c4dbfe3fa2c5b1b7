"""The runner's handle of a command in its sandbox."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress

from mlops.run.output import Output
from mlops.run.sandbox import meters
from mlops.run.sandbox.order import TERMINATE, WORD

_PATIENCE_SECONDS = 10.0


class Boxed:
    """A command that runs in a sandbox. Losing the last reference to it kills the command. Several threads may ask for
    its end at once."""

    def __init__(self, control: socket.socket, output: Output, killed: Callable[[], None] | None = None) -> None:
        """``killed`` ends what runs elsewhere for the command."""
        self._control = control
        self._killed = killed
        self._output = output
        _alive[id(self)] = self
        self._told = b""
        self._code: int | None = None
        # Who reads a part of what the keeper tells, or its end, must not be overtaken by who reads the rest.
        self._reading = threading.RLock()

    def fileno(self) -> int:
        """Of what is readable when :meth:`poll` has something new to tell; -1 behind the end."""
        return self._control.fileno()

    @property
    def pid(self) -> int:
        """The keeper's, who dies with the command. Raises ProcessLookupError where it never lived."""
        while self.poll() is None and len(self._told) < WORD:
            self._listen(_PATIENCE_SECONDS)
        if len(self._told) < WORD:
            raise ProcessLookupError("the launcher died before it started the command")
        return int.from_bytes(self._told[:WORD])

    def poll(self) -> int | None:
        """The exit status, 128 + n after signal n; None while it runs."""
        with self._reading:
            while self._code is None:
                try:
                    told = self._control.recv(2 * WORD)
                except BlockingIOError:
                    return None
                except ConnectionResetError:
                    told = b""
                self._told += told
                if len(self._told) == 2 * WORD:
                    self._end(int.from_bytes(self._told[WORD:]))
                elif not told:  # the keeper was killed
                    self._end(128 + signal.SIGKILL)
            return self._code

    def _end(self, code: int) -> None:
        _alive.pop(id(self), None)
        self._output.finish()
        self._code = code
        self._control.close()

    def resident_bytes(self) -> int:
        """Memory that the command and all that it started hold at this moment, without what only mirrors files. Pages
        that several of them share count once. 0 where the system does not tell (macOS)."""
        if self.poll() is not None:
            return 0
        return meters.held_by(self.pid)

    def terminate(self) -> None:
        """SIGTERM to the command, as the service stops a container."""
        with self._reading, suppress(BrokenPipeError):
            if self.poll() is None:
                self._control.send(TERMINATE)

    def kill(self) -> None:
        """The command and all that it started. Waits until they are gone."""
        if self.poll() is not None:
            return
        if self._killed is not None:
            self._killed()
        with self._reading, suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        if (
            self.wait(_PATIENCE_SECONDS) is None
        ):  # the keeper itself hangs; in a namespace its death still ends the rest
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait(_PATIENCE_SECONDS)

    def wait(self, seconds: float) -> int | None:
        """:meth:`poll` after at most ``seconds``."""
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None and (left := deadline - time.monotonic()) > 0:
            self._listen(left)
        return code

    def _listen(self, seconds: float) -> None:
        descriptor = self.fileno()
        if descriptor >= 0:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            waiting.poll(seconds * 1000)


def wait_for_an_end(seconds: float) -> None:
    """Returns when a command of this process ends, at the latest after ``seconds``."""
    waiting = select.poll()
    boxes = {boxed.fileno(): boxed for known in _alive.valuerefs() if (boxed := known()) is not None}
    for descriptor in boxes:
        if descriptor >= 0:
            waiting.register(descriptor, select.POLLIN)
    for descriptor, _ in waiting.poll(seconds * 1000):
        # Who has told all is not listened to again, whoever asks for the news.
        boxes[descriptor].poll()


# Its ``valuerefs`` is a list made in one step, whatever other threads add and remove meanwhile.
_alive: weakref.WeakValueDictionary[int, Boxed] = weakref.WeakValueDictionary()
