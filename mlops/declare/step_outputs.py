"""Outputs that a step declares with their types: what a Lambda function or the answer to a Callback gives."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.references import (
    AnyReference,
    BooleanProperty,
    FloatProperty,
    IntegerProperty,
    Poison,
    StringProperty,
)
from mlops.ir import Value

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
