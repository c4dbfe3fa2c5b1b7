"""``requirements.txt``: what it asks for, and what of that this Python has not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

FILE = "requirements.txt"
CODE_ARCHIVE = "sourcedir.tar.gz"
"""What the official SDK packs the code of a job into."""
MISSING = "missing"
NO_NETWORK = "the job has no network (EnableNetworkIsolation) for the container's pip to bring it"
"""Of requirements that an image does not meet, as far as is known of it."""
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_URL = re.compile(r"/|^[A-Za-z0-9._-]+\s*(\[.*\])?\s*@")
_INSTALLS = re.compile(r"\bpip3?\s+install\b|install_requirements\.py\b")
_WORD = re.compile(r"[\w.-]+")


def installed_by(script: str) -> str | None:
    """The file of requirements that a shell script has pip install, as the SDK's ``runproc.sh`` does.

    >>> installed_by("cd code\\npip install -r requirements.txt\\npython3 prepare.py")
    'requirements.txt'
    >>> installed_by("python3 /opt/ml/processing/input/code/install_requirements.py requirements.txt")
    'requirements.txt'
    >>> installed_by("python3 prepare.py") is None
    True
    """
    for line in script.splitlines():
        plain = line.partition("#")[0]
        found = _INSTALLS.search(plain)
        words = _WORD.findall(plain, found.end()) if found is not None else ()
        if file := next((word for word in words if word.endswith(".txt") and "requirements" in word), None):
            return str(file)
    return None


def unmet(text: str) -> dict[str, str]:
    """Lines of a requirements file that the installed distributions do not meet, each with what is there instead.
    Versions are compared where ``packaging`` is installed."""
    return lacking(lines(text))


def lacking(requirements: Iterable[str], there: Mapping[str, str] | None = None) -> dict[str, str]:
    """The same of single requirements; ``there`` are the versions of what is installed elsewhere, by name."""
    found: dict[str, str] = {}
    for line in requirements:
        name = _NAME.match(line)
        if name is not None and not _URL.search(line) and (reason := _unmet(line, name.group(), there)):
            found[line] = reason
    return found


def without_network(
    requirements: Iterable[str], pins: Mapping[str, str], there: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Those that surely fail in a job where nothing can be installed. ``pins`` are versions that the image has,
    ``there`` of what is installed for it; in its place this Python tells no more than that something is missing.

    >>> without_network(["a==1", "b==1"], {"a": "1", "b": "2"})
    {'b==1': 'found 2'}
    """
    failing: dict[str, str] = {}
    for line in requirements:
        name = _NAME.match(line)
        if name is None:
            continue
        if _canonical(name.group()) in pins:
            failing |= lacking([line], pins)
        else:
            found = lacking([line], there)
            failing |= {one: told for one, told in found.items() if there is not None or told == MISSING}
    return failing


def unjudged(text: str) -> list[str]:
    """Lines that pip acts on and nobody here: options, URLs, paths."""
    return [line for line in lines(text) if _NAME.match(line) is None or _URL.search(line)]


def lines(text: str) -> list[str]:
    """Without comments and options of a requirement (``--hash``); a backslash joins two lines."""
    joined = re.sub(r"\\\r?\n", " ", text)
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [re.sub(r"(?<=\S)\s+--\S.*", "", line) if not line.startswith("-") else line for line in bare if line]


def named(frozen: Iterable[str]) -> dict[str, str]:
    """Versions by name, of lines as pip freezes them.

    >>> named(["Tiny_Thing==1.0", "other @ file:///other"])
    {'tiny-thing': '1.0'}
    """
    pairs = (line.partition("==") for line in frozen)
    return {_canonical(name): version for name, equal, version in pairs if equal}


def _unmet(line: str, name: str, there: Mapping[str, str] | None) -> str | None:
    try:
        from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        return None if _installed(name, there) else MISSING
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return "no requirement that pip can read"
    try:
        if requirement.marker is not None and not requirement.marker.evaluate():
            return None
    except (UndefinedComparison, UndefinedEnvironmentName):
        return "a marker that pip cannot compare"
    version = _installed(requirement.name, there)
    if version is None:
        return MISSING
    return None if requirement.specifier.contains(version, prereleases=True) else f"found {version}"


def _installed(name: str, there: Mapping[str, str] | None) -> str | None:
    if there is not None:
        return there.get(_canonical(name))
    from importlib import metadata  # with a parser of mail, which not every run and command needs

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
