"""What takes the time that is paid for: seconds of steps. What an instance costs is not known here."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.dashboards.board import Board, Declared
from mlops.emit.dashboards.panel import IN_TIME, Bucket, Metric, Panel

_SECONDS = Metric("Seconds", "sum", "detail.seconds")
_AVERAGE, _MOST = Metric("Average", "avg", "detail.seconds"), Metric("Most", "max", "detail.seconds")


def board(declared: Declared) -> Board | None:
    if not declared.pipelines:
        return None
    return Board(f"{declared.title}: cost", "Seconds of steps, and what the cache saved.", (*_panels(declared),))


def _panels(declared: Declared) -> Iterator[Panel]:
    steps = f"kind:step.ended AND {declared.own_pipelines}"
    ran = f"{steps} AND NOT _exists_:detail.cached"
    yield Panel("Seconds in all", "metric", ran, (_SECONDS, Metric("steps")), width=16, height=10)
    yield Panel("Served by the cache", "metric", f"{steps} AND _exists_:detail.cached", width=16, height=10)
    yield Panel(
        "Seconds that failed", "gauge", f"{ran} AND detail.status:Failed", (_SECONDS,), ranges=(0, 600, 3600, 86400),
        width=16, height=10,
    )  # fmt: skip
    yield Panel("Seconds in time", "area", ran, (_SECONDS,), (IN_TIME,), (Bucket("Step", field="ids.step"),), width=48)
    yield Panel("Seconds by kind of work", "pie", ran, (_SECONDS,), (Bucket("Kind", field="detail.kind"),))
    yield Panel("Seconds by step", "vega", ran, (_SECONDS,), (Bucket("Step", field="ids.step", size=20),))
    yield Panel(
        "Steps", "table", ran,
        (_SECONDS, Metric("Times"), _AVERAGE, _MOST), (Bucket("Step", field="ids.step", size=50),), width=48,
    )  # fmt: skip
    yield Panel(
        "Attempts", "line", ran, (Metric("Most attempts", "max", "detail.attempt"),), (IN_TIME,),
        (Bucket("Step", field="ids.step"),),
    )  # fmt: skip
    yield Panel(
        "Seconds of executions",
        "time-series",
        ran,
        (_SECONDS,),
        split=(Bucket("Execution", field="ids.execution", size=5),),
    )
