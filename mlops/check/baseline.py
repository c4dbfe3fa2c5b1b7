"""A baseline: the findings that old code may keep, so that a team hears of new ones only.

It takes every code, since nothing but ``mlops check`` reads it.

An entry is a finding without its line and column: code, file, step, the place inside of the step, and what is said. So
it survives lines that move and steps that are put before it. How often the same was found counts.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from mlops.ir import ConfigurationError, Finding
from mlops.ir.dataclass import dataclass
from mlops.project.files import write_text

VERSION = 1
_MEMBERS = ("file", "code", "step", "place", "message", "count")
_STEP = re.compile(r"^(?:/Steps/\d+|/Arguments/(?:IfSteps|ElseSteps|ForEachBody)/\d+)+")
_PARAMETER = re.compile(r"^/Parameters/\d+")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """``file`` is relative to the baseline's folder; ``place`` a JSON pointer below the step or parameter."""

    file: str
    code: str
    step: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Compared:
    """``fresh`` are not in the baseline; ``gone`` are in it and no longer found, each with how often."""

    fresh: tuple[Finding, ...]
    gone: tuple[tuple[Entry, int], ...]
    known: int


def read(file: Path) -> Counter[Entry]:
    """Raises ConfigurationError for what is no baseline."""
    try:
        document = json.loads(file.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        hint = f"write it with `mlops check … --baseline {shlex.quote(str(file))} --write-baseline`"
        raise ConfigurationError(f"there is no baseline {file}", hint=hint) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the baseline {file} cannot be read: {error}") from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ConfigurationError(f"{file} is no baseline of version {VERSION}", hint="write it anew")
    entries: Counter[Entry] = Counter()
    for item in document["findings"] if isinstance(document.get("findings"), list) else [None]:
        if not isinstance(item, dict) or tuple(item) != _MEMBERS or not _is_count(item["count"]):
            raise ConfigurationError(f"the baseline {file} holds what is no entry: {json.dumps(item)[:120]}")
        if not all(isinstance(item[name], str) for name in _MEMBERS[:-1]):
            raise ConfigurationError(f"the baseline {file} holds what is no entry: {json.dumps(item)[:120]}")
        entries[Entry(*(item[name] for name in _MEMBERS[:-1]))] += item["count"]
    return entries


def nothing() -> Counter[Entry]:
    """What a baseline holds before it was first written."""
    return Counter()


def compare(baseline: Counter[Entry], findings: Iterable[Finding], folder: Path, files: Sequence[Path]) -> Compared:
    """An entry of a file that was not looked at now, and that still exists, is neither fresh nor gone."""
    left = baseline.copy()
    fresh = []
    known = 0
    for finding in findings:
        entry = _entry(finding, folder)
        if left[entry] > 0:
            left[entry] -= 1
            known += 1
        else:
            fresh.append(finding)
    seen = {_relative(file, folder) for file in files}
    gone = [(entry, count) for entry, count in sorted(left.items()) if count > 0 and _is_gone(entry, folder, seen)]
    return Compared(tuple(fresh), tuple(gone), known)


def write(file: Path, findings: Iterable[Finding], before: Counter[Entry], files: Sequence[Path]) -> tuple[int, int]:
    """Everything found now, and what was known of files that were not looked at; sorted, so that the same findings
    give the same bytes. Gives how many entries it holds, and how many of ``before`` it let go."""
    folder = file.parent.resolve()
    seen = {_relative(item, folder) for item in files}
    kept = Counter({entry: count for entry, count in before.items() if not _is_gone(entry, folder, seen)})
    kept = Counter({entry: count for entry, count in kept.items() if entry.file not in seen})
    kept.update(_entry(finding, folder) for finding in findings)
    listed = [
        {**dict(zip(_MEMBERS, (entry.file, entry.code, entry.step, entry.place, entry.message), strict=False)),
         "count": count}
        for entry, count in sorted(kept.items())
    ]  # fmt: skip
    write_text(file, json.dumps({"version": VERSION, "findings": listed}, indent=1) + "\n")
    return len(listed), sum((before - kept).values())


def _entry(finding: Finding, folder: Path) -> Entry:
    file = "" if finding.where.file is None else finding.where.file
    place = finding.path or ""
    place = _STEP.sub("", place) if finding.step is not None else _PARAMETER.sub("", place)
    message = finding.message.replace(str(folder), ".")  # the same on every machine
    return Entry(_relative(Path(file), folder), finding.code, finding.step or "", place, message)


def _relative(file: Path, folder: Path) -> str:
    return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()


def _is_gone(entry: Entry, folder: Path, seen: set[str]) -> bool:
    return entry.file in seen or not (folder / entry.file).exists()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
