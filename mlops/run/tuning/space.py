"""What is searched: hyperparameters with their ranges, on the scales of the service. Values are text, as in a request.

A number's place is between 0 and 1, evenly on its scale, so that strategies know nothing of scales.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any, TypeAlias

from mlops.ir.dataclass import dataclass
from mlops.run.outcome import StepFailed

Values: TypeAlias = Mapping[str, str]

_DECADES_OF_AUTO = 100.0
"""``Auto`` is logarithmic where the highest value is so many times the lowest: the service says no more than that it
chooses."""
_AROUND_A_HINT = 10.0


@dataclass(frozen=True, slots=True)
class Number:
    """``scale`` is Linear, Logarithmic or ReverseLogarithmic. Both ends belong to it."""

    name: str
    low: float
    high: float
    scale: str = "Linear"
    integer: bool = False

    @property
    def count(self) -> float:
        """How many values it has."""
        return self.high - self.low + 1 if self.integer else 1 if self.low == self.high else math.inf

    def at(self, place: float) -> str:
        """
        >>> [Number("n", 1, 3, integer=True).at(place) for place in (0.0, 0.34, 1.0)]
        ['1', '2', '3']
        >>> [Number("lr", 0.001, 0.1, "Logarithmic").at(place) for place in (0.0, 0.5, 1.0)]
        ['0.001', '0.01', '0.1']
        >>> Number("momentum", 0.9, 0.999, "ReverseLogarithmic").at(0.5)
        '0.99'
        """
        top = self.high + 1 if self.integer else self.high
        match self.scale:
            case "Logarithmic":
                value = self.low * (top / self.low) ** place
            case "ReverseLogarithmic":
                value = 1 - (1 - self.low) * ((1 - top) / (1 - self.low)) ** place
            case _:
                value = self.low + place * (top - self.low)
        if self.integer:
            return str(int(min(max(math.floor(value), self.low), self.high)))
        return repr(min(max(float(f"{value:.12g}"), self.low), self.high))

    def holds(self, text: str) -> bool:
        """
        >>> [Number("n", 1, 4, integer=True).holds(text) for text in ("4", "5", "2.5", "many")]
        [True, False, False, False]
        """
        try:
            value = float(text)
        except ValueError:
            return False
        return self.low <= value <= self.high and (not self.integer or value.is_integer())

    def place(self, text: str) -> float:
        """The other way round, of what it holds.

        >>> Number("lr", 0.001, 0.1, "Logarithmic").place("0.01"), Number("n", 1, 4, integer=True).place("2")
        (0.5, 0.375)
        """
        low, top = (self.low, self.high + 1) if self.integer else (self.low, self.high)
        value = float(text) + (0.5 if self.integer else 0.0)
        if low == top:
            return 0.5
        match self.scale:
            case "Logarithmic":
                return round(math.log(value / low) / math.log(top / low), 12)
            case "ReverseLogarithmic":
                return round(math.log((1 - value) / (1 - low)) / math.log((1 - top) / (1 - low)), 12)
        return (value - low) / (top - low)


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    values: tuple[str, ...]

    @property
    def count(self) -> float:
        return len(self.values)

    def holds(self, text: str) -> bool:
        return text in self.values

    def at(self, place: float) -> str:
        """
        >>> [Choice("kind", ("a", "b")).at(place) for place in (0.0, 0.5, 1.0)]
        ['a', 'b', 'b']
        """
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]


Dimension: TypeAlias = Number | Choice


@dataclass(frozen=True, slots=True)
class Space:
    dimensions: tuple[Dimension, ...]

    @property
    def size(self) -> float:
        """How many combinations it has; infinite with a continuous range."""
        return math.prod(dimension.count for dimension in self.dimensions)

    def at(self, places: Iterator[float]) -> Values:
        """The values at these places, one for each dimension."""
        return {dimension.name: dimension.at(place) for dimension, place in zip(self.dimensions, places, strict=False)}

    def holds(self, values: Values) -> bool:
        """Whether each of its hyperparameters has a value in its range there; others may be there too."""
        return all(one.name in values and one.holds(values[one.name]) for one in self.dimensions)

    def combinations(self, most: int | None = None) -> Iterator[Values]:
        """All, in the order of the ranges, the last one changing first."""
        listed = [
            dimension.values
            if isinstance(dimension, Choice)
            else [str(value) for value in range(int(dimension.low), int(dimension.high) + 1)]
            if dimension.integer
            else [dimension.at(0.0)]
            for dimension in self.dimensions
        ]
        names = [dimension.name for dimension in self.dimensions]
        return islice((dict(zip(names, values, strict=True)) for values in product(*listed)), most)


def space(ranges: Mapping[str, Any]) -> tuple[Space, list[str]]:
    """``ranges`` is ParameterRanges, evaluated. Beside the space what is to be told of it. Raises
    :class:`StepFailed`."""
    told: list[str] = []
    found: list[Dimension] = []
    for kind, integer in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False)):
        found += [_number(item, integer) for item in ranges.get(kind) or ()]
    for item in ranges.get("CategoricalParameterRanges") or ():
        found.append(Choice(str(item["Name"]), tuple(dict.fromkeys(map(str, item["Values"])))))
    for item in ranges.get("AutoParameters") or ():
        dimension = _around(str(item["Name"]), str(item["ValueHint"]))
        found.append(dimension)
        told.append(_told(dimension))
    if not found:
        raise StepFailed("there is nothing to tune: the parameter ranges are empty")
    return Space(tuple(found)), told


def _number(item: Mapping[str, Any], integer: bool) -> Number:
    name, scale = str(item["Name"]), item.get("ScalingType") or "Auto"
    try:
        low, high = float(item["MinValue"]), float(item["MaxValue"])
    except (KeyError, TypeError, ValueError):
        low, high = math.nan, math.nan
    if integer and math.isfinite(low) and math.isfinite(high):
        low, high = math.ceil(low), math.floor(high)
    if not low <= high or math.isinf(low) or math.isinf(high):
        raise StepFailed(f"the range of {name} is no range: {item.get('MinValue')!r} to {item.get('MaxValue')!r}")
    if scale == "Auto":
        scale = "Logarithmic" if low > 0 and high / low >= _DECADES_OF_AUTO else "Linear"
    if scale == "Logarithmic" and low <= 0:
        raise StepFailed(f"the range of {name} is logarithmic and begins at {low:g}; it has to begin above 0")
    if scale == "ReverseLogarithmic" and (integer or low < 0 or high >= 1):
        raise StepFailed(f"the range of {name} is reverse logarithmic; it has to be continuous, from 0 to below 1")
    if low == high:
        scale = "Linear"
    return Number(name, low, high, scale, integer)


def _around(name: str, hint: str) -> Dimension:
    """A range for an AutoParameter. How the service finds one is not documented: here it is ten times less to ten times
    more than the hint, and what is no number above 0 stays as it is.

    >>> _around("depth", "6"), _around("mode", "fast")
    (Number(name='depth', low=1, high=60, scale='Logarithmic', integer=True), Choice(name='mode', values=('fast',)))
    """
    try:
        value = float(hint)
    except ValueError:
        value = 0.0
    if value <= 0 or math.isinf(value) or value != value:
        return Choice(name, (hint,))
    if value == int(value) and "." not in hint and "e" not in hint.lower():
        low, high = max(1, round(value / _AROUND_A_HINT)), round(value * _AROUND_A_HINT)
        return Number(name, low, high, "Logarithmic", integer=True)
    low_, high_ = value / _AROUND_A_HINT, value * _AROUND_A_HINT
    # What lies between 0 and 1 is mostly a share or a rate, which cannot be more than 1.
    return Number(name, low_, min(high_, 1.0) if value <= 1 else high_, "Logarithmic")


def _told(dimension: Dimension) -> str:
    if isinstance(dimension, Choice):
        return f"Autotune: {dimension.name} stays {dimension.values[0]}; it is no number to search around"
    return (
        f"Autotune: {dimension.name} is searched from {dimension.low:g} to {dimension.high:g} on a logarithmic scale; "
        "the service may choose another range"
    )
