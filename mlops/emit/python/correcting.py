"""What was wrong with a guess, found by comparing what it compiles to with what was wanted.

What an argument said wrongly is dropped, what is missing goes into ``arguments=`` and ``members=``, and a step that
still differs is written in the document's own form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlops.emit.python.plan import CONDITION, OMIT, Plan, needed
from mlops.ir import Definition, Parameter, Step, Value
from mlops.ir.fields import Field, named
from mlops.ir.values import pointer, same


def everything(definition: Definition) -> Iterator[str]:
    for placed in definition.placed():
        yield placed.pointer
    for index in range(len(definition.parameters)):
        yield pointer("Parameters", index)


def avoid(definition: Definition, plan: Plan, places: Sequence[str]) -> None:
    """Write what has a mistake in its own form; everything, where that is not known."""
    steps = {placed.pointer: placed.step for placed in definition.placed()}
    new = set(places) - plan.as_written
    for place in new:
        _fall_back(steps.get(place), place, plan)
    if not new:
        plan.as_written.update(everything(definition))


def _fall_back(step: Step | None, place: str, plan: Plan) -> None:
    """From the type's constructor to that of any type, and from there to the document's own form."""
    plan.arguments.pop(place, None)
    plan.members.pop(place, None)
    plan.dropped = {(other, name) for other, name in plan.dropped if other != place}
    plan.passed[place] += 1
    if step is None or plan.passed[place] >= len(plan.choices(step)):
        plan.as_written.add(place)


def at(places: Sequence[tuple[int, int, str]], line: int) -> Iterator[str]:
    for first, last, place in places:
        if first <= line <= last:
            yield place


def learn(wanted: Definition, got: Definition, plan: Plan) -> bool:
    """Whether there was anything to learn, which means that the two differ."""
    learnt = False
    document = _difference(wanted.members, got.members)
    if wanted.has_parameters != got.has_parameters:
        document["Parameters"] = OMIT
    if document:
        plan.document, learnt = _both(plan.document, document), True
    for index, parameter in enumerate(wanted.parameters):
        if index >= len(got.parameters) or not _same_parameter(parameter, got.parameters[index]):
            plan.as_written.add(pointer("Parameters", index))
            learnt = True
    found = {placed.pointer: placed.step for placed in got.placed()}
    expected = list(wanted.placed())
    for placed in expected:
        step = found.get(placed.pointer)
        if step is None:
            plan.as_written.add(placed.pointer)
            learnt = True
        elif not _same_step(placed.step, step):
            _correct(placed.pointer, placed.step, step, plan)
            learnt = True
    return learnt or len(found) != len(expected) or len(wanted.parameters) != len(got.parameters)


def _same_parameter(wanted: Parameter, got: Parameter) -> bool:
    return (wanted.name, wanted.type, wanted.has_type) == (got.name, got.type, got.has_type) and same(
        wanted.members, got.members
    )


def _same_step(wanted: Step, got: Step) -> bool:
    return (
        (wanted.name, wanted.type, wanted.has_arguments) == (got.name, got.type, got.has_arguments)
        and [block.member for block in wanted.blocks] == [block.member for block in got.blocks]
        and same(wanted.arguments, got.arguments)
        and same(wanted.members, got.members)
    )


def _correct(place: str, wanted: Step, got: Step, plan: Plan) -> None:
    if wanted.type == CONDITION:
        raw = _wrong_conditions(wanted.arguments, got.arguments)
        if raw - plan.raw.get(place, frozenset()):
            plan.raw[place] = plan.raw.get(place, frozenset()) | raw
            return
    if (
        not plan.choices(wanted)
        or not isinstance(wanted.arguments, Mapping)
        or not isinstance(got.arguments, Mapping)
        or [block.member for block in wanted.blocks] != [block.member for block in got.blocks]
    ):
        plan.as_written.add(place)
        return
    constructor = (plan.left(wanted, place) or plan.choices(wanted)[-1:])[0]
    in_arguments = _difference(wanted.arguments, got.arguments)
    in_members = _difference(wanted.members, got.members)
    inner = _inner_differences(wanted.arguments, got.arguments, constructor.inner) if constructor.inner else {}
    if inner and place not in plan.inner:
        plan.inner[place] = inner
        return
    wrong = [
        field.name
        for field in constructor.fields
        if field.name not in needed(constructor)
        and _disagrees(field, in_members if field.path.startswith("/") else in_arguments)
    ]
    new = {(place, name) for name in wrong} - plan.dropped
    if new:
        plan.dropped |= new
    elif (not in_arguments and not in_members) or place in plan.corrected:
        plan.corrected.discard(place)
        _fall_back(wanted, place, plan)
    else:
        plan.arguments[place] = _both(plan.arguments.get(place, {}), in_arguments)
        plan.members[place] = _both(plan.members.get(place, {}), in_members)
        plan.corrected.add(place)


def _wrong_conditions(wanted: Value, got: Value) -> frozenset[int]:
    """Which conditions of a step are not what they should be; all, where their number is not."""
    theirs, ours = (
        arguments.get("Conditions") if isinstance(arguments, Mapping) else None for arguments in (wanted, got)
    )
    if not isinstance(theirs, tuple):
        return frozenset()
    if not isinstance(ours, tuple) or len(ours) != len(theirs):
        return frozenset(range(len(theirs)))
    return frozenset(index for index, pair in enumerate(zip(theirs, ours, strict=True)) if not same(*pair))


def _inner_differences(
    wanted: Mapping[str, Value], got: Mapping[str, Value], inner: tuple[str, str]
) -> dict[tuple[str, str], Mapping[str, object]]:
    """What has to be merged into the items of the step's list, by the member that names them and their names; nothing
    where these are not the same."""
    listed, key = inner
    theirs, ours = (named(arguments.get(listed), key) for arguments in (wanted, got))
    if list(theirs) != list(ours):
        return {}
    differences = {(key, name): _difference(item, ours[name]) for name, item in theirs.items()}
    return {place: difference for place, difference in differences.items() if difference}


def _disagrees(field: Field, difference: Mapping[str, object]) -> bool:
    """The difference lies in, or around, what the argument makes."""
    if not field.owner:
        return False
    found: object = difference
    for part in field.owner.removeprefix("/").split("."):
        if not isinstance(found, Mapping):
            return True
        if part not in found:
            return False
        found = found[part]
    return True


def _difference(wanted: Mapping[str, Value], got: Mapping[str, Value]) -> dict[str, object]:
    """What has to be merged into ``got`` so that it is ``wanted``."""
    changes: dict[str, object] = {}
    for key, value in wanted.items():
        if key not in got:
            changes[key] = value
            continue
        present = got[key]
        if isinstance(value, Mapping) and isinstance(present, Mapping):
            inner = _difference(value, present)
            if inner:
                changes[key] = inner
        elif not same(value, present):
            changes[key] = value
    changes.update((key, OMIT) for key in got if key not in wanted)
    return changes


def _both(earlier: Mapping[str, object], later: Mapping[str, object]) -> dict[str, object]:
    merged = dict(earlier)
    for key, value in later.items():
        present = merged.get(key)
        both = isinstance(present, Mapping) and isinstance(value, Mapping)
        merged[key] = _both(present, value) if both else value  # type: ignore[arg-type]
    return merged
