"""How much memory and disk a command may take, and the watch over it.

Memory: what the instance type has, or less where this machine has less or MLOPS_MEMORY_LIMIT asks for less. Disk:
VolumeSizeInGB, against all that lies in ``/opt/ml`` and ``/tmp``. Measuring never takes more than a twentieth of the
time.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError
from mlops.ir.dataclass import dataclass
from mlops.run.beneath import DEEPEST, TooDeep, disk_use
from mlops.run.sandbox import Boxed

MEMORY_VARIABLE = "MLOPS_MEMORY_LIMIT"
_GIB = 1024**3
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": _GIB, "T": 1024**4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_MACHINE_SHARE = 0.95
"""Of the machine's memory; above that the kernel would choose whom to kill, and it may choose another."""

_MEMORY_SECONDS, _DISK_SECONDS = 0.1, 0.5
_LEAST_PAUSE = 20  # times what the last measurement took

_INSTANCE = re.compile(r"ml\.([a-z]+\d+[a-z]*)\.(medium|large|(\d*)xlarge)")
_GIB_PER_CPU = {"m": 4.0, "c": 2.0, "r": 8.0, "t": 4.0}
_T_SIZES = {"medium": 4.0, "large": 8.0, "xlarge": 16.0, "2xlarge": 32.0}
_OWN_DISK = re.compile(r"ml\.(?:[a-z]+\d[a-z]*d[a-z]*|g[5-9][a-z]*|p[5-9][a-z]*|trn\d[a-z]*|inf\d[a-z]*)\.")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, None for no limit. ``memory_of`` and ``disk_of`` say whose limits they are."""

    memory: int | None = None
    memory_of: str = ""
    disk: int | None = None
    disk_of: str = ""


def limits(config: Mapping[str, Any], instance: str, asked: int | None) -> Limits:
    """``config`` is ResourceConfig or ClusterConfig; ``asked`` is the limit of memory that the user set."""
    known = [
        *([(asked, MEMORY_VARIABLE)] if asked is not None else []),
        *([(memory, instance)] if asked is None and (memory := instance_memory(instance)) is not None else []),
        *([(int(machine * _MACHINE_SHARE), "this machine")] if (machine := machine_memory()) is not None else []),
    ]
    memory, memory_of = min(known, default=(None, ""))
    volume = config.get("VolumeSizeInGB")
    # Where the instance has disks of its own the service does not go by VolumeSizeInGB.
    if not isinstance(volume, int) or volume < 1 or _OWN_DISK.match(instance):
        return Limits(memory, memory_of)
    return Limits(memory, memory_of, volume * _GIB, f"VolumeSizeInGB = {volume}")


def instance_memory(instance: str) -> int | None:
    """Bytes of the families whose sizes follow a rule; None for all others.

    >>> instance_memory("ml.m5.large") == 8 * 1024**3, instance_memory("ml.c5.18xlarge") == 144 * 1024**3
    (True, True)
    >>> instance_memory("ml.p4d.24xlarge")
    """
    found = _INSTANCE.fullmatch(instance)
    family = found[1] if found else ""
    if found is None or (per_cpu := _GIB_PER_CPU.get(family[0])) is None or not family[1].isdigit():
        return None
    if family[0] == "t":
        return int(_T_SIZES[found[2]] * _GIB) if found[2] in _T_SIZES else None
    if family[1] < "5":  # c4 and r4 have less
        return None
    cpus = {"medium": 1, "large": 2}.get(found[2]) or 4 * int(found[3] or 1)
    return int(cpus * per_cpu * _GIB)


@cache
def machine_memory() -> int | None:
    """Bytes: what the machine has, or what the control group of a container lets us have."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            total = min(total, int(Path(file).read_text(encoding="ascii")))
    return total


def asked_memory(environment: Mapping[str, str]) -> int | None:
    """MLOPS_MEMORY_LIMIT in bytes. Raises :class:`ConfigurationError`.

    >>> asked_memory({"MLOPS_MEMORY_LIMIT": "1.5 GiB"}), asked_memory({"MLOPS_MEMORY_LIMIT": "512M"}), asked_memory({})
    (1610612736, 536870912, None)
    """
    text = environment.get(MEMORY_VARIABLE, "").strip()
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ConfigurationError(
            f"{MEMORY_VARIABLE} is {text!r}", hint="give a size, e.g. 4GiB or 512M, or leave it unset"
        )
    return int(float(found[1]) * _UNITS[found[2].upper()])


class Watch:
    """Over one command; ``folders`` are what it may write to."""

    def __init__(self, boxed: Boxed, folders: tuple[Path, ...], bounds: Limits) -> None:
        self._folders = folders
        self._bounds = bounds
        self._memory = _Meter(boxed.resident_bytes, _MEMORY_SECONDS)
        self._disk = _Meter(self._used, _DISK_SECONDS)

    def exceeded(self) -> str | None:
        """Why it has to end, a reason for people. To be called often."""
        bounds = self._bounds
        if bounds.memory is not None and (held := self._memory.value()) > bounds.memory:
            return f"it held {_told(held)} of memory and was killed; {bounds.memory_of} gives {_told(bounds.memory)}"
        if bounds.disk is not None and (fault := self._overfull(self._disk.value)) is not None:
            return f"{fault[0]} and was killed: {fault[1]}"
        return None

    def filled(self) -> str | None:
        """The same for the disk, once and at the end: a command may be quicker than the watch."""
        fault = self._overfull(self._used) if self._bounds.disk is not None else None
        return None if fault is None else f"{fault[0]}: {fault[1]}"

    def _overfull(self, measure: Callable[[], int]) -> tuple[str, str] | None:
        limit, limit_of = self._bounds.disk, self._bounds.disk_of
        try:
            used = measure()
        except TooDeep as deep:
            return "it hid what it holds on its disk", f"{deep.path[:80]}… lies below more than {DEEPEST} folders"
        if limit is None or used <= limit:
            return None
        return "it filled its disk", f"{_told(used)} in /opt/ml and /tmp, {limit_of} allows less"

    def _used(self) -> int:
        return sum(disk_use(folder) for folder in self._folders)


class _Meter:
    """A measurement that is made now and then."""

    def __init__(self, measure: Callable[[], int], seconds: float) -> None:
        self._measure = measure
        self._seconds = seconds
        self._next = time.monotonic() + seconds

    def value(self) -> int:
        """0 where it is not the time yet."""
        began = time.monotonic()
        if began < self._next:
            return 0
        measured = self._measure()
        ended = time.monotonic()
        self._next = ended + max(self._seconds, _LEAST_PAUSE * (ended - began))
        return measured


def _told(size: int) -> str:
    """
    >>> _told(1610612736), _told(5 * 1024**2)
    ('1.5 GiB', '5.0 MiB')
    """
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{size / 1024**2:.1f} MiB"
