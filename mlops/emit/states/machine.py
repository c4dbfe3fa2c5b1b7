"""The whole pipeline as one machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.emit.states.arranging import Series, Together, Tree, Waits, arranged
from mlops.emit.states.failures import caught
from mlops.emit.states.jsonata import DATA, TYPES, Unspelled, braces, literal, merged, name, obj
from mlops.emit.states.retained import retained
from mlops.emit.states.scopes import FAILED, Scope, in_order
from mlops.emit.states.work import Path, Shared, Work
from mlops.emit.states.writers import write_step
from mlops.ir import Checked, Parameter, Step, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.definition import Placed

LARGEST_BYTES = 1024 * 1024
"""Of a definition (guide: Step Functions service quotas)."""
_LONGEST_NAME = 80
BEGIN, RIGHT, WRONG, DONE = "Begin", "Is the input right", "Wrong input", "Succeeded"


@dataclass(frozen=True, slots=True)
class Written:
    """``notes`` are clauses about what the machine does otherwise than the service."""

    machine: Mapping[str, Any]
    notes: tuple[str, ...]


def written(checked: Checked, partition: str) -> Written:
    """Raises UsageError with everything that a machine cannot do."""
    return _Machine(checked, partition).written()


class _Machine:
    def __init__(self, checked: Checked, partition: str) -> None:
        self._checked = checked
        self._definition = checked.definition
        self._placed: dict[str, Placed] = {item.step.name: item for item in self._definition.placed()}
        self._problems: list[str] = []
        self._waits: Waits = []
        self._triggers = {placed: dict(_triggers(item.step)) for placed, item in self._placed.items()}
        handled = {
            before
            for triggers in self._triggers.values()
            for before, trigger in triggers.items()
            if trigger in ("Failed", "Any")
        }
        self._shared = Shared(
            checked, partition, frozenset(handled), retained(self._definition), self._placed, graph=self, notes=[]
        )
        self._guards = self._guarded(handled)
        self._names: set[str] = set()

    def written(self) -> Written:
        top = Scope({}, DONE)
        first = self.block((), DONE, top)
        top.states[DONE] = {"Type": "Succeed", "Output": _ended(self._shared.handled)}
        top.states[BEGIN] = {"Type": "Pass", "Output": self._begun(), "Next": RIGHT}
        top.states[RIGHT] = {
            "Type": "Choice",
            "Choices": [{"Condition": braces(self._is_right()), "Next": first}],
            "Default": WRONG,
        }
        top.states[WRONG] = {"Type": "Fail", "Error": "WrongInput", "Cause": self._wanted()}
        top.states[FAILED] = {
            "Type": "Fail",
            "Error": "StepFailed",
            "Cause": braces(f"$string({DATA}.Failed)"),
        }
        machine = {
            "Comment": f"{self._definition.name or 'pipeline'}: written by mlops emit states",
            "QueryLanguage": "JSONata",
            "StartAt": BEGIN,
            "States": in_order(BEGIN, top.states),
        }
        if self._problems:
            told = "\n  ".join(dict.fromkeys(self._problems))
            raise UsageError(
                f"{self._definition.name or 'the pipeline'} cannot be a state machine:\n  {told}",
                hint="leave these steps to SageMaker Pipelines, or replace them as is said",
            )
        return Written(machine, tuple(self._notes()))

    # The graph.

    def block(self, path: Path, then: str, scope: Scope) -> str:
        """The steps of the pipeline, of a branch or of a loop; the state in which they begin."""
        names = [name for name, item in self._placed.items() if item.branches == path]
        if not names:
            return then
        before = self._lifted(names, path)
        ordered = _ordered(names, before)
        if ordered is None:
            self._problems.append(
                f"{', '.join(names)}: a step outside of a branch waits for one inside, and another inside for that one"
            )
            return then
        return self._tree(arranged(ordered, before, self._waits), then, scope)

    def _lifted(self, names: Sequence[str], path: Path) -> dict[str, frozenset[str]]:
        """What each waits for among those beside it: what is inside of a step counts as the step's."""
        depth = len(path)

        def owner(step: str) -> str | None:
            branches = self._placed[step].branches
            if branches[:depth] != path:
                return None
            return branches[depth][0] if len(branches) > depth else step

        found: dict[str, set[str]] = {item: set() for item in names}
        for step in self._placed:
            mine = owner(step)
            if mine is None:
                continue
            for other in self._checked.edges.get(step, ()):
                theirs = owner(other) if other in self._placed else None
                if theirs is not None and theirs != mine:
                    found[mine].add(theirs)
        return {item: frozenset(others) for item, others in found.items()}

    def _tree(self, tree: Tree, then: str, scope: Scope) -> str:
        match tree:
            case Series():
                for part in reversed(tree.parts):
                    then = self._tree(part, then, scope)
                return then
            case Together():
                return self._together(tree, then, scope)
        return self._step(tree, then, scope)

    def _together(self, tree: Together, then: str, scope: Scope) -> str:
        label = self.fresh(f"Together: {', '.join(_named(tree))}")
        branches = []
        for part in tree.parts:
            inner = Scope({}, self.fresh(f"End of {', '.join(_named(part))}"), inner=True)
            first = self._tree(part, inner.end, inner)
            inner.states[inner.end] = {"Type": "Succeed"}
            branches.append({"StartAt": first, "States": in_order(first, inner.states)})
        gathered = {member: f"$merge($states.result.{member})" for member in ("Steps", "Files", "Handled", "Failed")}
        after = self.all_well(label, then, scope)
        scope.states[label] = {
            "Type": "Parallel",
            "Branches": branches,
            "Output": braces(merged(obj(gathered))),
            **caught(label, scope),
            "Next": after,
        }
        return label

    def all_well(self, label: str, then: str, scope: Scope) -> str:
        """Those that ran beside a failed one have ended as they would; then the failure goes on."""
        asked = self.fresh(f"{label}: all well")
        scope.states[asked] = {
            "Type": "Choice",
            "Choices": [{"Condition": braces(f"$exists({DATA}.Failed)"), "Next": scope.failed}],
            "Default": then,
        }
        return asked

    def _step(self, step_name: str, then: str, scope: Scope) -> str:
        item = self._placed[step_name]
        try:
            if not 1 <= len(step_name) <= _LONGEST_NAME:
                raise Unspelled(f"a state has a name of 1 to {_LONGEST_NAME} characters")
            first = write_step(Work(item.step, then, scope, self._shared))
        except Unspelled as why:
            at = f" (line {item.step.where.line})" if item.step.where.line is not None else ""
            self._problems.append(f"{step_name}{at}, {item.step.type}: {why}")
            return then
        guard = self._guards.get(step_name)
        if not guard:
            return first
        asked = self.fresh(f"{step_name}: may run")
        scope.states[asked] = {
            "Type": "Choice",
            "Choices": [{"Condition": braces(" and ".join(guard)), "Next": first}],
            "Default": then,
        }
        return asked

    def _guarded(self, handled: set[str]) -> Mapping[str, Sequence[str]]:
        """By step the conditions under which it runs, where what it waits for may not have run."""
        found: dict[str, list[str]] = {}
        skipped = set[str]()
        for step in self._checked.order:
            mine = self._placed[step].branches
            asked = list[str]()
            for other in sorted(self._checked.edges.get(step, ()), key=self._checked.order.index):
                theirs = self._placed[other].branches
                trigger = self._triggers[step].get(other, "Completed")
                there = f"$exists({DATA}.Steps.{name(other)})"
                failed = f"$exists({DATA}.Handled.{name(other)})"
                if trigger == "Stopped":
                    self._problems.append(
                        f"{step}: it waits for {other} to be stopped, and a machine hears of a stopped job as of a "
                        "failed one; wait for Failed"
                    )
                elif trigger == "Failed":
                    asked.append(failed)
                elif trigger == "Any":
                    asked.append(f"({there} or {failed})")
                elif other in handled or other in skipped or mine[: len(theirs)] != theirs:
                    asked.append(there)
            if asked:
                found[step] = asked
                skipped.add(step)
        return found

    # What begins it.

    def _begun(self) -> Mapping[str, Any]:
        defaults = {
            parameter.name: self._shared.plain(parameter.default)
            for parameter in self._definition.parameters
            if parameter.has_default
        }
        return {
            "Parameters": braces(merged(DATA, base=obj(defaults))),
            # As long as a pipeline's own, and one for an execution: names of jobs have to be new.
            "Execution": {"Id": braces("$substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 12)")},
            "Steps": {},
            "Files": {},
        }

    def _is_right(self) -> str:
        known = obj({parameter.name: "null" for parameter in self._definition.parameters})
        at = f"{DATA}.Parameters"
        asked = [f"$count($keys($merge([{known}, {at}]))) = {len(self._definition.parameters)}"]
        for parameter in self._definition.parameters:
            value = f"{at}.{name(parameter.name)}"
            asked.append(f"$type({value}) = {literal(TYPES.get(parameter.type, 'string'))}")
            if parameter.type == "Integer":
                asked.append(f"$floor({value}) = {value}")
            chosen = parameter.members.get("EnumValues")
            if isinstance(chosen, tuple):
                asked.append(f"{value} in [{', '.join(self._shared.plain(item) for item in chosen)}]")
        return " and ".join(asked)

    def _wanted(self) -> str:
        if not self._definition.parameters:
            return "The machine has no parameters: give {} as its input"
        return f"The input is an object of these parameters: {', '.join(map(_told, self._definition.parameters))}"

    # What is told of it.

    def _notes(self) -> Iterator[str]:
        for step, others in self._waits:
            yield f"{step} also waits for {', '.join(others)}: a machine has no other order for this graph"
        cached = [item.step.name for item in self._placed.values() if _is_cached(item.step)]
        if cached:
            yield f"a machine has no cache: it runs {', '.join(cached)} each time"
        yield from self._shared.notes

    def fresh(self, wanted: str) -> str:
        """The name of a state, which nothing else of the machine has."""
        cut = wanted if len(wanted) <= _LONGEST_NAME else f"{wanted[: _LONGEST_NAME - 7]}…{_digest(wanted)}"
        while cut in self._names or cut in self._placed:
            cut = f"{cut[: _LONGEST_NAME - 7]} {_digest(cut)}"
        self._names.add(cut)
        return cut


