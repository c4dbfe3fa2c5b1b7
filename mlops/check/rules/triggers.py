"""Steps that start when another one failed or was stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity


@rule(
    "G112",
    "reads-what-failed",
    Severity.WARNING,
    source="official SDK 3.27 step_dependency: Failed and Stopped give no outputs",
)
def reads_what_failed(subject: Subject) -> Iterator[Fault]:
    """A step starts when another one failed or was stopped, and reads an output of that one, which there is not then.

    Bad:  "DependsOn": [{"Step": "Train", "Trigger": "Failed"}] and {"Get": "Steps.Train.TrainingJobName"}
    Good: the same without reading Train
    """
    waits: dict[str, set[str]] = {}
    for placed in subject.placed:
        listed = placed.step.members.get("DependsOn")
        for item in listed if isinstance(listed, tuple) else ():
            name = item.get("Step") if isinstance(item, Mapping) else None
            if isinstance(item, Mapping) and isinstance(name, str) and item.get("Trigger") in ("Failed", "Stopped"):
                waits.setdefault(placed.pointer, set()).add(name)
    for reading in subject.readings if waits else ():
        placed_ = reading.site.placed
        if placed_ is None or reading.path.root != "Steps" or reading.path.name not in waits.get(placed_.pointer, ()):
            continue
        message = f"{reading.path.name} has failed when this step starts, and has no outputs"
        yield Fault(f"{reading.site.at}/Get", message, "read something else", placed_)
