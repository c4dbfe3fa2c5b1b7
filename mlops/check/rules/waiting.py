"""Things that one step makes and another takes by their name alone."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.graph import exclude_each_other
from mlops.check.rule import Fault, rule
from mlops.check.serving import made
from mlops.check.subject import Subject
from mlops.ir import Placed, Ref, Severity, Value

_MADE = (("Endpoint", "EndpointName"), ("InferenceComponent", "InferenceComponentName"))
_ASKERS = ("Lambda", "Callback")
_TAKEN = (
    ("Endpoint", "EndpointConfigName", "EndpointConfig"),
    ("InferenceComponent", "EndpointName", "Endpoint"),
)


@rule(
    "G113",
    "name-without-waiting",
    Severity.WARNING,
    source="without a reference or DependsOn, steps run at the same time",
)
def name_without_waiting(subject: Subject) -> Iterator[Fault]:
    """An endpoint takes a configuration, or a component an endpoint, that another step of this pipeline makes, by its
    name and without waiting for that step: it is not there yet, or is that of an earlier execution. So it is where a
    function or a queue is told the parameter by which an endpoint is named, and neither waits for the other.

    Bad:  "EndpointConfigName": "churn-1"
    Good: "EndpointConfigName": {"Get": "Steps.Variants.EndpointConfigName"}
    """
    if subject.definition.of_resources:  # a stack's and an upsert's order is not that of steps
        return
    for taker, member, maker in _TAKEN:
        for placed, arguments in subject.of_type(taker):
            value = arguments.get(member)
            path = value.path if isinstance(value, Ref) else None
            found = None if path is not None and path.root == "Steps" else made(subject, value, maker, member)
            around = [name for name, _ in placed.branches]
            if found is None or found.step.name in subject.graph.all_upstream(placed.step.name, *around):
                continue
            message = f"{found.step.name!r} makes it, and this step does not wait for that"
            help_text = f'write {{"Get": "Steps.{found.step.name}.{member}"}}, or add DependsOn'
            yield Fault(f"{placed.pointer}/Arguments/{member}", message, help_text, placed)
    yield from _told(subject)


def _told(subject: Subject) -> Iterator[Fault]:
    for maker, member in _MADE:
        named = [(placed, arguments.get(member)) for placed, arguments in subject.of_type(maker)]
        makers = [(placed, value) for placed, value in named if _is_parameter(value)]
        for asker, arguments in subject.of_type(*_ASKERS) if makers else ():
            before = subject.graph.all_upstream(asker.step.name, *(name for name, _ in asker.branches))
            told = [(key, placed) for placed, name in makers for key, value in arguments.items() if value == name]
            if not told or any(placed.step.name in before or _waits(subject, placed, asker) for _, placed in told):
                continue
            key, made_by = told[0][0], told[0][1].step.name
            message = f"{made_by!r} makes what has this name, and neither step waits for the other"
            help_text = f'write {{"Get": "Steps.{made_by}.{member}"}}, or add DependsOn'
            yield Fault(f"{asker.pointer}/Arguments/{key}/Get", message, help_text, asker)


def _is_parameter(value: Value) -> bool:
    path = value.path if isinstance(value, Ref) else None
    return path is not None and path.root == "Parameters"


def _waits(subject: Subject, waiting: Placed, other: Placed) -> bool:
    """Whether one step comes after another, or never beside it."""
    before = subject.graph.all_upstream(waiting.step.name, *(name for name, _ in waiting.branches))
    return other.step.name in before or exclude_each_other(waiting, other)
