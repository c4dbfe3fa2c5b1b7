"""What can be learnt from what a step printed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.run.outcome import StepFailed
from mlops.run.work import now, stamp

_OURS = "[mlops]"
_TAIL_BYTES = 16_384
LAUNCHER_WORDS = ("[mlops] cannot start", "[mlops] the sandbox")


_TAIL = 900
"""Letters of the end of a log that a reason quotes."""


def last_lines(log: Path, limit: int = _TAIL) -> str:
    """The end of the log in whole lines, at most ``limit`` characters, without lines of ours."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            tail = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    kept: list[str] = []
    for line in reversed([line for line in tail.splitlines() if line.strip() and not line.startswith(_OURS)]):
        limit -= len(line) + 1
        if limit < 0:
            if not kept:
                kept.append(line[-(limit + len(line) + 1) :])
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def exit_reason(code: int, log: Path, limit: int = _TAIL) -> str:
    """For a command that gave no reason itself; ``limit`` letters of its log at most."""
    told = last_lines(log, limit)
    if code in (125, 126, 127) and not told:
        told = next((line.strip() for line in _lines(log) if line.startswith(LAUNCHER_WORDS)), "")
    meaning = {125: " (no sandbox)", 126: " (cannot be run)", 127: " (not found)", 137: " (killed; out of memory?)"}
    return f"exit code {code}{meaning.get(code, '')}{': ' + told if told else ''}"


def compiled_metrics(definitions: Any) -> dict[str, re.Pattern[str]]:
    """MetricDefinitions. Raises :class:`StepFailed`."""
    patterns: dict[str, re.Pattern[str]] = {}
    for definition in definitions or []:
        try:
            patterns[definition["Name"]] = re.compile(definition["Regex"])
        except re.error as fault:
            raise StepFailed(f"metric {definition['Name']}: {definition['Regex']!r} is no regex: {fault}") from fault
    return patterns


def final_metrics(patterns: Mapping[str, re.Pattern[str]], logs: Sequence[Path]) -> list[dict[str, Any]]:
    """FinalMetricDataList: the last value of each metric, group 1 of its regex; what is no number is passed over. Where
    several hosts print a metric the first one's counts: the lines have no times."""
    if not patterns:
        return []
    values: dict[str, float] = {}
    for log in reversed(logs):
        for line in _lines(log):
            for name, pattern in patterns.items():
                for number in numbers_in(pattern, line):
                    values[name] = number
    read = stamp(now())
    return [{"MetricName": name, "Value": values[name], "Timestamp": read} for name in patterns if name in values]


def all_values(pattern: re.Pattern[str], log: Path) -> Iterator[float]:
    """Of one metric, in the order of the log; none where there is no log."""
    if log.is_file():
        for line in _lines(log):
            yield from numbers_in(pattern, line)


def numbers_in(pattern: re.Pattern[str], line: str, *, finite: bool = True) -> list[float]:
    """Values of one metric in a line as it was written, else as the service's logs show it, where a tab is #011.

    What is not finite is none: CloudWatch, through which the service has them, takes neither nan nor inf; who looks for
    these says so. Nor is what we write ourselves, which may quote the command or the end of a log.

    >>> numbers_in(re.compile("loss=(\\\\S+)"), "loss=0.5 loss=nan loss=many")
    [0.5]
    >>> numbers_in(re.compile("loss=(\\\\S+)"), "[mlops] exit code 1: loss=3")
    []
    """
    if line.startswith(_OURS):
        return []
    found = [*_matched(pattern, line, finite)]
    return [*_matched(pattern, line.replace("\t", "#011"), finite)] if not found and "\t" in line else found


def _matched(pattern: re.Pattern[str], line: str, finite: bool) -> Iterator[float]:
    for match in pattern.finditer(line):
        try:
            value = float(match.group(1).partition("#011")[0])
        except (ValueError, TypeError, IndexError, AttributeError):
            continue
        if not finite or math.isfinite(value):
            yield value


def _lines(log: Path) -> Iterator[str]:
    with log.open(encoding="utf-8", errors="replace") as file:
        yield from file
