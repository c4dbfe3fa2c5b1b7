"""Interpreters of this machine, by their versions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from mlops.ir.dataclass import dataclass

_TELL = """
import ensurepip, json, sys, venv
print(json.dumps([sys._base_executable, sys.base_prefix, sys.version.split()[0]]))
"""
_NAMES = [f"python3.{minor}" for minor in range(6, 21)]
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Python:
    """``prefix`` is the folder that it is installed in."""

    executable: str
    prefix: str
    version: str

    @property
    def short(self) -> tuple[int, int]:
        found = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else (0, 0)


def closest(wanted: tuple[int, int] | None, least: tuple[int, int]) -> list[Python]:
    """Those that are here and can make virtual environments: the one that is wanted, then newer ones, then older ones,
    each nearest first; without a wish this very one."""
    this = _this()
    if wanted is None:
        return [this]
    found = {python.short: python for python in (*_others(), this) if python.short >= least}
    newer = sorted(short for short in found if short >= wanted)
    older = sorted((short for short in found if short < wanted), reverse=True)
    return [found[short] for short in (*newer, *older)]


def _this() -> Python:
    base = getattr(sys, "_base_executable", sys.executable) or sys.executable
    return Python(str(base), sys.base_prefix, sys.version.split()[0])


@cache
def _others() -> tuple[Python, ...]:
    return tuple(python for name in _NAMES if (path := shutil.which(name)) and (python := _asked(path)) is not None)


def _asked(path: str) -> Python | None:
    """None where that does not start, as a launcher of pyenv for a version that is not chosen, or cannot make any."""
    try:
        told = subprocess.run([path, "-I", "-c", _TELL], capture_output=True, timeout=_SECONDS, check=True, cwd="/")
        executable, prefix, version = json.loads(told.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Python(executable, str(Path(prefix)), version)
