"""Condition: decides which branch runs; the run loop never starts the other.

What other steps read of it is a truth value, which is ``true`` or ``false`` in a text; its metadata spell it as the
service's enumeration does.
"""

from __future__ import annotations

from mlops.run.conditions import all_hold
from mlops.run.outcome import Done, Outcome, Task
from mlops.run.work import Work


def start(work: Work) -> Task:
    holds = all_hold(work.request.get("Conditions"))
    return Done(Outcome("Succeeded", None, {"Condition": {"Outcome": str(holds)}}, {"Outcome": holds}))
