"""The graph as an SVG picture: each step below what it waits for, branches in frames."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.drawing.graph import graph_of
from mlops.emit.drawing.svg import written
from mlops.ir import Checked
from mlops.ir.target import Target


def emit(checked: Checked, statuses: Mapping[str, str] | None = None) -> str:
    """``statuses`` are those of an execution's steps, by name. The text carries no script and no reference."""
    return written(graph_of(checked), checked.definition.name or "pipeline", checked.order, statuses)


TARGET = Target("TARGET as a picture: its graph in SVG.", lambda source: emit(source.checked))
