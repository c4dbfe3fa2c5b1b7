"""Things that one step makes and another takes by their name alone."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.rule import Fault, rule
from mlops.check.serving import made
from mlops.check.subject import Subject
from mlops.ir import Ref, Severity

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
    name and without waiting for that step: it is not there yet, or is that of an earlier execution.

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
