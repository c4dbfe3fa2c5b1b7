"""Condition: decides which branch runs; the run loop never starts the other."""

from __future__ import annotations

from mlops.run.conditions import all_hold
from mlops.run.outcome import Done, Outcome, Task
from mlops.run.work import Work


def start(work: Work) -> Task:
    outcome = str(all_hold(work.request.get("Conditions")))
    return Done(Outcome("Succeeded", None, {"Condition": {"Outcome": outcome}}, {"Outcome": outcome}))
