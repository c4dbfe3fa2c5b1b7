"""Types of resources, a file each, found by being here: planned, written, compared and removed by what their
``RESOURCE_TYPE`` says, see :class:`mlops.ir.resource.ResourceType`.

A file whose resources are declared beside a pipeline also has ``declared(environment, pipeline)``, which gives those
of one pipeline.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import TypeAlias

from mlops.ir.discovery import modules
from mlops.ir.resource import Resource, ResourceType
from mlops.project.environments import Environment

Declared: TypeAlias = Callable[[Environment, str], Iterator[Resource]]


@cache
def _modules() -> tuple[ModuleType, ...]:
    return tuple(found.load() for found in modules(sys.modules[__name__]).values())


@cache
def resource_types() -> Mapping[str, ResourceType]:
    """By their word."""
    return {module.RESOURCE_TYPE.type: module.RESOURCE_TYPE for module in _modules()}


def declared(environment: Environment, pipeline: str) -> tuple[Resource, ...]:
    """What belongs to ``pipeline`` in this environment, of all types."""
    found: list[Resource] = []
    for module in _modules():
        declare: Declared | None = getattr(module, "declared", None)
        if declare is not None:
            found.extend(declare(environment, pipeline))
    return tuple(found)
