"""How much memory a command holds."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path


def held_by(process: int) -> int:
    """Bytes of a process and all its descendants at this moment, without what only mirrors files."""
    processes = _descendants(process)
    if len(processes) == 1:
        return _resident(processes[0])
    return sum(map(_proportional, processes))


def _descendants(process: int) -> list[int]:
    """Parents before children; of a process that has ended none."""
    found: list[int] = []
    waiting = [process]
    while waiting:
        parent = waiting.pop(0)
        # It may end at any moment, even while its folder is listed.
        with suppress(OSError):
            for listed in Path(f"/proc/{parent}/task").glob("*/children"):
                # Of one thread that has just ended: the others have theirs.
                with suppress(OSError):
                    children = [int(word) for word in listed.read_text().split()]
                    found += children
                    waiting += children
    return found


def _resident(process: int) -> int:
    """Without the pages of files, which the system takes back when it needs them."""
    with suppress(OSError):
        _, resident, of_files, *_ = Path(f"/proc/{process}/statm").read_text().split()
        return (int(resident) - int(of_files)) * resource.getpagesize()
    return 0


def _proportional(process: int) -> int:
    """A page that n processes share counts 1/n. Where that is not told, it counts fully."""
    with suppress(OSError):
        told = dict(line.split(":", 1) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
        if "Pss_Anon" in told:
            return sum(int(told[name].split()[0]) * 1024 for name in ("Pss_Anon", "Pss_Shmem") if name in told)
    return _resident(process)
