"""Forecasts of a metric by a linear model: trend, seasons, and what departs from both. All of it wants numpy."""

from __future__ import annotations

import importlib.util

WITHOUT_NUMPY = "a forecast needs numpy, which is not installed"


def has_numpy() -> bool:
    return importlib.util.find_spec("numpy") is not None
