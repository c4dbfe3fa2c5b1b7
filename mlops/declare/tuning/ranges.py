"""Where a search may look: the range of each hyperparameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

from mlops.declare.members import without_none
from mlops.declare.records import record
from mlops.declare.references import NumberReference, Reference, StringReference, lower
from mlops.declare.run_time_texts import join
from mlops.declare.steps.shared_arguments import Count, Number, Text
from mlops.ir import Value
from mlops.ir.fields import Given, Made, Said, Spoken

__all__ = ["AutoRange", "CategoricalRange", "ContinuousRange", "IntegerRange"]

Scale: TypeAlias = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]


@record
class IntegerRange:
    """Integers from ``low`` to ``high``, both included."""

    low: Count
    high: Count
    scale: Scale | None = "Auto"


@record
class ContinuousRange:
    """Numbers from ``low`` to ``high``."""

    low: Number
    high: Number
    scale: Scale | None = "Auto"


@record
class CategoricalRange:
    """One of ``choices``; numbers travel as text."""

    choices: Sequence[Text | int | float]


@record
class AutoRange:
    """SageMaker finds the range by itself, beginning at ``hint``."""

    hint: Text | Number


Range: TypeAlias = IntegerRange | ContinuousRange | CategoricalRange | AutoRange


_INTEGERS, _NUMBERS = "IntegerParameterRanges", "ContinuousParameterRanges"
_CHOICES, _AUTO = "CategoricalParameterRanges", "AutoParameters"


def lowered(given: Mapping[str, Range] | None) -> Value:
    """By kind; numbers in them are text."""
    kinds: dict[str, list[Value]] = {}
    for name, item in (given or {}).items():
        match item:
            case IntegerRange() | ContinuousRange():
                kind = _INTEGERS if isinstance(item, IntegerRange) else _NUMBERS
                bounds = {"MinValue": _text(item.low), "MaxValue": _text(item.high)}
                written = without_none({"Name": name, **bounds, "ScalingType": item.scale})
            case CategoricalRange():
                kind, written = _CHOICES, {"Name": name, "Values": tuple(map(_text, item.choices))}
            case AutoRange():
                kind, written = _AUTO, {"Name": name, "ValueHint": _text(item.hint)}
        kinds.setdefault(kind, []).append(written)
    return {kind: tuple(listed) for kind, listed in kinds.items()} or None


def _text(value: Text | Number) -> Value:
    """A number as the text that the request wants; the run makes it of a reference by a join."""
    if isinstance(value, NumberReference) and not isinstance(value, StringReference):
        return join(value).lower()
    return lower(value) if isinstance(value, Reference) else str(value)


def said_ranges(path: str) -> Callable[[Given], Spoken | None]:
    def said(given: Given) -> Spoken | None:
        kinds = given.at(path)
        found: dict[str, Spoken] = {}
        for kind, listed in kinds.items() if isinstance(kinds, Mapping) else ():
            for item in listed if isinstance(listed, tuple) else ():
                name = item.get("Name") if isinstance(item, Mapping) else None
                spoken = _said_range(kind, item) if isinstance(item, Mapping) else None
                if spoken is None or not isinstance(name, str) or name in found:
                    return None
                found[name] = spoken
        return found or None

    return said


def _said_range(kind: str, item: Mapping[str, Value]) -> Spoken | None:
    match item:
        case {"ValueHint": str(hint)} if kind == _AUTO:
            return Made("AutoRange", [Said(_plain(hint))])
        case {"Values": tuple(values)} if kind == _CHOICES and all(isinstance(value, str) for value in values):
            return Made("CategoricalRange", [[Said(_plain(str(value))) for value in values]])
        case {"MinValue": str(low), "MaxValue": str(high)} if kind in (_INTEGERS, _NUMBERS):
            bounds, scale = [_plain(low), _plain(high)], item.get("ScalingType")
            numbers = (int,) if kind == _INTEGERS else (int, float)
            if not all(isinstance(bound, numbers) for bound in bounds) or scale not in (None, *get_args(Scale)):
                return None
            name = "IntegerRange" if kind == _INTEGERS else "ContinuousRange"
            return Made(name, [Said(bound) for bound in bounds], {} if scale == "Auto" else {"scale": Said(scale)})
    return None


def _plain(value: str) -> int | float | str:
    """The number whose text this is."""
    for kind in (int, float):
        try:
            found = kind(value)
        except ValueError:
            continue
        if str(found) == value and found - found == 0:
            return found
    return value
