"""Private rules."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity


@rule("ACME1", "shouting-step", Severity.WARNING, source="our wiki, page 7")
def shouting_step(subject: Subject) -> Iterator[Fault]:
    """A step's name is in capitals only, which the dashboard takes for an alarm.

    Bad:  "Name": "TRAIN"
    Good: "Name": "Train"
    """
    for placed in subject.placed:
        if placed.step.name.isupper():
            yield Fault(f"{placed.pointer}/Name", f"{placed.step.name} is in capitals", "write it small", placed)
