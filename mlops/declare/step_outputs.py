"""Outputs that a step declares with their types: what a Lambda function or the answer to a Callback gives."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.references import (
    AnyReference,
    BooleanProperty,
    FloatProperty,
    IntegerProperty,
    Poison,
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


class StepOutputs(Mapping[str, AnyReference]):
    """References to ``OutputParameters`` of a step by name, each of its declared type."""

    def __init__(self, step: str, declared: Outputs) -> None:
        self._step = step
        self._types: dict[str, OutputType] = (
            dict(declared) if isinstance(declared, Mapping) else dict.fromkeys(declared, str)
        )

    def __getitem__(self, name: str) -> AnyReference:
        if name not in self._types:
            unknown_name(self._step, "output", name, tuple(self._types))
            return Poison()
        _, reference = _TYPES[self._types[name]]
        # Its type is known here and not to a type checker, to which it may stand anywhere.
        return reference(self._step, f"OutputParameters['{name}']")  # type: ignore[return-value]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

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


def unknown_name(step: str, kind: str, name: str, known: Sequence[str]) -> None:
    """Report that a step declares nothing of that name."""
    close = difflib.get_close_matches(str(name), known, n=1)
    mend = f"did you mean {close[0]!r}? " if close else ""
    misuse(
        "D032",
        f"step {step} has no {kind} {name!r}",
        help=f"{mend}its {kind}s are {', '.join(known) or 'none'}",
        step=step,
    )
