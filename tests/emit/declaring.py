"""What boards are drawn of in tests: one of each that a file may declare."""

from __future__ import annotations

from mlops.emit.dashboards.board import Declared
from mlops.ir.captured_fields import Features

CAPTURED: Features = {"churn": {"place": "geo_point", "age": "double", "plan": "keyword"}}
ALL = Declared(
    "churn",
    ("churn", "offers"),
    ("churn",),
    ("churn-errors",),
    ("churn",),
    ("clicks",),
    ("churn",),
    ("steps", "endpoints"),
    CAPTURED,
)
