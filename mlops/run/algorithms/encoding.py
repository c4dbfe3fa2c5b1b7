"""Answers as sagemaker-containers writes them."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np


def as_csv(values: Any) -> str:
    """A row for each, a single number too.

    >>> as_csv([1.5, 2.0])
    '1.5\\n2.0\\n'
    """
    array = np.array(values)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(array.reshape(-1, 1) if array.ndim == 1 else array)
    return stream.getvalue()
