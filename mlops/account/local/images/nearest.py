"""Another version of a package, where the image's has no wheel for the Python that is here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_LACKING = re.compile(
    r"Could not find a version that satisfies the requirement (?P<asked>.+?) "
    r"(?:\(from (?!versions: )[^()]*\) )?\(from versions: (?P<versions>.*)\)"
)


def lacking(told: str) -> tuple[str, tuple[str, ...]] | None:
    """What pip did not find, and the versions that it could have had.

    >>> lacking("ERROR: Could not find a version that satisfies the requirement a==1 (from versions: 2, 3)")
    ('a==1', ('2', '3'))
    >>> lacking("ERROR: Could not find a version that satisfies the requirement a==1 (from b==2) (from versions: none)")
    ('a==1', ())
    """
    found = _LACKING.search(told)
    if found is None:
        return None
    listed = [word.strip() for word in found["versions"].split(",")]
    return found["asked"], tuple(word for word in listed if word and word != "none")


def nearest(wanted: str, there: Sequence[str]) -> str | None:
    """The first of the same minor version that is as new, else the first newer one, else the newest.

    >>> nearest("1.2.1", ["1.1.3", "1.2.0", "1.2.2", "1.3.0"]), nearest("1.2.1", ["1.3.2", "1.5.0"])
    ('1.2.2', '1.3.2')
    >>> nearest("1.2.1", ["1.0.0", "1.1.0", "2.0rc1"]), nearest("1", [])
    ('1.1.0', None)
    """
    known = sorted(found for text in there if (found := _version(text)) is not None and not found.is_prerelease)
    asked = _version(wanted)
    if not known or asked is None:
        return None
    newer = [version for version in known if version >= asked]
    same = [version for version in known if version.release[:2] == asked.release[:2]]
    return str([*newer[:1], *same[-1:], *known[-1:]][0])


def replaced(pins: Sequence[str], asked: str, there: Sequence[str]) -> tuple[tuple[str, ...], str] | None:
    """``pins`` with the nearest version of what pip did not find, and what is told of it; None where it is none of them
    or there is no other version.

    >>> replaced(["a==1.0", "b"], "a==1.0", ["2.0"])
    (('a==2.0', 'b'), 'a 2.0 for 1.0')
    >>> replaced(["b"], "a==1.0", ["2.0"])
    """
    name = canonicalize_name(Requirement(asked).name)
    for number, pin in enumerate(pins):
        requirement = Requirement(pin)
        version = next((item.version for item in requirement.specifier if item.operator == "=="), None)
        if canonicalize_name(requirement.name) != name or version is None:
            continue
        found = nearest(version, there)
        if found is None or found == version:
            return None
        told = f"{requirement.name} {found} for {version}"
        return (*pins[:number], f"{requirement.name}=={found}", *pins[number + 1 :]), told
    return None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
