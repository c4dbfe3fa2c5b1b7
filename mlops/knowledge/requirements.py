"""``requirements.txt``: what it asks for, and what of that this Python has not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata

FILE = "requirements.txt"
CODE_ARCHIVE = "sourcedir.tar.gz"
"""What the official SDK packs the code of a job into."""
MISSING = "missing"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_URL = re.compile(r"/|^[A-Za-z0-9._-]+\s*(\[.*\])?\s*@")
_INSTALLS = re.compile(
    r"^[^#\n]*?(?:\bpip3?\s+install|install_requirements\.py)\b[^\n#]*?(?P<file>[\w.-]*requirements[\w.-]*\.txt)",
    re.MULTILINE,
)


def installed_by(script: str) -> str | None:
    """The file of requirements that a shell script has pip install, as the SDK's ``runproc.sh`` does.

    >>> installed_by("cd code\\npip install -r requirements.txt\\npython3 prepare.py")
    'requirements.txt'
    >>> installed_by("python3 /opt/ml/processing/input/code/install_requirements.py requirements.txt")
    'requirements.txt'
    >>> installed_by("python3 prepare.py") is None
    True
    """
    found = _INSTALLS.search(script)
    return found["file"] if found is not None else None


def unmet(text: str) -> dict[str, str]:
    """Lines of a requirements file that the installed distributions do not meet, each with what is there instead.
    Versions are compared where ``packaging`` is installed."""
    return lacking(lines(text))


def lacking(requirements: Iterable[str]) -> dict[str, str]:
    """The same of single requirements."""
    found: dict[str, str] = {}
    for line in requirements:
        name = _NAME.match(line)
        if name is not None and not _URL.search(line) and (reason := _unmet(line, name.group())):
            found[line] = reason
    return found


def unjudged(text: str) -> list[str]:
    """Lines that pip acts on and nobody here: options, URLs, paths."""
    return [line for line in lines(text) if _NAME.match(line) is None or _URL.search(line)]


def lines(text: str) -> list[str]:
    """Without comments and options of a requirement (``--hash``); a backslash joins two lines."""
    joined = re.sub(r"\\\r?\n", " ", text)
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [re.sub(r"(?<=\S)\s+--\S.*", "", line) if not line.startswith("-") else line for line in bare if line]


def _unmet(line: str, name: str) -> str | None:
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        return None if _installed(name) else MISSING
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return "no requirement that pip can read"
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    version = _installed(requirement.name)
    if version is None:
        return MISSING
    return None if requirement.specifier.contains(version, prereleases=True) else f"found {version}"


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
