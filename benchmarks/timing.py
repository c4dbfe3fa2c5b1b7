"""Times whole processes side by side, and prints what was wanted beside what was measured."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MLOPS = (sys.executable, "-m", "mlops")


@dataclass(frozen=True, slots=True)
class Process:
    """A command. In the repository's root ``python -m mlops`` is the checkout's; no ``environment`` means that of this
    process."""

    command: Sequence[str]
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True)
class Wanted:
    """``seconds(slow) / seconds(fast)`` should be ``at_most`` or ``at_least`` this."""

    says: str
    numerator: str
    denominator: str
    at_most: float | None = None
    at_least: float | None = None


class ProcessFailed(Exception):
    """A process that is timed ended with another code than 0: its time says nothing."""


def time_together(processes: Mapping[str, Process], rounds: int) -> dict[str, list[float]]:
    """Wall seconds by name. Every round runs all of them once, every other round backwards, so that a slow moment of
    the machine falls on all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    names = list(processes)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            seconds[name].append(run(processes[name]))
    return seconds


def run(process: Process) -> float:
    """Wall seconds; raises ProcessFailed. A first run fills the caches of bytecode and of files: do not count it."""
    began = time.perf_counter()
    ended = subprocess.run(
        process.command,
        cwd=process.folder,
        # Bytecode is cached, as for every user; else compiling the sources would be most of what is timed.
        env={name: value for name, value in process.environment.items() if name != "PYTHONDONTWRITEBYTECODE"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    took = time.perf_counter() - began
    if ended.returncode != 0:
        told = ended.stderr.decode(errors="replace").strip()[-2000:]
        raise ProcessFailed(f"{' '.join(process.command)} ended with {ended.returncode}\n{told}")
    return took


def tell_seconds(seconds: Mapping[str, Sequence[float]]) -> None:
    """Median and spread of each process."""
    width = max(map(len, seconds))
    print(f"{'':{width}}  {'median':>8}  {'fastest':>8}  {'slowest':>8}  rounds")
    for name, taken in seconds.items():
        median, low, high = statistics.median(taken), min(taken), max(taken)
        print(f"{name:{width}}  {median:7.3f}s  {low:7.3f}s  {high:7.3f}s  {len(taken):6}")


def tell_ratios(wanted: Sequence[Wanted], seconds: Mapping[str, Sequence[float]]) -> None:
    """Ratios of medians. One that is missed is told, not failed: a busy machine is no fault of the code."""
    width = max(len(item.says) for item in wanted)
    print(f"\n{'':{width}}  {'wanted':>13}  measured")
    for item in wanted:
        ratio = statistics.median(seconds[item.numerator]) / statistics.median(seconds[item.denominator])
        if item.at_most is not None:
            limit, holds = f"at most {item.at_most:g}", ratio <= item.at_most
        else:
            limit, holds = f"at least {item.at_least:g}", item.at_least is None or ratio >= item.at_least
        print(f"{item.says:{width}}  {limit:>13}  {ratio:8.2f}  {'ok' if holds else 'MISSED'}")


def tell_machine() -> None:
    """What else the machine did is part of every number."""
    load = f", load {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors{load}\n")
