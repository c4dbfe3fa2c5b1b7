"""Steps that cannot wait for each other as they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check import graph
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity

_SHOWN_EDGES = 12

_STEP = "name a step of this pipeline"


@rule("G101", "duplicate-step-name", Severity.ERROR, source="AWS docs: step names are unique over the whole pipeline")
def duplicate_step_name(subject: Subject) -> Iterator[Fault]:
    """Two steps have one name.

    A name identifies a step in references, in DependsOn and in every execution, over both branches of every
    Condition and all ForEach bodies.

    Bad:  Steps: [{"Name": "Train", ...}, {"Name": "Train", ...}]
    Good: Steps: [{"Name": "TrainSmall", ...}, {"Name": "TrainLarge", ...}]
    """
    for placed in subject.placed:
        first = subject.by_name.get(placed.step.name)
        if first is not None and first is not placed:
            message = f"a step named {placed.step.name!r} stands at {first.pointer} already"
            yield Fault(placed.pointer, message, "give one of them another name", placed)


@rule("G102", "unknown-dependency", Severity.ERROR, source="service behaviour inferred; the official SDK refuses too")
def unknown_dependency(subject: Subject) -> Iterator[Fault]:
    """DependsOn names a step that does not exist.

    Bad:  "DependsOn": ["Perpare"]
    Good: "DependsOn": ["Prepare"]
    """
    for placed in subject.placed:
        for index, name in graph.depends_on(placed.step):
            if name not in subject.by_name:
                at = f"{placed.pointer}/DependsOn/{index}"
                yield Fault(at, f"there is no step {name!r}", did_you_mean(name, subject.by_name) or _STEP, placed)
        for index, cleaned in enumerate(graph.cleaned(placed.step) if placed.step.type == "Cleanup" else ()):
            if cleaned is not None and cleaned not in subject.by_name:
                at = f"{placed.pointer}/Arguments/Resources/S3/{index}/StepName"
                yield Fault(
                    at, f"there is no step {cleaned!r}", did_you_mean(cleaned, subject.by_name) or _STEP, placed
                )


@rule("G103", "self-dependency", Severity.ERROR, source="follows from the graph")
def self_dependency(subject: Subject) -> Iterator[Fault]:
    """A step waits for itself, by DependsOn or by reading its own output.

    Bad:  {"Name": "Train", "DependsOn": ["Train"]}
    Good: {"Name": "Train", "DependsOn": ["Prepare"]}
    """
    for placed in subject.placed:
        for index, name in graph.depends_on(placed.step):
            if name == placed.step.name:
                yield Fault(f"{placed.pointer}/DependsOn/{index}", "the step waits for itself", "remove it", placed)
    for reading in subject.readings:
        at = reading.site.placed
        if at is not None and reading.path.root == "Steps" and reading.path.name == at.step.name:
            yield Fault(reading.site.at, "the step reads its own output", "read another step's output", at)


@rule("G104", "dependency-cycle", Severity.ERROR, source="AWS docs: a cycle is a validation exception")
def dependency_cycle(subject: Subject) -> Iterator[Fault]:
    """Steps wait for each other in a circle, so none of them can ever start.

    Edges come from DependsOn, from every Steps.X reference and from the Condition around a step; the message names the
    reason of each.

    Bad:  A has "DependsOn": ["B"], and B reads Steps.A.TrainingJobName
    Good: only one of the two waits for the other
    """
    for cycle in graph.cycles(subject.graph):
        path = " -> ".join([*(edge.step for edge in cycle[:_SHOWN_EDGES]), *(("...",) if len(cycle) > 12 else ())])
        reasons = "; ".join(f"{edge.step} waits for {edge.upstream}: {edge.reason}" for edge in cycle[:_SHOWN_EDGES])
        # An edge that somebody wrote, not one from being inside a Condition.
        written = next((edge for edge in cycle if edge.at != subject.by_name[edge.step].pointer), cycle[0])
        placed = subject.by_name[written.step]
        yield Fault(
            written.at,
            f"steps wait for each other: {path} -> {cycle[0].step} ({reasons})",
            "remove one of these dependencies",
            placed,
        )


@rule(
    "G105",
    "undependable-step",
    Severity.ERROR,
    source="public issue sdk#3565; AWS integration test 'CondStep can not depends on FailStep'",
)
def undependable_step(subject: Subject) -> Iterator[Fault]:
    """DependsOn names a step that nothing can wait for: a Fail ends the execution, and a Condition is refused.

    Bad:  "DependsOn": ["CheckAccuracy"]  (a Condition)
    Good: put the step into a branch of the Condition, or read Steps.CheckAccuracy.Outcome
    """
    for placed in subject.placed:
        for index, name in graph.depends_on(placed.step):
            upstream = subject.by_name.get(name)
            step_type = subject.type_of(upstream.step) if upstream else None
            if step_type is not None and not step_type.dependable and name != placed.step.name:
                message = f"nothing can depend on {name!r}, a {step_type.type} step"
                help_text = "put this step into a branch of it" if step_type.blocks else "remove it"
                yield Fault(f"{placed.pointer}/DependsOn/{index}", message, help_text, placed)


@rule("G106", "conflicting-triggers", Severity.ERROR, source="official SDK 3.27 step_dependency")
def conflicting_triggers(subject: Subject) -> Iterator[Fault]:
    """One step waits for another in two ways that cannot both hold, or by a trigger that does not exist.

    Bad:  "DependsOn": ["A", {"Step": "A", "Trigger": "Failed"}]
    Good: "DependsOn": [{"Step": "A", "Trigger": "Any"}]
    """
    for placed in subject.placed:
        listed = placed.step.members.get("DependsOn")
        seen: dict[str, object] = {}
        for index, name in graph.depends_on(placed.step):
            item = listed[index] if isinstance(listed, tuple) else name
            trigger = item.get("Trigger") if isinstance(item, Mapping) else "Completed"
            if seen.setdefault(name, trigger) != trigger:
                message = f"waits for {name!r} by {seen[name]} and by {trigger}"
                yield Fault(f"{placed.pointer}/DependsOn/{index}", message, "keep one of them", placed)
