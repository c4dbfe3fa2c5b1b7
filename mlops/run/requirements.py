"""``requirements.txt`` beside a script: nothing is installed, but what is missing is told before the script fails."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from mlops.run.outcome import StepFailed
from mlops.run.work import Work

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def check_requirements(folder: Path, work: Work) -> None:
    """Raises :class:`StepFailed` where a distribution is missing or has another version than wanted."""
    file = folder / "requirements.txt"
    if not file.is_file():
        return
    missing = unmet(file.read_text(encoding="utf-8"))
    if missing:
        raise StepFailed(
            f"requirements.txt asks for {', '.join(missing)}; install it into the environment that runs mlops"
        )
    work.note("requirements.txt is met by this environment; nothing was installed")


def unmet(text: str) -> list[str]:
    """Lines of a requirements file that the installed distributions do not meet, each with what is there instead.
    Options, URLs and paths are passed over; versions are compared where ``packaging`` is installed."""
    found: list[str] = []
    for raw in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        name = _NAME.match(line)
        if name is None or "://" in line:
            continue
        reason = _unmet(line, name.group())
        if reason:
            found.append(reason)
    return found


def _unmet(line: str, name: str) -> str | None:
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        return None if _installed(name) else line
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    version = _installed(requirement.name)
    if version is None:
        return line
    if requirement.specifier.contains(version, prereleases=True):
        return None
    return f"{line} (found {version})"


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