def _triggers(step: Step) -> Iterator[tuple[str, str]]:
    listed = step.members.get("DependsOn")
    for entry in listed if isinstance(listed, tuple) else ():
        if isinstance(entry, Mapping) and isinstance(before := entry.get("Step"), str):
            yield before, str(entry.get("Trigger"))


def _ordered(names: Sequence[str], before: Mapping[str, frozenset[str]]) -> list[str] | None:
    """In an order that fits, else as in the document; None in a circle."""
    found: list[str] = []
    left = list(names)
    while left:
        fitting = next((item for item in left if before[item] <= {*found}), None)
        if fitting is None:
            return None
        found.append(fitting)
        left.remove(fitting)
    return found


def _named(tree: Tree) -> Iterator[str]:
    """What is in it, in few words."""
    match tree:
        case str():
            yield tree
        case Series():
            yield from _named(tree.parts[0])
        case Together():
            for part in tree.parts:
                yield from _named(part)


def _ended(handled: frozenset[str]) -> Mapping[str, Any]:
    either = braces(f"$exists({DATA}.Handled) ? 'CompletedWithFailures' : 'Succeeded'")
    return {"Status": either if handled else "Succeeded", "Steps": braces(f"{DATA}.Steps")}


def _is_cached(step: Step) -> bool:
    config = step.members.get("CacheConfig")
    return isinstance(config, Mapping) and config.get("Enabled") is True


def _told(parameter: Parameter) -> str:
    return f"{parameter.name} ({parameter.type}{'' if parameter.has_default else ', needed'})"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
