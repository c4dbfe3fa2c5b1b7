"""ForEach: its body once for each item, as steps of their own, named by the body's step and the number of the item.

What the service does where one iteration fails is not documented: here the others run on, and the loop has failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from mlops.ir import Checked, Join, JsonGet, Placed, Ref, Step, Unknown, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.values import Expression, Key, RefPath, from_json, transform
from mlops.run.outcome import Outcome, StepFailed
from mlops.run.resolve import Context, resolve
from mlops.run.schedule import State, let_through
from mlops.run.work import Work, now

BODY = "ForEachBody"
MOST_ITEMS = 100  # official SDK: for_each_step


@dataclass(frozen=True, slots=True)
class Selector:
    """``step`` is one of the body, ``behind`` the path of what it yields, with its dot."""

    largest: bool
    step: str
    behind: str


@dataclass(slots=True)
class Loop:
    """A task that runs nothing itself. ``steps`` are those of all iterations by name, ``edges`` what each waits for.
    ``states`` are the run's, and change while it goes on."""

    work: Work
    body: tuple[str, ...]
    items: Sequence[Any]
    concurrency: int
    steps: Mapping[str, Step]
    edges: Mapping[str, frozenset[str]]
    selector: Selector | None
    states: Mapping[str, State] = field(default_factory=dict)
    stopping: bool = False

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {"ForEach": self._counts("Executing")}

    def unrolled(self, checked: Checked) -> Checked:
        """With the steps of all iterations behind those that are there."""
        definition = replace(checked.definition, steps=(*checked.definition.steps, *self.steps.values()))
        edges, order = {**checked.edges, **self.edges}, (*checked.order, *self.steps)
        return replace(checked, definition=definition, edges=edges, order=order)

    def placed(self) -> Mapping[str, Placed]:
        return {name: Placed(step, "") for name, step in self.steps.items()}

    def iterations_of(self, step: str) -> tuple[str, ...]:
        """What a step of the body is called in each."""
        return tuple(_named(step, number) for number in range(len(self.items)))

    def held(self) -> frozenset[str]:
        """Steps of the iterations that have to wait, since as many as may be are under way."""
        iterations = [[_named(step, number) for step in self.body] for number in range(len(self.items))]
        waiting = [steps for steps in iterations if not self._is_under_way(steps)]
        if len(iterations) - len(waiting) < self.concurrency:
            return frozenset()
        return frozenset(name for steps in waiting for name in steps)

    def poll(self) -> Outcome | None:
        """Over when nothing of it runs and nothing more can begin."""
        told = [self.states.get(name) for name in self.steps]
        if "Running" in told or (not self.stopping and any(map(self._may_begin, self.steps))):
            return None
        if self.stopping or "Stopped" in told:
            return Outcome("Stopped", None, {"ForEach": self._counts("Stopped")})
        if any(state != "Succeeded" for state in told):
            failed = [name for name in self.steps if self.states.get(name) == "Failed"]
            return Outcome("Failed", f"{', '.join(failed)} failed", {"ForEach": self._counts("Failed")})
        return self._succeeded()

    def stop(self) -> None:
        self.stopping = True

    def kill(self) -> None:
        return None

    def _succeeded(self) -> Outcome:
        counts, selector = self._counts("Succeeded"), self.selector
        outputs = [
            {name: self.work.earlier.get(_named(name, number), {}) for name in self.body}
            for number in range(len(self.items))
        ]
        response: dict[str, Any] = {**counts, "IterationOutputs": outputs}
        if selector is not None:
            chosen = self._chosen(selector)
            response["Selected"] = outputs[chosen][selector.step]
            counts["Selector"] = {"StepName": selector.step, "Index": chosen}
        return Outcome("Succeeded", None, {"ForEach": counts}, response)

    def _chosen(self, selector: Selector) -> int:
        """The first of the best."""
        work = self.work
        context = Context(self.unrolled(work.checked), work.execution, work.ports.objects, work.earlier, now())
        values = [
            resolve(Ref(f"Steps.{_named(selector.step, number)}{selector.behind}"), context)
            for number in range(len(self.items))
        ]
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise StepFailed(f"the Selector compares numbers, and {selector.step} yields {json.dumps(value):.100}")
        return values.index(max(values) if selector.largest else min(values))

    def _counts(self, status: str) -> dict[str, Any]:
        states = [self.states.get(name) for name in self.steps]
        return {
            "Status": status,
            "InputItemCount": len(self.items),
            "TotalStepCount": len(self.steps),
            "SucceededStepCount": states.count("Succeeded"),
            "FailedStepCount": states.count("Failed"),
            "StoppedStepCount": states.count("Stopped"),
        }

    def _is_under_way(self, steps: Sequence[str]) -> bool:
        """The iteration with these has begun, and not come to its end."""
        return any(step in self.states for step in steps) and any(
            self.states.get(step) == "Running" or self._may_begin(step) for step in steps
        )

    def _may_begin(self, name: str) -> bool:
        """It has not begun, and what it waits for may still end as it wants."""
        return name not in self.states and all(
            self.states.get(before) == "Running"
            or self._may_begin(before)
            or let_through(self.steps[name], before, self.states)
            for before in self.edges[name]
            if before in self.steps
        )


