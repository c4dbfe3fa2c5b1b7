"""Names that a pipeline gives, which must differ from each other."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.expressions import fold
from mlops.check.graph import exclude_each_other
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity

_NAMES = {
    "EndpointConfig": "EndpointConfigName",
    "Endpoint": "EndpointName",
    "InferenceComponent": "InferenceComponentName",
}


@rule(
    "X973",
    "name-given-twice",
    Severity.ERROR,
    source="'Cannot create already existing endpoint configuration'; SageMaker API",
)
def name_given_twice(subject: Subject) -> Iterator[Fault]:
    """Two steps make a thing of one kind under one name, or the body of a ForEach makes one of the same name for each
    item: the second is refused. Names that are equal by the defaults of parameters are a warning.

    Bad:  two EndpointConfig steps with "EndpointConfigName": "churn"
    Good: "churn-blue" and "churn-green"
    """
    for kind, member in _NAMES.items():
        seen: dict[str, tuple[Placed, bool]] = {}
        for placed, arguments in subject.of_type(kind):
            value = arguments.get(member)
            name, at = fold(subject, value), f"{placed.pointer}/Arguments/{member}"
            if name is None:
                continue
            literal = isinstance(value, str)
            if any(block == "ForEachBody" for _, block in placed.branches):
                message = f"each item makes one named {shown(name)}"
                yield Fault(at, message, "join the name with ForEach.CurrentItem", placed)
            first, was_literal = seen.setdefault(name, (placed, literal))
            if first is not placed and not exclude_each_other(first, placed):
                message = f"{first.step.name} makes one named {shown(name)} already"
                severity = None if literal and was_literal else Severity.WARNING
                yield Fault(at, message, "give it a name of its own", placed, severity=severity)
