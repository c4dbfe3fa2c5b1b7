"""Which packages a handler and its model want, by what is installed on this machine, where the local account fits
models; and which Python an image has."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlops.ir.dataclass import dataclass
from mlops.project.python_files import imported, parsed

_FRAMEWORKS = {
    "scikit-learn": "scikit-learn",
    "xgboost": "xgboost",
    "pytorch": "torch",
    "tensorflow": "tensorflow",
    "mxnet": "mxnet",
}
"""What a model that such an image serves is an object of."""
_TAG = re.compile(r"[-_]py(3)(\d{1,2})\b")
_OLDEST = (3, 10)
"""What our handlers are written for."""


@dataclass(frozen=True, slots=True)
class BasePython:
    """``text`` is its version, as ``3.11``; ``installed`` are the bytes of what is to be installed, 0 where nobody
    knows."""

    text: str
    installed: int


def python_of(image: str, is_local: bool, pins: Iterable[str]) -> BasePython | None:
    """None where the image does not say, or has one that our handlers are too new for.

    >>> python_of("1.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.1-cpu-py310", False, ()).text
    '3.10'
    >>> python_of("1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", False, ())
    """
    if is_local:
        sizes = (_size(Requirement(line).name) for line in pins)
        return BasePython(f"{sys.version_info.major}.{sys.version_info.minor}", sum(sizes))
    found = _TAG.search(image)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        return None
    return BasePython(f"{found[1]}.{found[2]}", 0)


def worked_out(code: Path, image: str, given: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """``name==version`` of all that the code imports and ``given`` names, with what those want, as it is installed
    here; and the modules that nothing here has."""
    wanted = {canonicalize_name(Requirement(line).name): line for line in given if _is_requirement(line)}
    wanted |= {canonicalize_name(name): "" for name in _framework(image)}
    wanted.setdefault(canonicalize_name("numpy"), "")
    known, unknown = metadata.packages_distributions(), []
    for module in sorted(_imports(code)):
        distributions = known.get(module, [])
        if not distributions:
            unknown.append(module)
        for name in distributions[:1]:
            wanted.setdefault(canonicalize_name(name), "")
    pins: dict[str, str] = {}
    waiting = sorted(wanted)
    while waiting:
        name = waiting.pop(0)
        if name in pins:
            continue
        said = wanted.get(name, "")
        version = _version(name)
        if "==" in said:
            pins[name] = said
        elif version is not None:
            pins[name] = f"{name}=={version}"
        else:
            pins[name] = said or name
            continue
        waiting += sorted(_wants(name))
    lacking = [name for name, line in pins.items() if "==" not in line]
    kept = tuple(line for name, line in sorted(pins.items()) if name not in lacking)
    return kept, (*unknown, *(name for name in lacking if wanted.get(name)))


def _framework(image: str) -> Iterator[str]:
    repository = image.rpartition("/")[2]
    yield from (package for word, package in _FRAMEWORKS.items() if word in repository)


def _imports(code: Path) -> set[str]:
    """Outermost names that are neither Python's own nor the code's."""
    files = sorted(code.rglob("*.py"))
    own = {path.stem for path in files} | {path.name for path in code.iterdir() if path.is_dir()}
    trees = [tree for path in files if (tree := parsed(path)) is not None]
    nodes = (node for tree in trees for node in ast.walk(tree))
    found = {item.outermost for node in nodes for item in imported(node) if item.level == 0}
    return found - own - set(sys.stdlib_module_names)


def _is_requirement(line: str) -> bool:
    try:
        Requirement(line)
    except InvalidRequirement:
        return False
    return True


def _version(name: str) -> str | None:
    try:
        # A wheel of another index than the usual one calls itself 2.1.0+cpu, which that one does not have.
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _wants(name: str) -> Iterator[str]:
    try:
        listed = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for line in listed:
        if _is_requirement(line):
            asked = Requirement(line)
            if asked.marker is None or asked.marker.evaluate({"extra": ""}):
                yield canonicalize_name(asked.name)


def _size(name: str) -> int:
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        return 0
    return sum(file.size or 0 for file in files)
