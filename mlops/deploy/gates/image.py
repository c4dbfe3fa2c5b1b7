"""Findings of the scan of its images, by severity. An image that nobody has scanned is refused, never passed over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Asked, Gate, Judgement, Scan, table

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")


@dataclass(frozen=True, slots=True)
class Settings:
    """At most so many findings of each severity; None is any number. ``exceptions`` are names of findings that do not
    count. ``file`` has replies of DescribeImageScanFindings by image, for images that no scanner of the account's
    looks at: of the local account, of AWS's own registries."""

    critical: int | None = 0
    high: int | None = 0
    medium: int | None = None
    low: int | None = None
    exceptions: Sequence[str] = field(default_factory=tuple)
    file: str | None = None

    def limits(self) -> Mapping[str, int]:
        given = {"CRITICAL": self.critical, "HIGH": self.high, "MEDIUM": self.medium, "LOW": self.low}
        return {name: limit for name, limit in given.items() if limit is not None}


def read(raw: Any) -> Settings:
    settings: Settings = table(Settings)({} if raw is True else raw)
    for name in ("critical", "high", "medium", "low"):
        limit = getattr(settings, name)
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
            raise ValueError(f"{name} = {limit!r}: give how many there may be")
    if isinstance(settings.exceptions, str) or not all(isinstance(item, str) for item in settings.exceptions):
        raise ValueError('exceptions: give a list of names, for example ["CVE-2024-12345"]')
    return settings


def judge(settings: Settings, asked: Asked) -> Judgement:
    declared = _declared(asked.root / settings.file) if settings.file is not None else {}
    scans = [declared.get(scan.image, scan) for scan in asked.scans()]
    if not scans:
        return Judgement(False, "it names no image")
    told, passes = [], True
    for scan in scans:
        if scan.unknown is not None:
            lacks = settings.file is not None and scan.image not in declared
            also = f"; {settings.file} has no reply for it" if lacks else ""
            return Judgement(False, f"what a scan finds in {scan.image} is not known: {scan.unknown}{also}")
        counts = _counted(scan, frozenset(settings.exceptions))
        for severity, limit in settings.limits().items():
            if counts.get(severity, 0) > limit:
                passes = False
                names = [name for name in scan.names.get(severity, ()) if name not in settings.exceptions]
                few = f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else ""
                told.append(f"{counts[severity]} {severity.lower()}{few}, and at most {limit} may be, in {scan.image}")
        if passes:
            found = ", ".join(f"{counts[name]} {name.lower()}" for name in SEVERITIES if counts.get(name))
            told.append(f"{found or 'nothing'} found in {scan.image}")
    return Judgement(passes, "; ".join(told))


def _counted(scan: Scan, exceptions: frozenset[str]) -> Mapping[str, int]:
    taken = {name: sum(item in exceptions for item in names) for name, names in scan.names.items()}
    return {name: count - taken.get(name, 0) for name, count in scan.counts.items()}


def _declared(file: Path) -> Mapping[str, Scan]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = f"{file.name} cannot be read: {error}"
        raise ValueError(reason) from None
    if not isinstance(told, Mapping) or not all(isinstance(reply, Mapping) for reply in told.values()):
        raise ValueError(f"{file.name} has no replies of DescribeImageScanFindings by the URI of an image")
    return {str(image): scan_of(str(image), reply) for image, reply in told.items()}


def scan_of(image: str, *replies: Mapping[str, Any]) -> Scan:
    """Of the pages of DescribeImageScanFindings, of basic or enhanced scanning."""
    counts: Mapping[str, int] = {}
    names: dict[str, list[str]] = {}
    for reply in replies:
        status = (reply.get("imageScanStatus") or {}).get("status")
        if status not in (None, "COMPLETE", "ACTIVE"):
            why = (reply.get("imageScanStatus") or {}).get("description") or ""
            return Scan(image, unknown=f"the scan is {status}{f': {why}' if why else ''}")
        found = reply.get("imageScanFindings")
        if found is None:
            return Scan(image, unknown="there are no findings of a scan")
        counts = {**counts, **(found.get("findingSeverityCounts") or {})}
        for item in (*(found.get("findings") or ()), *(found.get("enhancedFindings") or ())):
            details = item.get("packageVulnerabilityDetails") or {}
            name = details.get("vulnerabilityId") or item.get("name") or item.get("title") or "a finding without a name"
            names.setdefault(str(item.get("severity", "UNDEFINED")), []).append(str(name))
    listed = {severity: len(items) for severity, items in names.items()}
    return Scan(image, {**listed, **{str(key): int(value) for key, value in counts.items()}}, names)


GATE = Gate("image", "findings of the scan of its images", read, judge)
