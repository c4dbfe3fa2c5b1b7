"""Who belongs to a group: rows whose value is one of some, or above a threshold, as Clarify decides it.

A column is continuous where it holds fractions, or integers of which at least one in twenty is another; otherwise its
values are categories. Where Clarify would take the 0 and 1 of a short table for continuous, here two integers are
categories however few rows there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from mlops.monitor.cells import Array, aligned, as_text
from mlops.monitor.fault import Fault

_UNIQUE = 0.05


def as_list(values: Any) -> list[Any]:
    """A single value or threshold is a list of one."""
    return [] if values is None else list(values) if isinstance(values, list | tuple) else [values]


def is_continuous(column: Array, chosen: Sequence[Any]) -> bool:
    if len(chosen) > 1 or column.dtype.kind == "b":
        return False
    if column.dtype.kind == "f":
        return True
    if column.dtype.kind != "i":
        return False
    different = len(np.unique(column))
    return different > 2 and different / len(column) >= _UNIQUE


def intervals(column: Array, thresholds: Sequence[Any]) -> list[tuple[float, float]]:
    """From each threshold to the next and on to the greatest value; open below. Raises :class:`Fault`."""
    if not thresholds:
        raise Fault("Threshold values must be provided for continuous features")
    try:
        breaks = [item if isinstance(item, int | float) else float(item) for item in thresholds]
    except (TypeError, ValueError):
        raise Fault(f"{thresholds[0]!r} is no threshold for a column of numbers") from None
    greatest: float = np.nanmax(column).item()
    if abs(greatest) not in breaks:
        breaks.append(greatest)
    if any(isinstance(item, float) for item in breaks):
        breaks = [float(item) for item in breaks]
    breaks.sort()
    return list(pairwise(breaks))


def within(column: Array, spans: Sequence[tuple[float, float]]) -> Array:
    inside: Array = np.zeros(len(column), dtype=bool)
    for low, high in spans:
        inside |= (column > low) & (column <= high)
    return inside


def named(spans: Sequence[tuple[float, float]]) -> str:
    """As pandas writes intervals.

    >>> named([(0.5, 2.0)])
    '(0.5, 2.0]'
    """
    return ",".join(f"({low}, {high}]" for low, high in spans)


def among(column: Array, chosen: Sequence[Any]) -> Array:
    """Rows with one of the values, which may be written otherwise than the column is: ``"1"`` for 1."""
    inside: Array = np.zeros(len(column), dtype=bool)
    for value in chosen:
        inside |= np.array(column == value, dtype=bool)
    if inside.any() or not chosen:
        return inside
    wanted = {_spelled(value) for value in chosen}
    return np.array([_spelled(value) in wanted for value in column.tolist()], dtype=bool)


def _spelled(value: Any) -> str:
    number = float(value) if isinstance(value, bool) else float(aligned([value])[0])
    return as_text(value).lower() if number != number else repr(number)
