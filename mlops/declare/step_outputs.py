"""Outputs that a step declares with their types: what a Lambda function or the answer to a Callback gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mlops.declare.by_name import ByName
from mlops.declare.references import (
    AnyReference,
    BooleanProperty,
    FloatProperty,
    IntegerProperty,
    StringProperty,
    lower,
)
from mlops.ir import Value
from mlops.ir.fields import (
    BOOLEAN,
    EVERY,
    FLOAT,
    INTEGER,
    MAP,
    STRING,
    TEXTS,
    Field,
    Given,
    Name,
    Said,
    Spoken,
    Yielded,
)

OutputType: TypeAlias = type[str] | type[bool] | type[int] | type[float]
Outputs: TypeAlias = Mapping[str, OutputType] | Sequence[str]
"""``{"score": float}``, or names alone for strings."""

_TYPES: Mapping[OutputType, tuple[str, type[StringProperty | BooleanProperty | IntegerProperty | FloatProperty]]] = {
    str: ("String", StringProperty),
    bool: ("Boolean", BooleanProperty),
    int: ("Integer", IntegerProperty),
    float: ("Float", FloatProperty),
}


class StepOutputs(ByName[AnyReference]):
    """References to ``OutputParameters`` of a step by name, each of its declared type."""

    def __init__(self, step: str, declared: Outputs) -> None:
        super().__init__(step, declared)
        self._types: dict[str, OutputType] = (
            dict(declared) if isinstance(declared, Mapping) else dict.fromkeys(declared, str)
        )

    def reference(self, name: str) -> AnyReference:
        _, reference = _TYPES[self._types[name]]
        # Its type is known here and not to a type checker, to which it may stand anywhere.
        return reference(self._step, f"OutputParameters['{name}']")  # type: ignore[return-value]

    def members(self) -> tuple[Value, ...]:
        """The step's ``OutputParameters``."""
        return tuple({"OutputName": name, "OutputType": _TYPES[kind][0]} for name, kind in self._types.items())


def _declared(given: Given) -> dict[str, str] | None:
    """The outputs in a document by name, each with its type there; None where that is not all that it says."""
    listed, found = given.at("/OutputParameters"), {}
    for item in listed if isinstance(listed, tuple) else ():
        match item:
            case {"OutputName": str(name), "OutputType": str(kind)} if name not in found and kind in _KINDS:
                found[name] = kind
            case _:
                return None
    return found


_KINDS = {
    "String": ("str", STRING),
    "Boolean": ("bool", BOOLEAN),
    "Integer": ("int", INTEGER),
    "Float": ("float", FLOAT),
}


def _said_outputs(given: Given) -> Spoken | None:
    outputs = _declared(given)
    if not outputs:
        return None
    if set(outputs.values()) == {"String"}:
        return [Said(name) for name in outputs]
    return {name: Name(_KINDS[kind][0]) for name, kind in outputs.items()}


def _given_outputs(given: Given) -> dict[str, Yielded]:
    outputs = _declared(given) or {}
    return {f"OutputParameters['{name}']": Yielded("outputs", _KINDS[kind][1], name) for name, kind in outputs.items()}


def _inputs(step: Any, *_: object) -> Value:
    return {key: lower(value) for key, value in step.inputs.items()}


def _said_inputs(given: Given) -> Spoken | None:
    whole = given.step.arguments
    return {key: Said(value, EVERY) for key, value in whole.items()} if isinstance(whole, Mapping) and whole else None


INPUTS = Field("inputs", "", MAP, to=_inputs, said=_said_inputs)
"""All Arguments, flat."""
OUTPUTS = Field(
    "outputs",
    "/OutputParameters",
    TEXTS,
    (),
    to=lambda step, *_: step.outputs.members(),
    said=_said_outputs,
    gives=_given_outputs,
)
