"""Steps that wait for what another branch may never do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mlops.check.graph import Edge
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity


def _waits(subject: Subject) -> Iterator[tuple[Placed, Placed, Edge]]:
    """Every written edge into a block, with the step that waits and the step in the block."""
    for placed in subject.placed:
        if subject.by_name.get(placed.step.name) is not placed:
            continue
        for edge in subject.graph.edges.get(placed.step.name, ()):
            upstream = subject.by_name[edge.upstream]
            # An edge that a ForEach took over from its body is reported at the body.
            written = edge.at.startswith(f"{placed.pointer}/") and edge.at != placed.pointer
            if upstream.branches and written and not _in_block(edge.at, placed):
                yield placed, upstream, edge


def _in_block(at: str, placed: Placed) -> bool:
    below = at[len(placed.pointer) :]
    return any(below.startswith(f"/Arguments/{block.member}/") for block in placed.step.blocks)


@rule("G107", "reads-other-branch", Severity.ERROR, source="follows from the graph: only one branch runs")
def reads_other_branch(subject: Subject) -> Iterator[Fault]:
    """A step waits for a step in the other branch of the same Condition.

    Only one of the two branches runs, so the value never exists when it is wanted.

    Bad:  an ElseSteps step reads Steps.Register.ModelPackageArn of an IfSteps step
    Good: compute the value before the Condition, or use it in its own branch
    """
    for placed, upstream, edge in _waits(subject):
        own = dict(placed.branches)
        for container, member in upstream.branches:
            if container in own and own[container] != member:
                message = (
                    f"{edge.upstream!r} is in {member} of {container!r}, this step in {own[container]}: never both"
                )
                yield Fault(edge.at, message, "move one of the two steps", placed)


@rule(
    "G108",
    "waits-for-both-branches",
    Severity.ERROR,
    source="public issue sdk#3565: dependencies are ANDed, the step never starts",
)
def waits_for_both_branches(subject: Subject) -> Iterator[Fault]:
    """A step waits for steps of both branches of one Condition.

    All dependencies must end, but one branch never runs, so the step never starts.

    Bad:  "DependsOn": ["Register", "Retry"]  with one in IfSteps and one in ElseSteps
    Good: repeat the step in both branches
    """
    sides: dict[tuple[str, str], dict[str, Edge]] = defaultdict(dict)
    for placed, upstream, edge in _waits(subject):
        own = dict(placed.branches)
        for container, member in upstream.branches:
            if member == "ForEachBody" or container in own:
                continue
            side = sides[(placed.step.name, container)]
            side.setdefault(member, edge)
            if len(side) == 2 and side[member] is edge:
                names = " and ".join(repr(found.upstream) for found in side.values())
                message = f"waits for {names}, which are in different branches of {container!r}: it never starts"
                yield Fault(edge.at, message, "repeat this step in both branches", placed)


@rule("G109", "waits-for-branch", Severity.WARNING, source="official SDK test_steps_compiler; AWS notebooks do it")
def waits_for_branch(subject: Subject) -> Iterator[Fault]:
    """A step outside of a branch waits for a step inside of it.

    It runs only if that branch is taken; there is no joining again after a Condition.

    Bad:  a top-level step with "DependsOn": ["Register"], Register being in IfSteps
    Good: put the step into the branch too
    """
    for placed, upstream, edge in _waits(subject):
        own = dict(placed.branches)
        for container, member in upstream.branches:
            if container not in own and member != "ForEachBody":
                message = f"this step runs only if {container!r} takes {member}, where {edge.upstream!r} is"
                yield Fault(edge.at, message, f"put it into {member} too if that is meant", placed)
                break


@rule("G110", "reads-foreach-body", Severity.ERROR, source="official SDK 3.27 for_each_step")
def reads_foreach_body(subject: Subject) -> Iterator[Fault]:
    """A step outside of a ForEach waits for a step of its body, which runs once per item and has no single result.

    Bad:  {"Get": "Steps.Fit.OutputParameters['score']"}
    Good: {"Get": "Steps.Regions.IterationOutputs[0].Fit.OutputParameters['score']"}
    """
    for placed, upstream, edge in _waits(subject):
        own = dict(placed.branches)
        for container, member in upstream.branches:
            if container not in own and member == "ForEachBody":
                message = f"{edge.upstream!r} is in the body of ForEach {container!r} and runs once per item"
                help_text = f"read Steps.{container}.IterationOutputs[0].{edge.upstream}.<property>, or Selected"
                yield Fault(edge.at, message, help_text, placed)


@rule("G111", "waits-for-own-content", Severity.ERROR, source="follows from the graph")
def waits_for_own_content(subject: Subject) -> Iterator[Fault]:
    """A Condition or ForEach waits for a step that is inside of it, and that starts only after it; or a step of a
    ForEach's body reads what its own ForEach gives in the end.

    Bad:  a Condition compares Steps.Register.ModelPackageVersion, and Register is in its IfSteps
    Good: compare what a step before the Condition gives
    """
    contents: dict[str, set[str]] = defaultdict(set)
    for placed in subject.placed:
        for container, _ in placed.branches:
            contents[container].add(placed.step.name)
    for placed in subject.placed:
        inside = contents.get(placed.step.name, set())
        if not inside:
            continue
        listed = placed.step.members.get("DependsOn")
        for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
            if isinstance(item, str) and item in inside:
                at = f"{placed.pointer}/DependsOn/{index}"
                yield Fault(at, f"waits for {item!r}, which is inside of it", "remove it", placed)
    for placed in subject.placed:
        listed = placed.step.members.get("DependsOn")
        around = {container for container, member in placed.branches if member == "ForEachBody"}
        for index, item in enumerate(listed if isinstance(listed, tuple) and around else ()):
            name = item.get("Step") if isinstance(item, Mapping) else item
            if name in around:
                at = f"{placed.pointer}/DependsOn/{index}"
                yield Fault(at, f"waits for {name!r}, and is inside of it", "remove it", placed)
    for reading in subject.readings:
        at_step = reading.site.placed
        if at_step is None or reading.path.root != "Steps":
            continue
        if reading.path.name in contents.get(at_step.step.name, ()):
            message = f"reads {reading.path.name!r}, which is inside of {at_step.step.name!r}"
            yield Fault(reading.site.at, message, "read a step that runs before", at_step)
        elif (reading.path.name, "ForEachBody") in at_step.branches:
            message = f"reads the outputs of {reading.path.name!r}, which ends only after this step of its body"
            yield Fault(reading.site.at, message, "read ForEach.CurrentItem, or another step of the body", at_step)
