"""The step types of this package, each loaded when somebody asks for it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from mlops.ir import StepType
from mlops.ir.discovery import modules


class StepTypesOf(Mapping[str, StepType]):
    """By their ``Type``: ``STEP_TYPE`` or ``STEP_TYPES`` of the modules of a package, ``declare.steps``.

    A pipeline file has loaded the modules of its step types when it is checked; the others are loaded when a type is
    asked for that those do not have, or all of them."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._known: dict[str, StepType] = {}
        self._waiting: list[str] | None = None

    def __getitem__(self, name: str) -> StepType:
        if name not in self._known:
            self._load(lambda module: module in sys.modules)
        if name not in self._known:
            self._load(lambda module: True)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._load(lambda module: True)
        return iter(sorted(self._known))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __bool__(self) -> bool:
        return True

    def loaded(self) -> tuple[StepType, ...]:
        """Those whose modules somebody has imported."""
        self._load(lambda module: module in sys.modules)
        return tuple(self._known.values())

    def _load(self, wanted: Callable[[str], bool]) -> None:
        if self._waiting is None:
            package = importlib.import_module(self._package)
            self._waiting = [str(found.module) for found in modules(package).values()]
        for module in filter(wanted, self._waiting):
            loaded = importlib.import_module(module)
            declared = getattr(loaded, "STEP_TYPES", None) or (getattr(loaded, "STEP_TYPE", None),)
            self._known.update((item.type, item) for item in declared if item is not None)
        self._waiting = [module for module in self._waiting if not wanted(module)]


@cache
def own_step_types() -> StepTypesOf:
    """Those of this package."""
    return StepTypesOf("mlops.declare.steps")
