"""A series in one line of a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

_HEIGHTS = "▁▂▃▄▅▆▇█"
WIDTH = 32


def curve(values: Sequence[float], width: int = WIDTH) -> str:
    """Means of as many values as a letter stands for; ! is a place with one that is not finite.

    >>> curve([8, 4, 2, 1, 1])
    '█▄▂▁▁'
    >>> curve([1, float("nan"), 1])
    '▁!▁'
    >>> len(curve(range(1000)))
    32
    """
    count = min(len(values), width)
    parts = [values[len(values) * place // count : len(values) * (place + 1) // count] for place in range(count)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "!" * count
    least, most = min(finite), max(finite)
    # Of very large values the difference may be too large for a float.
    unit = (most / 2 - least / 2) or 1.0

    def letter(part: Sequence[float]) -> str:
        if not all(map(math.isfinite, part)):
            return "!"
        height = fmean(value / 2 - least / 2 for value in part) / unit
        return _HEIGHTS[min(round(height * (len(_HEIGHTS) - 1)), len(_HEIGHTS) - 1)]

    return "".join(map(letter, parts))
