"""A value that differs between environments."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mlops.declare.misuse import misuse
from mlops.declare.references import Deferred, Poison
from mlops.declare.shown import shown
from mlops.ir import Unknown, Value

__all__ = ["by_environment"]


class ByEnvironment(Deferred):
    """Stands for one of its values until it is known for which environment."""

    noun = "a value by environment"

    def __init__(self, values: Mapping[str, Any], otherwise: Any, whole: bool) -> None:
        self._values, self._otherwise, self._whole = values, otherwise, whole

    def lower(self) -> Value:
        """Where it stands in a declared resource it was replaced before."""
        misuse("D042", "by_environment stands in declared resources alone", help=_IN_STEPS)
        return Unknown()


_NONE_GIVEN: Any = object()


def by_environment(values: Mapping[str, Any], otherwise: Any = _NONE_GIVEN) -> Any:
    """The value of the environment that is planned for, e.g. ``by_environment({"production": 3}, otherwise=1)``; None
    leaves the argument out. Without ``otherwise`` each environment that is planned for needs one of its own."""
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        misuse("D042", f"by_environment takes values by the names of environments, not {shown(values)}", help=_RIGHT)
        return Poison()
    return ByEnvironment(dict(values), otherwise, otherwise is not _NONE_GIVEN)


_IN_STEPS = "give a step a parameter, whose default an environment can set: parameters in mlops.toml"
_RIGHT = 'write by_environment({"production": 3}, otherwise=1)'


def depends(value: object) -> bool:
    """Whether it holds a value by environment."""
    match value:
        case ByEnvironment():
            return True
        case Mapping():
            return any(map(depends, value.values()))
        case list() | tuple():
            return any(map(depends, value))
    return dataclasses.is_dataclass(value) and any(
        depends(getattr(value, field.name)) for field in dataclasses.fields(value)
    )


def chosen(value: Any, environment: str, label: str) -> Any:
    """The same with the values of ``environment``; ``label`` is what it is said of."""
    match value:
        case ByEnvironment():
            if environment in value._values:
                return chosen(value._values[environment], environment, label)
            if value._whole:
                return chosen(value._otherwise, environment, label)
            misuse(
                "D042",
                f"{label}: by_environment has no value for {environment}; it has {', '.join(value._values) or 'none'}",
                help=f'give "{environment}": …, or otherwise=…',
            )
            return Poison()
        case Mapping():
            return {key: chosen(item, environment, label) for key, item in value.items()}
        case list() | tuple():
            return type(value)(chosen(item, environment, label) for item in value)
    if depends(value):
        changed = {
            field.name: chosen(getattr(value, field.name), environment, label)
            for field in dataclasses.fields(value)
            if depends(getattr(value, field.name))
        }
        return dataclasses.replace(value, **changed)
    return value
