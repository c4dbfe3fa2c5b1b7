"""What is to hold together and never does: conditions of one value, and a failure beside what follows a success."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Ref, Severity, Value

_AGAINST = {
    "LessThan": ("GreaterThan", "GreaterThanOrEqualTo"),
    "LessThanOrEqualTo": ("GreaterThan",),
    "GreaterThan": ("LessThan", "LessThanOrEqualTo"),
    "GreaterThanOrEqualTo": ("LessThan",),
}


@rule("C610", "never-both", Severity.WARNING, source="follows from the document: a list of conditions is joined by and")
def never_both(subject: Subject) -> Iterator[Fault]:
    """A condition cannot hold where another one has to: a value is to equal two texts, or is asked inside of a branch
    for the opposite of what leads into it. The first branch never runs.

    Bad:  Stage Equals "prod" and Stage Equals "dev" in one list
    Good: Stage In ["prod", "dev"]
    """
    above: dict[str, list[Mapping[str, Value]]] = {}
    for placed, arguments in subject.of_type("Condition"):
        held = [item for _, item in entries(arguments, "Conditions")]
        above[placed.step.name] = held
    for placed, arguments in subject.of_type("Condition"):
        around = [item for name, member in placed.branches if member == "IfSteps" for item in above.get(name, ())]
        outside = len(around)
        for where, item in entries(arguments, "Conditions"):
            # Of bounds that are numbers in one list C608 speaks.
            bounded = item.get("Type") != "Equals" and isinstance(item.get("RightValue"), int | float)
            against = around[:outside] if bounded else around
            other = next((known for known in against if _excludes(known, item)), None)
            if other is not None:
                message = f"{_value(item)} is {other.get('Type')} {_value(other, 'RightValue')} already, elsewhere"
                yield Fault(f"{placed.pointer}/Arguments{where}", message, "leave one of them out", placed)
            around.append(item)


def _value(item: Mapping[str, Value], side: str = "LeftValue") -> str:
    value = item.get(side)
    if isinstance(value, Ref):
        return value.expression
    return str(value.path) if isinstance(value, JsonGet) else shown(value)


def _excludes(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    left, right, kind, against = (
        one.get("LeftValue"), other.get("LeftValue"), one.get("Type"), other.get("Type"),
    )  # fmt: skip
    if left != right or not isinstance(left, Ref | JsonGet | Join):
        return False
    first, second = one.get("RightValue"), other.get("RightValue")
    if kind == against == "Equals":
        plain = isinstance(first, str | int | float) and isinstance(second, str | int | float)
        return plain and first != second
    return first == second and first is not None and against in _AGAINST.get(str(kind), ())


@rule(
    "G115",
    "after-failure-and-success",
    Severity.WARNING,
    source="official SDK 3.27 step_dependency; follows from the graph",
)
def after_failure_and_success(subject: Subject) -> Iterator[Fault]:
    """A step waits for another one to fail, and for a step that runs only when that one has ended well: it never
    starts.

    Bad:  "DependsOn": [{"Step": "Extract", "Trigger": "Failed"}, "Load"], where Load reads what Extract gives
    Good: "DependsOn": [{"Step": "Extract", "Trigger": "Failed"}]
    """
    for placed in subject.placed:
        listed = placed.step.members.get("DependsOn")
        items = listed if isinstance(listed, tuple) else ()
        failed = {str(item.get("Step")) for item in items if isinstance(item, Mapping) and _fails(item)}
        for index, item in enumerate(items) if failed else ():
            name = item if isinstance(item, str) else None
            found = sorted(failed & _after(subject, name)) if name is not None and name not in failed else []
            if found:
                message = f"{name!r} runs when {found[0]!r} has ended well, and this step when it has failed"
                yield Fault(f"{placed.pointer}/DependsOn/{index}", message, "keep one of them", placed)


def _fails(item: Mapping[str, Value]) -> bool:
    return item.get("Trigger") in ("Failed", "Stopped")


def _after(subject: Subject, name: str) -> frozenset[str]:
    """What a step waits for to end well."""
    found: set[str] = set()
    rest = [name]
    while rest:
        here = rest.pop()
        placed = subject.by_name.get(here)
        listed = placed.step.members.get("DependsOn") if placed is not None else None
        items = listed if isinstance(listed, tuple) else ()
        by_trigger = {str(item.get("Step")) for item in items if isinstance(item, Mapping)}
        new = subject.graph.upstream(here) - by_trigger - found
        found |= new
        rest.extend(new)
    return frozenset(found)
