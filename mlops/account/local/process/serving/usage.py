"""What the processes of a variant's servers use of this machine: read from /proc, kept in files as requests are.

Of a server's tree of processes: CPU time between two looks, in percent of one core, and resident memory, in percent of
what the machine has, or of what a serverless variant was given. Where there is no /proc nothing is measured.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mlops.ir.dataclass import dataclass

FOLDER = "usage"
SECONDS = 1.0
_PROC = Path("/proc")


class Usage(NamedTuple):
    """Of one instance of a variant, until ``time`` (seconds since 1970)."""

    time: float
    config: str
    variant: str
    instance: str
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A server whose processes are ``root`` and what it started. ``memory`` are the bytes that it may use, None where
    those are the machine's."""

    key: str
    root: int
    config: str
    variant: str
    instance: str
    memory: int | None


class Meter:
    """For one thread."""

    def __init__(self, record: Callable[[Usage], None], clock: Callable[[], float] = time.time) -> None:
        self._record = record
        self._clock = clock
        self._before: dict[str, tuple[float, float]] = {}

    def look(self, servers: Iterable[Measured]) -> None:
        """Records an instance from the second look at its servers on."""
        now, seen = self._clock(), dict[str, tuple[float, float]]()
        found: dict[tuple[str, str, str], tuple[float, float]] = {}
        for server in servers:
            seconds, resident = used(server.root)
            seen[server.key] = (now, seconds)
            if server.key not in self._before:
                continue
            then, before = self._before[server.key]
            cpu = 100 * max(seconds - before, 0.0) / max(now - then, 1e-3)
            memory = 100 * resident / (server.memory or machine_memory())
            key = (server.config, server.variant, server.instance)
            sums = found.get(key, (0.0, 0.0))
            found[key] = (sums[0] + cpu, sums[1] + memory)
        self._before = seen
        for (config, variant, instance), (cpu, memory) in found.items():
            self._record(Usage(round(now, 3), config, variant, instance, round(cpu, 2), round(memory, 4)))


def used(root: int) -> tuple[float, int]:
    """Seconds of CPU, with those of children that have ended, and resident bytes."""
    ticks, pages = 0, 0
    for process in _tree(root):
        # It may end while it is looked at.
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name, in parentheses, may hold anything.
            fields = (_PROC / str(process) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
            pages += int(fields[21])
    return ticks / _constant("SC_CLK_TCK"), pages * _constant("SC_PAGE_SIZE")


def _tree(root: int) -> Iterator[int]:
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        with contextlib.suppress(OSError):
            for task in (_PROC / str(process) / "task").iterdir():
                # Of one thread that has just ended: the others have theirs.
                with contextlib.suppress(OSError):
                    waiting += map(int, (task / "children").read_text().split())


@cache
def machine_memory() -> int:
    """In bytes; of the control group where that has less than the machine."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for place in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path("/sys/fs/cgroup", place).read_text()))
    return min(found)


@cache
def _constant(name: str) -> int:
    return int(os.sysconf(name))
