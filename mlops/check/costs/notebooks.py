"""Notebook instances by the month: they run until somebody, or a script of theirs, stops them; their volumes are billed
while they do not run, too."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import Bounds, together, unknown
from mlops.check.notebook_scripts import scripts
from mlops.ir import Placed, Value
from mlops.knowledge.prices import HOURS_OF_A_MONTH, VOLUME

_USE = "notebook"
_SMALLEST = 5
"""GB, of the API: what an instance has where nothing is said."""
_STOPS = re.compile(r"stop[-_]?notebook[-_]?instance", re.IGNORECASE)


def month(asked: Asked, placed: Placed, notebook: Mapping[str, Value]) -> Bounds:
    kind, size = asked.text(notebook.get("InstanceType")), asked.number(notebook.get("VolumeSizeInGB"), _SMALLEST)
    if kind is None or size is None:
        return unknown("its instance type and the size of its volume are known later")
    least = 0 if _may_stop(asked, notebook) else HOURS_OF_A_MONTH
    return together([asked.priced(_USE, VOLUME, size), asked.priced(_USE, kind, least, HOURS_OF_A_MONTH)])


def _may_stop(asked: Asked, notebook: Mapping[str, Value]) -> bool:
    """By a script that is not known it may, too."""
    if notebook.get("LifecycleConfigName") is None:
        return False
    found = [script for _, script in scripts(asked.subject, notebook)]
    return not found or any(_STOPS.search(script) for script in found)
