"""What may not be too much together, though each part of it may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import fold
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get

_BYTES = 32 * 1024


@rule(
    "X953",
    "environment-size",
    Severity.ERROR,
    source="botocore's documentation of ContainerDefinition.Environment: keys and values, combined, 32 KB",
)
def environment_size(subject: Subject) -> Iterator[Fault]:
    """The environments of a model's containers are larger together than 32 KB.

    Bad:  40 variables of 1000 characters
    Good: a file beside the model
    """
    for placed, model in subject.of_type("Model"):
        start, size = f"{placed.pointer}/Arguments", 0
        containers = [("/PrimaryContainer", model.get("PrimaryContainer")), *entries(model, "Containers")]
        for at, container in containers:
            values = get(container, "Environment")
            own = _size(subject, values) if isinstance(values, Mapping) else 0
            size += own
            if size > _BYTES >= size - own:
                message = f"{size} bytes in the environment of the model, at most {_BYTES} are allowed"
                help_text = "bring what is long as a file beside the model"
                yield Fault(f"{start}{at}/Environment", message, help_text, placed)


_MOST = 16


@rule(
    "X808",
    "many-variables",
    Severity.WARNING,
    source="botocore's documentation of InferenceComponentContainerSpecification.Environment: up to 16 entries",
)
def many_variables(subject: Subject) -> Iterator[Fault]:
    """The container of an inference component has more than the 16 variables that its Environment supports.

    Bad:  17 variables
    Good: a file beside the model
    """
    for placed, component in subject.of_type("InferenceComponent"):
        holders = [("/Specification", component.get("Specification")), *entries(component, "Specifications")]
        for where, specification in holders:
            values = get(specification, "Container", "Environment")
            if isinstance(values, Mapping) and len(values) > _MOST:
                at = f"{placed.pointer}/Arguments{where}/Container/Environment"
                message = f"{len(values)} variables, {_MOST} are supported"
                yield Fault(at, message, "bring the others as a file beside the model", placed)


def _size(subject: Subject, values: Mapping[str, Value]) -> int:
    """As far as it is known."""
    return sum(len(key.encode()) + len((fold(subject, value) or "").encode()) for key, value in values.items())
