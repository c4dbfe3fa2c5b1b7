"""What runs, what failed, who changed what."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.dashboards.board import Board, Declared, Table
from mlops.emit.dashboards.panel import IN_TIME, Bucket, Metric, Panel

_ABOUT = """\
What happened to **{0}**: `mlops search put` brings events here, `mlops search query` asks for the same.

A step that failed: `mlops executions show`, `mlops executions logs`.
A promotion that was taken back: `mlops endpoints history`.
"""


def board(declared: Declared) -> Board | None:
    return Board(f"{declared.title}: operations", "What runs, what failed, who changed what.", (*_panels(declared),))


def _panels(declared: Declared) -> Iterator[Panel | Table]:
    yield Panel("About", "markdown", text=_ABOUT.format(declared.title), width=24, height=8)
    controls = [("kind", "Kind"), ("detail.status", "Status"), ("detail.by", "By")]
    if declared.pipelines:
        controls.append(("ids.step", "Step"))
    if declared.endpoints:
        controls.append(("ids.endpoint", "Endpoint"))
    yield Panel("Choose", "controls", controls=tuple(controls), width=24, height=8)
    if declared.pipelines:
        yield from _of_pipelines(declared.own_pipelines)
    if declared.endpoints:
        serving = declared.own_endpoints
        yield Panel(
            "What endpoints do", "bar", f"noun:(endpoint OR shift OR promotion) AND {serving}",
            along=(IN_TIME,), split=(Bucket("What", field="kind"),),
        )  # fmt: skip
        yield Table(
            "Promotions and shifts", f"noun:(shift OR promotion) AND {serving}",
            ("kind", "ids.endpoint", "ids.model-package", "detail.by", "detail.said", "detail.failure"),
        )  # fmt: skip
        gates = f"kind:(promotion.refused OR promotion.overridden) AND {serving}"
        yield Panel(
            "Gates that refused, and that were passed over", "bar", gates,
            along=(Bucket("Gate", field="detail.what"),), split=(Bucket("What", field="happened"),), width=16,
        )  # fmt: skip
        yield Table(
            "Passed over: who and why", f"kind:promotion.overridden AND {serving}",
            ("ids.endpoint", "ids.model-package", "detail.what", "detail.by", "detail.reason"), width=32, height=12,
        )  # fmt: skip
    if declared.alarms:
        yield Panel(
            "Alarms", "line", f"kind:alarm.changed AND detail.to:ALARM AND {declared.of('ids.alarm', declared.alarms)}",
            along=(IN_TIME,), split=(Bucket("Alarm", field="ids.alarm"),),
        )  # fmt: skip
    if declared.streams:
        own = declared.of("ids.stream", declared.streams)
        lost = f"kind:(stream.lost OR stream.dropped OR stream.unwritten) AND {own}"
        yield Panel(
            "What streams could not deliver", "table", lost,
            (Metric("Times"), Metric("Records", "sum", "detail.records")),
            (Bucket("Stream", field="ids.stream"), Bucket("Reason", field="detail.reason")),
        )  # fmt: skip
    yield Panel("What happened", "area", along=(IN_TIME,), split=(Bucket("Of", field="noun"),))
    yield Panel("By kind", "time-series", split=(Bucket("Kind", field="kind", size=8),))
    yield Table(
        "Decisions and refusals",
        "kind:(model-package.approved OR model-package.rejected OR promotion.refused OR promotion.overridden "
        "OR promotion.failed OR shift.taken-back "
        "OR pipeline.updated OR pipeline.deleted OR delivery.failed)",
        ("kind", "about", "detail.by", "detail.status", "detail.reason", "detail.failure"),
    )


def _of_pipelines(own: str) -> Iterator[Panel]:
    ended = f"kind:execution.ended AND {own}"
    yield Panel(
        "Executions", "metric", ended, (Metric("ended"),), split=(Bucket("Status", field="detail.status"),),
        width=16, height=10,
    )  # fmt: skip
    yield Panel(
        "Failed executions", "gauge", f"{ended} AND detail.status:Failed", (Metric("failed"),), ranges=(0, 1, 5, 20),
        width=16, height=10,
    )  # fmt: skip
    yield Panel(
        "Where executions fail", "pie", f"kind:step.ended AND detail.status:Failed AND {own}",
        along=(Bucket("Step", field="ids.step"),), width=16, height=10,
    )  # fmt: skip
    yield Panel(
        "Executions by status", "bar", ended, along=(IN_TIME,), split=(Bucket("Status", field="detail.status"),)
    )
    yield Panel(
        "When steps run", "heatmap", f"kind:step.ended AND {own}",
        along=(Bucket("Hour", "histogram", "hour"),), split=(Bucket("Step", field="ids.step"),),
    )  # fmt: skip
    yield Panel(
        "Failures", "table", f"kind:step.ended AND detail.status:Failed AND {own}",
        (Metric("Times"), Metric("Last attempt", "max", "detail.attempt")),
        (Bucket("Step", field="ids.step"), Bucket("Reason", field="detail.failure")), width=48,
    )  # fmt: skip
