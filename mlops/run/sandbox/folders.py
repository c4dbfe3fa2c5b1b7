"""A command without namespaces: its folders were handed over by name, and what is left of it is found by whose child it
is."""

# pathlib would cost every step start-up time.
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence

from mlops.run.sandbox import kernel, programs
from mlops.run.sandbox.order import Order


class Folders:
    def prepare(self) -> None:
        return None

    def fork(self) -> int:
        return os.fork()

    def begin(self) -> int:
        kernel.adopt_orphans()
        return os.getpid()

    def nothing(self) -> int:
        return os.open(os.devnull, os.O_RDONLY)

    def start(self, order: Order, inherited: Sequence[int]) -> int:
        return programs.fork(order, inherited)

    def terminate(self, child: int) -> bool:
        os.kill(child, signal.SIGTERM)
        return True

    def kill_leftovers(self, child: int) -> None:
        """What is left of the command's session, and where the kernel lists them all children: orphans come to us."""
        # macOS answers EPERM where only zombies are left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(FileNotFoundError, ChildProcessError):
            while children := children_of("thread-self"):
                for left in children:
                    os.kill(left, signal.SIGKILL)
                os.wait()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def children_of(process: int | str) -> list[int]:
    """Of the first thread. Raises FileNotFoundError where the kernel does not list them."""
    task = process if process == "thread-self" else f"{process}/task/{process}"
    with open(f"/proc/{task}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]
