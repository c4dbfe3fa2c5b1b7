"""``[house]`` of ``mlops.toml``: what a team allows itself. Nothing of it holds unless it is written there.

Read without pydantic and without the environments, so that a definition in JSON is checked in a blink.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError
from mlops.ir.dataclass import dataclass
from mlops.project.root import CONFIGURATION
from mlops.project.toml_places import mistake, parsed

REQUIREMENTS = ("kms", "vpc", "isolation", "pinned-images")

Complain = Callable[[tuple[str, ...], str], None]


@dataclass(frozen=True, slots=True)
class HousePolicy:
    """``instances`` are globs of instance types; ``registries`` are accounts whose images may be used; ``require`` are
    of :data:`REQUIREMENTS`; names are whole regular expressions. What is empty or None is not asked for."""

    instances: tuple[str, ...] = ()
    registries: tuple[str, ...] = ()
    required_tags: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    max_instances: int | None = None
    max_volume_gb: int | None = None
    max_runtime_hours: float | None = None
    step_names: str | None = None
    parameter_names: str | None = None
    pipeline_names: str | None = None


_LISTS = ("instances", "registries", "required_tags", "require")
_CAPS = ("max_instances", "max_volume_gb", "max_runtime_hours")
_PATTERNS = ("step_names", "parameter_names", "pipeline_names")
KEYS = (*_LISTS, *_CAPS, *_PATTERNS)


def parse(raw: Any, complain: Complain) -> HousePolicy:
    """``complain`` hears every mistake with the path of its key."""
    if not isinstance(raw, dict):
        complain(("house",), "[house] has to be a table")
        return HousePolicy()
    found: dict[str, Any] = {}
    for key, value in raw.items():
        said = _mistake(key, value)
        if said is None:
            found[key] = tuple(value) if key in _LISTS else value
        else:
            complain(("house", key), said)
    return HousePolicy(**found)


def _mistake(key: str, value: Any) -> str | None:
    if key in _LISTS:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            return f"house.{key} has to be a list of texts; it is {value!r}"
        odd = [item for item in value if _is_odd(key, item)]
        return f"house.{key} = {odd[0]!r}: {_WANTED[key]}" if odd else None
    if key in _CAPS:
        whole = key != "max_runtime_hours"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or value <= 0:
            return f"house.{key} has to be {'an integer' if whole else 'a number'} above 0; it is {value!r}"
        return None
    if key in _PATTERNS:
        if not isinstance(value, str):
            return f"house.{key} has to be a regular expression; it is {value!r}"
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            return f"house.{key} = {value!r} is no regular expression: {error}"
        return None
    return f"{key!r} is not a key of [house]; known: {', '.join(KEYS)}"


_WANTED: Mapping[str, str] = {
    "instances": 'a glob of instance types is wanted, e.g. "ml.m5.*"',
    "registries": "an account of twelve digits is wanted",
    "require": f"choose of {', '.join(REQUIREMENTS)}",
}


def _is_odd(key: str, item: str) -> bool:
    if key == "instances":
        return not item.startswith("ml.")
    if key == "registries":
        return re.fullmatch(r"\d{12}", item) is None
    return key == "require" and item not in REQUIREMENTS


def read_house_policy(root: Path) -> HousePolicy | None:
    """The table of a project, None without one. Raises ConfigurationError with file and line for mistakes in it."""
    file = root / CONFIGURATION
    try:
        status = file.stat()
    except OSError:
        return None
    return _read(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read(file: Path, written: int, size: int) -> HousePolicy | None:
    """Kept while the file stays as it is: one check looks at many definitions, and ``--watch`` at changes of it."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):  # told by whoever needs the environments
        return None
    raw = parsed(file, text) if "house" in text else {}
    if "house" not in raw:
        return None
    mistakes: list[str] = []
    policy = parse(raw["house"], lambda path, said: mistakes.append(mistake(file, text, path, said)))
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return policy
