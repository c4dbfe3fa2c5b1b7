"""What steps and endpoints print, where their lines are put beside the events."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.dashboards.board import Board, Declared, Table
from mlops.emit.dashboards.panel import IN_TIME, Bucket, Metric, Panel
from mlops.ir.log_fields import LINES


def board(declared: Declared) -> Board | None:
    own = declared.own_lines
    if own is None:
        return None
    return Board(f"{declared.title}: log lines", "What steps and endpoints print.", (*_panels(declared, own),))


def _panels(declared: Declared, own: str) -> Iterator[Panel | Table]:
    grave = f"level:(ERROR OR CRITICAL) AND {own}"
    controls = [("level", "Level"), ("stream", "Stream")]
    columns = ["level"]
    if declared.step_lines:
        controls += [("ids.step", "Step"), ("ids.execution", "Execution")]
        columns += ["ids.step"]
    if declared.endpoint_lines:
        controls += [("ids.endpoint", "Endpoint"), ("ids.variant", "Variant")]
        columns += ["ids.endpoint", "ids.variant"]
    yield Panel("Choose", "controls", controls=tuple(controls), width=48, height=8, index=LINES)
    yield Panel(
        "Lines by level", "area", own, (Metric("Lines"),), (IN_TIME,), (Bucket("Level", field="level"),), index=LINES
    )
    if declared.step_lines:
        yield Panel(
            "Steps that print errors", "pie", grave, (Metric("Lines"),), (Bucket("Step", field="ids.step"),),
            index=LINES,
        )  # fmt: skip
    if declared.endpoint_lines:
        yield Panel(
            "Variants that print errors", "bar", grave, (Metric("Lines"),), (IN_TIME,),
            (Bucket("Variant", field="ids.variant"),), index=LINES,
        )  # fmt: skip
    yield Panel(
        "Errors, by how often", "table", grave, (Metric("Times"),), (Bucket("Line", field="line"),), width=48,
        index=LINES,
    )  # fmt: skip
    yield Table("Errors", grave, (*columns, "line"), index=LINES)
    yield Table("All lines", own, (*columns, "line"), index=LINES)
