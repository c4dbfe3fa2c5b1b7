"""The graph as an SVG picture: each step below what it waits for, branches in frames."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.drawing.collapse import collapsed
from mlops.emit.drawing.graph import graph_of
from mlops.emit.drawing.states import together
from mlops.emit.drawing.svg import written
from mlops.ir import Checked
from mlops.ir.target import Target


def emit(checked: Checked, statuses: Mapping[str, str] | None = None, *, whole: bool = False) -> str:
    """``statuses`` are those of an execution's steps, by name. ``whole``: each step is a box, however many there are.
    The text carries no script and no reference."""
    graph = graph_of(checked)
    shown = graph if whole else collapsed(graph)
    statuses = None if statuses is None else _of_definition(checked, statuses)
    return written(shown, checked.definition.name or "pipeline", checked.order, statuses)


def _of_definition(checked: Checked, statuses: Mapping[str, str]) -> Mapping[str, str]:
    """By the steps of the definition: of what a ForEach repeats, each time is a step of the execution, named by its
    number."""
    found = {}
    names = {item.step.name: bool(item.branches) for item in checked.definition.placed()}
    times: dict[str, list[str]] = {}
    for name, status in statuses.items():
        body, _, number = name.rpartition("-")
        if number.isdigit() and names.get(body) and name not in names:
            times.setdefault(body, []).append(status)
    for name in names:
        told = statuses.get(name) or together(times.get(name, ()))
        if told is not None:
            found[name] = told
    return found


TARGET = Target("TARGET as a picture: its graph in SVG.", lambda source: emit(source.checked))
