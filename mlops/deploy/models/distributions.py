"""Which Python distributions an archive brings: pinned in requirements, listed by a freeze, as wheels, or unpacked."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator
from typing import IO

from mlops.ir.gate import Shipped

_LISTS = re.compile(r"(^|/)([\w.-]*requirements[\w.-]*|[\w.-]*freeze[\w.-]*)\.(txt|lock|in)$", re.IGNORECASE)
_WHEEL = re.compile(r"(^|/)(?P<name>[^/-]+)-(?P<version>[^/-]+)(-[^/-]+)+\.whl$")
_METADATA = re.compile(r"(^|/)[^/]+\.(dist-info/METADATA|egg-info/PKG-INFO)$")
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*(?P<rest>.*)$")
_EXACT = re.compile(r"^={2,3}\s*(?P<version>[^\s,;*]+)$")
_LARGEST = 4 * 1024 * 1024
"""A list or a METADATA file that is larger is none."""


def listed(archive: IO[bytes]) -> Iterator[Shipped]:
    """Of an archive that is read once, from its beginning to its end; nothing is unpacked."""
    with tarfile.open(fileobj=archive, mode="r|*") as members:
        for member in members:
            file = members.extractfile(member) if member.isfile() else None
            if file is not None:
                yield from in_file(member.name, member.size, file.read)


def in_file(name: str, size: int, read: Callable[[], bytes]) -> Iterator[Shipped]:
    """Of one of a model's files, which is read where it may tell something."""
    wheel = _WHEEL.search(name)
    if wheel:
        yield Shipped(wheel["name"], wheel["version"], f"{wheel['name']} {wheel['version']}", name)
        return
    is_list, is_metadata = _LISTS.search(name), _METADATA.search(name)
    if (is_list or is_metadata) and size <= _LARGEST:
        text = read().decode(errors="replace")
        yield from requirements(text, name) if is_list else _metadata(text, name)


def requirements(text: str, file: str) -> Iterator[Shipped]:
    """
    >>> [(item.name, item.version) for item in requirements("numpy==1.2  # why\\nxgboost[a]>=1; x\\n-r other", "r.txt")]
    [('numpy', '1.2'), ('xgboost', None)]
    """
    for line in text.replace("\\\n", " ").splitlines():
        said = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not said or said.startswith("-"):
            continue
        requirement = said.partition(";")[0].partition(" --")[0].strip()
        found = _PINNED.match(requirement)
        if found:
            exact = _EXACT.match(found["rest"].strip())
            yield Shipped(found["name"], exact["version"] if exact else None, requirement, file)


def _metadata(text: str, file: str) -> Iterator[Shipped]:
    head = text.partition("\n\n")[0]
    told = dict(line.split(": ", 1) for line in head.splitlines() if re.match(r"(Name|Version): ", line))
    if "Name" in told:
        version = told.get("Version", "").strip() or None
        yield Shipped(told["Name"].strip(), version, f"{told['Name'].strip()} {version}", file)