def open_loop(work: Work) -> Loop:
    """Raises :class:`StepFailed`."""
    step, checked = work.step, work.checked
    body = next((block.steps for block in step.blocks if block.member == BODY), ())
    names = tuple(inner.name for inner in body)
    items = _items(work.request.get("IterableItems"))
    steps: dict[str, Step] = {}
    edges: dict[str, frozenset[str]] = {}
    for number, item in enumerate(items):
        for inner in body:
            made = _iterated(inner, names, number, item)
            steps[made.name] = made
            edges[made.name] = frozenset(
                _named(before, number) if before in names else before
                for before in checked.edges.get(inner.name, ())
                if before != step.name
            )
    taken = sorted({placed.step.name for placed in checked.definition.placed()} & {*steps})
    if taken:
        raise StepFailed(f"an iteration would be named {', '.join(taken)}, as another step of the pipeline is")
    most = work.request.get("MaxConcurrency")
    concurrency = most if isinstance(most, int) and most > 0 else 1
    return Loop(work, names, items, concurrency, steps, edges, _selector(step, names))


def _selector(step: Step, body: Sequence[str]) -> Selector | None:
    written = step.arguments.get("Selector") if isinstance(step.arguments, Mapping) else None
    if not isinstance(written, Mapping):
        return None
    read = written.get("Field")
    path = read.path if isinstance(read, Ref) else None
    if not isinstance(read, Ref) or path is None or path.root != "IterationOutput" or path.name not in body:
        raise StepFailed("the Selector's Field has to read a step of the body: IterationOutput.<step>.<path>")
    behind = read.expression.removeprefix(f"IterationOutput.{path.name}")
    return Selector(written.get("Pick") != "MinBy", path.name, behind)


def _items(listed: Any) -> Sequence[Any]:
    if isinstance(listed, str):
        try:
            listed = json.loads(listed)
        except ValueError as error:
            raise StepFailed(f"IterableItems is no list in JSON: {error}") from None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_ITEMS:
        found = f"{len(listed)} items" if isinstance(listed, list) else json.dumps(listed)[:100]
        raise StepFailed(f"IterableItems has to be a list of 1 to {MOST_ITEMS} items; it is {found}")
    return listed


def _iterated(inner: Step, body: Sequence[str], number: int, item: Any) -> Step:
    """A step of the body as that iteration has it."""

    def change(expression: Expression) -> Value:
        match expression:
            case Join():
                return replace(expression, values=tuple(transform(value, change) for value in expression.values))
            case JsonGet():
                return replace(
                    expression,
                    property_file=transform(expression.property_file, change),
                    path=transform(expression.path, change),
                    s3_uri=transform(expression.s3_uri, change),
                )
            case Unknown():
                return expression
        path = expression.path
        if path is not None and (path.root, path.name) == ("ForEach", "CurrentItem"):
            return from_json(_member(item, path, expression.expression))
        if path is not None and path.root == "Steps" and path.name in body:
            behind = expression.expression.removeprefix(f"Steps.{path.name}")
            return Ref(f"Steps.{_named(path.name, number)}{behind}")
        return expression

    members = {name: transform(value, change) for name, value in inner.members.items()}
    if isinstance(listed := members.get("DependsOn"), tuple):
        members["DependsOn"] = tuple(_renamed(entry, body, number) for entry in listed)
    return replace(
        inner, name=_named(inner.name, number), arguments=transform(inner.arguments, change), members=members
    )


def _renamed(entry: Value, body: Sequence[str], number: int) -> Value:
    match entry:
        case str() if entry in body:
            return _named(entry, number)
        case Mapping() if entry.get("Step") in body:
            return {**entry, "Step": _named(str(entry["Step"]), number)}
    return entry


def _member(item: Any, path: RefPath, expression: str) -> Any:
    """An item that is an object travels as JSON text."""
    here = item
    if path.segments and isinstance(here, str):
        try:
            here = json.loads(here)
        except ValueError:
            raise StepFailed(f"{expression}: the item {item[:100]!r} is no object in JSON") from None
    for segment in path.segments:
        found: Any = None
        match segment:
            case int() if isinstance(here, list) and segment < len(here):
                found = here[segment]
            case Key(text=key) | str(key) if isinstance(here, Mapping):
                found = here.get(key)
        if found is None:
            raise StepFailed(f"{expression}: the item has no such member; it is {json.dumps(item)[:200]}")
        here = found
    return here


def _named(step: str, number: int) -> str:
    return f"{step}-{number}"
