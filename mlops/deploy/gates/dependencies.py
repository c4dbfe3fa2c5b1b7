"""What the version ships against advisories that the team supplies, in the OSV format. Nothing is downloaded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Asked, Gate, Judgement, Shipped, table

if TYPE_CHECKING:
    from packaging.version import Version

_ECOSYSTEM = "PyPI"


@dataclass(frozen=True, slots=True)
class Settings:
    """``advisories`` is a file or a folder of the project, of OSV's JSON: one advisory or a list of them in each file.
    ``exceptions`` are ids, or aliases of them, that do not count."""

    advisories: str
    exceptions: Sequence[str] = field(default_factory=tuple)


def read(raw: Any) -> Settings:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("advisories"), str):
        raise ValueError('give a file or folder of advisories, for example { advisories = "advisories" }')
    settings: Settings = table(Settings)(raw)
    if isinstance(settings.exceptions, str) or not all(isinstance(item, str) for item in settings.exceptions):
        raise ValueError("exceptions: give a list of ids")
    return settings


def judge(settings: Settings, asked: Asked) -> Judgement:
    advisories = list(_advisories(asked.root / settings.advisories))
    if not advisories:
        return Judgement(False, f"{settings.advisories} has no advisory of {_ECOSYSTEM}")
    shipped = asked.shipped()
    if not shipped:
        return Judgement(True, "it ships no requirements and no packages")
    bad = []
    for item in shipped:
        for advisory in advisories:
            if not advisory.names.isdisjoint(settings.exceptions):
                continue
            said = advisory.affects(item)
            if said is not None:
                bad.append(f"{item.said} in {item.file} {said} {advisory.id}")
    if bad:
        return Judgement(False, "; ".join(bad))
    return Judgement(
        True, f"{counted(len(shipped), 'package')}, and none of {len(advisories)} advisories is about them"
    )


@dataclass(frozen=True, slots=True)
class _Advisory:
    id: str
    names: frozenset[str]
    affected: Mapping[str, Sequence[Mapping[str, Any]]]

    def affects(self, item: Shipped) -> str | None:
        """In words; None where it does not."""
        entries = self.affected.get(canonical(item.name), ())
        if not entries:
            return None
        if item.version is None:
            return "pins no version, and may be what is in"
        return "is in" if any(_holds(entry, item.version) for entry in entries) else None


def canonical(name: str) -> str:
    """
    >>> canonical("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _advisories(place: Path) -> Iterator[_Advisory]:
    files = sorted(place.rglob("*.json")) if place.is_dir() else [place]
    for file in files:
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{file.name} cannot be read: {error}") from None
        for item in told if isinstance(told, list) else [told]:
            if not isinstance(item, Mapping) or "id" not in item:
                raise ValueError(f"{file.name} holds something that is no advisory of OSV")
            found = _advisory(item)
            if found is not None:
                yield found


def _advisory(told: Mapping[str, Any]) -> _Advisory | None:
    if told.get("withdrawn"):
        return None
    affected: dict[str, list[Mapping[str, Any]]] = {}
    for entry in told.get("affected") or ():
        package = entry.get("package") or {}
        if str(package.get("ecosystem", "")).partition(":")[0] == _ECOSYSTEM:
            affected.setdefault(canonical(str(package.get("name", ""))), []).append(entry)
    names = frozenset({str(told["id"]), *map(str, told.get("aliases") or ())})
    return _Advisory(str(told["id"]), names, affected) if affected else None


def _holds(entry: Mapping[str, Any], version: str) -> bool:
    """By OSV's own rule: a version that is listed, or one that lies in a range. What cannot be compared is held to be
    in."""
    from packaging.version import InvalidVersion, Version  # loaded where something is compared

    try:
        ours = Version(version)
    except InvalidVersion:
        return True
    listed = entry.get("versions") or ()
    for text in listed:
        try:
            if Version(str(text)) == ours:
                return True
        except InvalidVersion:
            if str(text) == version:
                return True
    ranges = [item for item in entry.get("ranges") or () if item.get("type") != "GIT"]
    if not listed and not ranges:
        return True
    try:
        return any(_lies_in(ours, item.get("events") or (), Version) for item in ranges)
    except InvalidVersion:
        return True


def _lies_in(ours: Version, events: Sequence[Mapping[str, Any]], parsed: Callable[[str], Version]) -> bool:
    """``events`` are OSV's, in whatever order; ``parsed`` raises InvalidVersion."""
    inside = False
    ordered = sorted(
        ((parsed(str(at)), kind) for event in events for kind, at in event.items()),
        key=lambda found: (found[0], found[1] != "introduced"),
    )
    for at, kind in ordered:
        if kind == "introduced":
            inside = inside or ours >= at
        elif kind == "fixed":
            inside = inside and ours < at
        elif kind == "last_affected":
            inside = inside and ours <= at
    return inside


GATE = Gate("dependencies", "what it ships against advisories of the team's", read, judge)
