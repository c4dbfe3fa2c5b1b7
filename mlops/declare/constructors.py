"""All constructors of steps, with the fields of each in the order of its signature: what ``emit`` is handed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from mlops.declare import resources, steps
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.base import SHARED, WITHOUT_REQUEST, Step
from mlops.declare.steps.condition import STEP_TYPE
from mlops.ir import StepType
from mlops.ir.fields import TAGS, Constructor, Field

_RESOURCES = (Field("tags", "Tags", TAGS),)


def constructors() -> tuple[Constructor, ...]:
    """``when`` is one too, though it is no class."""
    branch = Constructor(WITHOUT_REQUEST, merges=False, name="when", type=STEP_TYPE.type)
    return (*map(_complete, _classes()), branch)


def resource_constructors() -> tuple[Constructor, ...]:
    """Of what is declared beside pipelines, by their names there: ``resources.Model``."""
    made = ((_complete(found), found) for found in _classes(resources) if issubclass(found, DeclaredResource))
    return tuple(item._replace(name=found.called) for item, found in made)


def named_by() -> Mapping[str, str | None]:
    """The member of a request that says what its author calls a resource, by type of step."""
    classes = (found for found in _classes(resources) if issubclass(found, DeclaredResource))
    return {found.step_type.type: found.named_by for found in classes if isinstance(found.step_type, StepType)}


def _classes(package: ModuleType = steps) -> Iterator[type[Step]]:
    """Those that state fields of their own; another only hands on to the one that it is made of."""
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        for found in vars(loaded).values():
            own = isinstance(found, type) and found.__module__ == loaded.__name__ and "constructor" in vars(found)
            if own and found is not Step:
                yield found


def _complete(step: type[Step]) -> Constructor:
    shared_arguments = () if issubclass(step, DeclaredResource) else _shared(step.shared_arguments)
    order = [*_own(step), *shared_arguments]
    shared = SHARED if step.constructor.merges else WITHOUT_REQUEST
    fields = (*step.constructor.fields, *(_RESOURCES if issubclass(step, DeclaredResource) else shared))
    return step.constructor._replace(
        name=step.__name__,
        type=step.step_type.type if isinstance(step.step_type, StepType) else "",
        fields=sorted(fields, key=lambda field: order.index(field.name) if field.name else len(order)),
    )


def _own(step: type[Step]) -> Iterator[str]:
    for name, item in inspect.signature(step.__init__).parameters.items():
        if item.kind is not item.VAR_KEYWORD:
            yield name


def _shared(arguments: Any) -> Iterator[str]:
    """The keys of a typed dictionary; what it adds to another before the other's."""
    above = [base for base in getattr(arguments, "__orig_bases__", ()) if hasattr(base, "__annotations__")]
    theirs = [name for base in above for name in _shared(base)]
    yield from (name for name in arguments.__annotations__ if name not in theirs)
    yield from theirs
