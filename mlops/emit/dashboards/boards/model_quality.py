"""What monitors, rules and verdicts say of models, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.dashboards.board import Board, Declared, Table
from mlops.emit.dashboards.panel import IN_TIME, Bucket, Metric, Panel


def board(declared: Declared) -> Board | None:
    panels = (*_panels(declared),)
    if not panels:
        return None
    return Board(f"{declared.title}: model quality", "What monitors, rules and verdicts say of models.", panels)


def _panels(declared: Declared) -> Iterator[Panel | Table]:
    if declared.groups:
        of = declared.of("ids.model-package-group", declared.groups)
        yield Panel(
            "Versions", "pie", f"noun:model-package AND {of}", along=(Bucket("What became of them", field="happened"),)
        )
        yield Table(
            "Approvals", f"kind:(model-package.approved OR model-package.rejected) AND {of}",
            ("kind", "ids.model-package", "detail.by", "detail.before", "detail.reason"), width=24, height=12,
        )  # fmt: skip
    if declared.monitors:
        of = declared.of("ids.monitor", declared.monitors)
        violated = f"kind:monitor.violated AND {of}"
        yield Panel(
            "Violations", "line", f"kind:monitor.ended AND {of}", (Metric("Violations", "sum", "detail.violations"),),
            (IN_TIME,), (Bucket("Monitor", field="ids.monitor"),),
        )  # fmt: skip
        yield Panel("Features that violate", "tag-cloud", violated, along=(Bucket("Feature", field="detail.feature"),))
        yield Panel(
            "What is violated when", "heatmap", violated,
            along=(IN_TIME,), split=(Bucket("Feature", field="detail.feature"),),
        )  # fmt: skip
        yield Panel(
            "Violations by check", "table", violated, (Metric("Times"), Metric("Jobs", "cardinality", "ids.job")),
            (Bucket("Kind", field="detail.kind"), Bucket("Feature", field="detail.feature")),
        )  # fmt: skip
    if declared.endpoints:
        own = declared.own_endpoints
        yield Panel(
            "Shifts of traffic", "metric", f"kind:(shift.ended OR shift.taken-back) AND {own}", (Metric("shifts"),),
            split=(Bucket("Outcome", field="kind"),), height=10,
        )  # fmt: skip
        yield Panel(
            "Taken back", "gauge", f"kind:shift.taken-back AND {own}", (Metric("taken back"),), ranges=(0, 1, 3, 10),
            height=10,
        )  # fmt: skip
        yield Table("Verdicts", f"kind:shift.verdict AND {own}", ("ids.endpoint", "ids.model-package", "detail.said"))
    if declared.pipelines:
        yield Panel(
            "What rules found of trainings", "table", "kind:training.rule-found", (Metric("Times"),),
            (Bucket("Rule", field="detail.rule"), Bucket("Finding", field="detail.finding")), width=48,
        )  # fmt: skip
