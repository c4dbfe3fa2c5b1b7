"""Lines of cells with commas between, a block at a time: numbers are read by numpy where a column holds nothing else.

Which columns those are is seen in the first lines, whose cells are looked at one by one; where a block does not fit,
it is looked at so as well.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest

import numpy as np

from mlops.monitor.cells import Array, Cells, Chunk, of_texts

_FIRST = 256
_COMMA, _END, _DOT, _SMALL_E, _LARGE_E = b",\n.eE"


class Blocks:
    """``names`` are the columns, ``texts`` those of them whose cells are wanted as they are written."""

    def __init__(self, names: Sequence[str], texts: Collection[str]) -> None:
        self._names = names
        self._texts = {at for at, name in enumerate(names) if name in texts}
        self._numeric: list[int] | None = None

    def chunk(self, lines: Sequence[str]) -> Chunk | None:
        """None where a line has more cells than there are columns."""
        if self._numeric is None and len(lines) > _FIRST:
            self._one_by_one(lines[:_FIRST])
        found = self._quickly(lines) if self._numeric is not None else None
        return found or self._one_by_one(lines)

    def _one_by_one(self, lines: Iterable[str]) -> Chunk | None:
        columns = list(zip_longest(*csv.reader(lines), fillvalue=""))
        if len(columns) > len(self._names):
            return None
        rows = len(columns[0]) if columns else 0
        columns += [("",) * rows] * (len(self._names) - len(columns))
        found = [of_texts(cells) for cells in columns]
        numeric = {at for at, cells in enumerate(found) if not cells.others} - self._texts
        self._texts |= {at for at, cells in enumerate(found) if cells.others}
        self._numeric = sorted(numeric if self._numeric is None else numeric.intersection(self._numeric))
        return dict(zip(self._names, found, strict=True))

    def _quickly(self, lines: Sequence[str]) -> Chunk | None:
        """None where it is no such block."""
        text = "\n".join(lines)
        many, rows, numeric = len(self._names), len(lines), self._numeric or []
        if '"' in text or not numeric or not text.isascii():
            return None
        places = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        between = np.flatnonzero((places == _COMMA) | (places == _END))
        if len(between) != rows * many - 1 or not (places[between[many - 1 :: many]] == _END).all():
            return None
        try:
            numbers = self._numbers(text, lines, numeric)
        except ValueError:
            return None
        fractional = _fractional(places, between, many)
        found: dict[str, Cells] = {}
        read = dict(zip(numeric, numbers, strict=True))
        starts = np.concatenate([[0], between + 1]).reshape(rows, many)
        ends = np.concatenate([between, [len(places)]]).reshape(rows, many)
        for at, name in enumerate(self._names):
            if at in read:
                found[name] = _cells(read[at], int(fractional[at]))
            else:
                spans = zip(starts[:, at].tolist(), ends[:, at].tolist(), strict=True)
                found[name] = of_texts([text[start:end] for start, end in spans])
        return found

    def _numbers(self, text: str, lines: Sequence[str], numeric: Sequence[int]) -> Array:
        """A line of numbers for each column. Raises ValueError."""
        if ",," in text or ",\n" in text or "\n," in text or text.startswith(",") or text.endswith(","):
            for _ in range(2):  # of two that touch, the second is found the second time
                text = text.replace(",,", ",nan,").replace("\n,", "\nnan,").replace(",\n", ",nan\n")
            text = f"{'nan' if text.startswith(',') else ''}{text}{'nan' if text.endswith(',') else ''}"
            lines = text.split("\n")
        whole = None if len(numeric) == len(self._names) else numeric
        found = np.loadtxt(lines, delimiter=",", comments=None, usecols=whole, ndmin=2)
        if np.isinf(found).any():
            raise ValueError("infinity is no number of a feature")
        return np.ascontiguousarray(found.T)


def _fractional(places: Array, between: Array, many: int) -> Array:
    """How many cells of each column are written with a point or an exponent."""
    marks = np.flatnonzero((places == _DOT) | (places == _SMALL_E) | (places == _LARGE_E))
    cells: Array = np.searchsorted(between, marks)
    if len(cells) > 1:
        cells = cells[np.concatenate([[True], cells[1:] != cells[:-1]])]
    return np.bincount(cells % many, minlength=many)


def _cells(column: Array, fractional: int) -> Cells:
    there = ~np.isnan(column)
    missing = len(column) - int(there.sum())
    numbers = column[there] if missing else column
    return Cells(column, numbers, numbers, len(numbers) - fractional, fractional, missing)
