"""What a file declares, by names, for boards over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mlops.emit.dashboards import boards as package
from mlops.emit.dashboards.board import Board, Declared
from mlops.emit.dashboards.saved_objects import index_pattern, of_board
from mlops.ir import Checked, Definition
from mlops.ir.captured_fields import Features
from mlops.ir.discovery import modules
from mlops.ir.event_fields import EVENTS
from mlops.ir.log_fields import Source
from mlops.ir.resource import NAME


def declared_by(
    all_checked: Iterable[Checked], logs: Sequence[Source] = (), captured: Features | None = None
) -> Declared:
    """Of a pipeline, and of what is declared beside it. ``logs`` and ``captured`` are what the environment puts beside
    events."""
    pipelines: list[str] = []
    by_kind: dict[str, list[str]] = {kind: [] for kind in ("Endpoint", "Alarm", "CompositeAlarm", "Monitor", "Stream")}
    groups: set[str] = set()
    for checked in all_checked:
        definition = checked.definition
        is_pipeline = not any(NAME in step.members for step in definition.steps)
        if is_pipeline and definition.name:
            pipelines.append(definition.name)
        groups |= _groups(definition)
        for step in definition.steps:
            if step.type in by_kind and NAME in step.members:
                by_kind[step.type].append(str(step.members[NAME]))
    named = [*pipelines, *by_kind["Endpoint"], *by_kind["Monitor"], *by_kind["Stream"], *by_kind["Alarm"]]
    return Declared(
        named[0] if named else "all",
        tuple(pipelines),
        tuple(by_kind["Endpoint"]),
        (*by_kind["Alarm"], *by_kind["CompositeAlarm"]),
        tuple(by_kind["Monitor"]),
        tuple(by_kind["Stream"]),
        tuple(sorted(groups)),
        tuple(logs),
        captured or {},
    )


def boards(declared: Declared) -> tuple[Board, ...]:
    made = (found.load().board(declared) for found in modules(package).values())
    return tuple(board for board in made if board is not None)


def ndjson(declared: Declared) -> str:
    """All saved objects, each behind what it refers to."""
    drawn = boards(declared)
    known = {panel.index.name: panel.index for board in drawn for panel in board.panels}
    patterns = {EVENTS.name: EVENTS, **known}
    objects = [*map(index_pattern, patterns.values()), *(item for board in drawn for item in of_board(board))]
    return "".join(item.line for item in objects)


def _groups(definition: Definition) -> set[str]:
    """Those that steps register versions in, where they are named plainly."""
    found: set[str] = set()
    for placed in definition.placed():
        arguments = placed.step.arguments
        group = arguments.get("ModelPackageGroupName") if isinstance(arguments, Mapping) else None
        if isinstance(group, str):
            found.add(group)
    return found
