"""What is known of each column after all chunks: Model Monitor's ``statistics.json``."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import numpy as np

from mlops.monitor.cells import Array, Cells, Chunk
from mlops.monitor.data import Source
from mlops.monitor.distinct import Distinct
from mlops.monitor.fault import Fault
from mlops.monitor.sketch import SHRINKING, SIZE, Sketch, buckets

MOST_CATEGORIES = 120
"""Of a column of texts with more there is no distribution, as in Deequ's profiles."""
FEW_VALUES = 20
"""Numbers that are no more different ones are counted one by one as well."""
_GLANCE = 512


class Beside(Protocol):
    """Whoever wants to see what is read."""

    def add(self, chunk: Chunk) -> None: ...


class Column:
    """One column of a data set, chunk by chunk. ``as_text``: it is known to hold texts, so that all values are."""

    def __init__(self, as_text: bool) -> None:
        self._as_text = as_text
        self.present = self.missing = self.integral = self.fractional = 0
        self._mean = self._squares = self._sum = 0.0
        self.low, self.high = math.inf, -math.inf
        self.sketch = Sketch()
        self.distinct = Distinct()
        self.few: dict[float, int] | None = {}

    def add(self, cells: Cells) -> None:
        if not self.present and cells.others:
            self._as_text = True
        self.missing += cells.missing
        self.integral += cells.integral
        self.fractional += cells.fractional
        if self._as_text:
            self.present += cells.present
            self.distinct.add(cells.texts())
            return
        numbers = cells.numbers
        count, before = len(numbers), self.present
        self.present += cells.present
        if count == 0:
            return
        mean = float(numbers.mean())
        # Chan's update: squares of deviations from a mean that is not known before the end.
        away = mean - self._mean  # whose square may be no number that there is
        with np.errstate(over="ignore"):
            squares = float(((numbers - mean) ** 2).sum())
        self._squares += squares + away * (away * before * count / (before + count))
        self._mean += (mean - self._mean) * count / (before + count)
        self._sum += float(numbers.sum())
        self.low, self.high = min(self.low, float(numbers.min())), max(self.high, float(numbers.max()))
        self.sketch.add(numbers)
        self._count(numbers)

    def _count(self, numbers: Array) -> None:
        if self.few is None:
            return
        if len(np.unique(numbers[:_GLANCE])) > FEW_VALUES:
            self.few = None
            return
        values, counts = np.unique(numbers, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            self.few[value] = self.few.get(value, 0) + count
        if len(self.few) > FEW_VALUES:
            self.few = None

    @property
    def holds_text(self) -> bool:
        return self.present > self.integral + self.fractional

    @property
    def must_be_read_again(self) -> bool:
        """It looked like numbers at first, and those were not kept as texts."""
        return self.holds_text and not self._as_text

    @property
    def inferred_type(self) -> str:
        if self.present == 0:
            return "Unknown"
        if self.holds_text:
            return "String"
        return "Fractional" if self.fractional else "Integral"

    @property
    def mean(self) -> float:
        return self._mean

    def share_of(self, inferred_type: str) -> float:
        """Of what is present, how much is of that type; an integer is a fraction too, and all is text."""
        fitting = {"Integral": self.integral, "Fractional": self.integral + self.fractional}
        return fitting.get(inferred_type, self.present) / self.present if self.present else 1.0

    @property
    def completeness(self) -> float:
        return self.present / (self.present + self.missing)

    def described(self, name: str) -> dict[str, Any]:
        common = {"num_present": self.present, "num_missing": self.missing}
        feature: dict[str, Any] = {"name": name, "inferred_type": self.inferred_type}
        if self.inferred_type in ("Integral", "Fractional"):
            feature["numerical_statistics"] = {
                "common": common,
                "mean": self._mean,
                "sum": self._sum,
                "std_dev": math.sqrt(self._squares / self.present),
                "min": self.low,
                "max": self.high,
                "distribution": {
                    "kll": {
                        "buckets": buckets(self.sketch, self.low, self.high),
                        "sketch": {
                            "parameters": {"c": SHRINKING, "k": float(SIZE)},
                            "data": self.sketch.data(),
                        },
                    }
                },
            }
            return feature
        counts = self.distinct.counts or {}
        categories = counts if len(counts) <= MOST_CATEGORIES else {}
        feature["string_statistics"] = {
            "common": common,
            "distinct_count": float(self.distinct.count),
            "distribution": {
                "categorical": {"buckets": [{"value": text, "count": number} for text, number in categories.items()]}
            },
        }
        return feature


def profile(data: Source, beside: Callable[[], Beside] | None = None) -> Mapping[str, Column]:
    """Read once, and once more where a column turned out to hold texts after it looked like numbers: then ``beside``
    begins anew as well. Raises Fault."""
    columns = _read(data, (), beside)
    texts = {name for name, column in columns.items() if column.holds_text}
    again = any(column.must_be_read_again for column in columns.values())
    return _read(data, texts, beside) if again else columns


def _read(data: Source, texts: Collection[str], beside: Callable[[], Beside] | None) -> Mapping[str, Column]:
    columns: dict[str, Column] = {}
    watching = None if beside is None else beside()
    rows = 0
    for chunk in data.chunks(texts=texts):
        if not chunk:
            continue
        if watching is not None:
            watching.add(chunk)
        size = _size(next(iter(chunk.values())))
        for name, cells in chunk.items():
            if name not in columns:
                columns[name] = Column(name in texts)
                columns[name].missing = rows
            columns[name].add(cells)
        for name in columns.keys() - chunk.keys():
            columns[name].missing += size
        rows += size
    if not rows:
        raise Fault("the data have no rows")
    return columns


def _size(cells: Cells) -> int:
    return cells.present + cells.missing


def statistics(columns: Mapping[str, Column]) -> dict[str, Any]:
    rows = max(column.present + column.missing for column in columns.values())
    return {
        "version": 0.0,
        "dataset": {"item_count": rows},
        "features": [column.described(name) for name, column in columns.items()],
    }
