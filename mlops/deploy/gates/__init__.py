"""What has to be so before a version may serve in an environment: a file for each gate, found by its ``GATE``, and
those of plug-ins (entry points of ``mlops.gates``). They are declared in ``[env.NAME.promote.gates]``."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from mlops.ir.discovery import discovered
from mlops.ir.gate import Gate
from mlops.ir.plugins import GATES


def gates() -> Mapping[str, Gate]:
    """By name. A plug-in that cannot be loaded is left out; ``mlops doctor`` tells of it."""
    found: dict[str, Gate] = {}
    for name, item in discovered(sys.modules[__name__], GATES).items():
        value = item.load().GATE if item.module is not None else item.plugin and item.plugin.value
        if isinstance(value, Gate):
            found[name] = value
    return found
