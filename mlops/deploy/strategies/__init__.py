"""How the traffic of an endpoint goes to a new version: a file for each strategy, found by its ``STRATEGY``, and those
of plug-ins (entry points of ``mlops.strategies``).

Shares are percent of the traffic. Durations are seconds, or a text such as ``"90s"``, ``"10m"``, ``"1h 30m"``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from mlops.ir.discovery import discovered
from mlops.ir.plugins import STRATEGIES
from mlops.ir.strategy import Strategy


def strategies() -> Mapping[str, Strategy]:
    """By name. A plug-in that cannot be loaded is left out; ``mlops doctor`` tells of it."""
    found: dict[str, Strategy] = {}
    for name, item in discovered(sys.modules[__name__], STRATEGIES).items():
        value = item.load().STRATEGY if item.module is not None else item.plugin and item.plugin.value
        if isinstance(value, Strategy):
            found[name] = value
    return found
