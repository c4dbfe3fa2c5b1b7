"""Tumours as two scanners see them: a real data set, and the same tumours measured by another one.

The data are scikit-learn's copy of the Wisconsin breast cancer set, the means of ten features. The new scanner tells
lengths in another unit: radius and perimeter are 1.3 times, areas 1.69 times what the old one told. Nothing else is
made up.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from importlib.resources import files

FEATURES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
)
LABEL = "benign"
_LENGTHS, _AREA = (0, 2), 3
"""Radius and perimeter."""


@dataclass(frozen=True, slots=True)
class Patient:
    """``label`` is 1 for a benign tumour."""

    values: tuple[float, ...]
    label: int

    @property
    def line(self) -> str:
        return ",".join(f"{value:.6g}" for value in self.values)


def patients(seed: int = 7) -> list[Patient]:
    """All 569, in an order of their own."""
    text = files("sklearn.datasets.data").joinpath("breast_cancer.csv").read_text()
    rows = list(csv.reader(text.splitlines()))[1:]
    found = [Patient(tuple(map(float, row[: len(FEATURES)])), int(row[-1])) for row in rows]
    random.Random(seed).shuffle(found)  # noqa: S311 - the same order each time
    return found


def measured(patient: Patient, unit: float) -> Patient:
    """By a scanner that tells lengths in another unit."""
    values = list(patient.values)
    for place in _LENGTHS:
        values[place] *= unit
    values[_AREA] *= unit**2
    return Patient(tuple(values), patient.label)
