"""``requirements.txt`` beside a script: nothing is installed, but what is missing is told before the script fails."""

from __future__ import annotations

import re
import shlex
from importlib import metadata
from pathlib import Path

from mlops.run.outcome import StepFailed
from mlops.run.work import Work

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_MISSING = "missing"
_URL = re.compile(r"/|^[A-Za-z0-9._-]+\s*(\[.*\])?\s*@")


def check_requirements(folder: Path, work: Work) -> None:
    """Raises :class:`StepFailed` where a distribution is missing; another version than wanted is noted in the log."""
    file = folder / "requirements.txt"
    if not file.is_file():
        return
    text = file.read_text(encoding="utf-8", errors="replace")
    found = unmet(text)
    # A pin may be right for the image and impossible for this Python: here other versions stand in for all packages.
    missing = {line: there for line, there in found.items() if there == _MISSING}
    for line, there in found.items():
        if line not in missing:
            work.note(f"requirements.txt asks for {line}, which the container installs; here it is {there}")
    if missing:
        wanted = shlex.join(missing)
        listed = ", ".join(f"{line} ({there})" for line, there in missing.items())
        raise StepFailed(
            f"requirements.txt asks for {listed}; the container would install it, here nothing is installed: "
            f"python -m pip install {wanted} into the environment that runs mlops"
        )
    for line in unjudged(text):
        work.note(f"requirements.txt: {line!r} was not looked at")
    if not found:
        work.note("requirements.txt is met by this environment; nothing was installed")


def unmet(text: str) -> dict[str, str]:
    """Lines of a requirements file that the installed distributions do not meet, each with what is there instead.
    Versions are compared where ``packaging`` is installed."""
    found: dict[str, str] = {}
    for line in _lines(text):
        name = _NAME.match(line)
        if name is not None and not _URL.search(line) and (reason := _unmet(line, name.group())):
            found[line] = reason
    return found


def unjudged(text: str) -> list[str]:
    """Lines that pip acts on and nobody here: options, URLs, paths."""
    return [line for line in _lines(text) if _NAME.match(line) is None or _URL.search(line)]


def _lines(text: str) -> list[str]:
    """Without comments and options of a requirement (``--hash``); a backslash joins two lines."""
    joined = re.sub(r"\\\r?\n", " ", text)
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [re.sub(r"(?<=\S)\s+--\S.*", "", line) if not line.startswith("-") else line for line in bare if line]


def _unmet(line: str, name: str) -> str | None:
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        return None if _installed(name) else _MISSING
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return "no requirement that pip can read"
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    version = _installed(requirement.name)
    if version is None:
        return _MISSING
    return None if requirement.specifier.contains(version, prereleases=True) else f"found {version}"


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
