"""What AWS's framework images bring: their Python, and the packages that a script imports. A file for each framework,
read when a job names an image of it.

A file has ``title`` and ``source``. Where an image's tag begins with a release of AWS's own, its stem is the repository
and ``[versions.<release>]`` has ``python`` and ``packages``. Where the tag tells the versions, ``repositories`` and the
pattern ``tag`` find them and stand for them in ``packages``; ``beside`` is what comes in whatever version fits, and
``[[older]]`` more of that for versions ``below`` one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS
from mlops.knowledge.ecr_images import in_ecr
from mlops.knowledge.framework_images import is_of_aws

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Contents:
    """``title`` is the framework with its version, ``python`` e.g. 3.9; ``packages`` are requirements with the image's
    versions, the framework first."""

    title: str
    python: str
    packages: tuple[str, ...]
    beside: tuple[str, ...] = ()


def contents(image: str) -> Contents | None:
    """None where that is no framework image of AWS, or nobody has written down what it brings.

    >>> contents("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3").packages[0]
    'scikit-learn==1.2.1'
    >>> found = contents("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1.0-gpu-py310")
    >>> found.title, found.python, found.packages
    ('PyTorch 2.1.0', '3.10', ('torch==2.1.0',))
    >>> contents("111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3") is None
    True
    """
    match = in_ecr(image)
    if match is None or not match["tag"] or not (is_of_aws(match["account"]) or match["account"] in ALGORITHM_ACCOUNTS):
        return None
    repository, tag = match["repository"], match["tag"]
    for stem, written in _files().items():
        if stem == repository and "versions" in written:
            return _released(written, tag)
        if repository in written.get("repositories", ()):
            return _told(written, tag)
    return None


@cache
def _files() -> Mapping[str, Mapping[str, Any]]:
    return {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(_FOLDER.glob("*.toml"))}


def _released(written: Mapping[str, Any], tag: str) -> Contents | None:
    for release in sorted(written["versions"], key=len, reverse=True):
        if tag == release or tag.startswith(f"{release}-"):
            found = written["versions"][release]
            return Contents(f"{written['title']} {release}", found["python"], tuple(found["packages"]))
    return None


def _told(written: Mapping[str, Any], tag: str) -> Contents | None:
    match = re.fullmatch(written["tag"], tag)
    if match is None:
        return None
    version = match["version"]
    beside = [*written["beside"]]
    for older in written.get("older", ()):
        if _numbers(version) < _numbers(older["below"]):
            beside += older["beside"]
    named = set(map(_name, beside[len(written["beside"]) :]))
    kept = [item for item in written["beside"] if item not in named] + beside[len(written["beside"]) :]
    packages = tuple(item.format(**match.groupdict()) for item in written["packages"])
    return Contents(f"{written['title']} {version}", f"{match['major']}.{match['minor']}", packages, tuple(kept))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~ ]", requirement, maxsplit=1)[0]
