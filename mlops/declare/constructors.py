"""All constructors of steps, with the fields of each in the order of its signature: what ``emit`` is handed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from mlops.declare import steps
from mlops.declare.steps.base import SHARED, WITHOUT_REQUEST, Step
from mlops.declare.steps.condition import STEP_TYPE
from mlops.ir import StepType
from mlops.ir.fields import Constructor


def constructors() -> tuple[Constructor, ...]:
    """``when`` is one too, though it is no class."""
    branch = Constructor(WITHOUT_REQUEST, merges=False, name="when", type=STEP_TYPE.type)
    return (*map(_complete, _classes()), branch)


def _classes() -> Iterator[type[Step]]:
    """Those that state fields of their own; another only hands on to the one that it is made of."""
    for module in pkgutil.iter_modules(steps.__path__):
        loaded = importlib.import_module(f"{steps.__name__}.{module.name}")
        for found in vars(loaded).values():
            own = isinstance(found, type) and found.__module__ == loaded.__name__ and "constructor" in vars(found)
            if own and found is not Step:
                yield found


def _complete(step: type[Step]) -> Constructor:
    order = [*_own(step), *_shared(step.shared_arguments)]
    fields = (*step.constructor.fields, *(SHARED if step.constructor.merges else WITHOUT_REQUEST))
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
