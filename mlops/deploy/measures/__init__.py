"""What a new version is judged by while traffic goes to it: a file for each measure, found by its ``MEASURE``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from mlops.ir.discovery import modules
from mlops.ir.measure import Measure


@cache
def measures() -> Mapping[str, Measure]:
    """By name."""
    found = (item.load().MEASURE for item in modules(sys.modules[__name__]).values())
    return {measure.name: measure for measure in found}
