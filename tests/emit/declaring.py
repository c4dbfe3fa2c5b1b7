"""What boards are drawn of in tests: one of each that a file may declare."""

from __future__ import annotations

from mlops.emit.dashboards.board import Declared
from mlops.emit.dashboards.panel import Bucket, Panel

ALL = Declared("churn", ("churn", "offers"), ("churn",), ("churn-errors",), ("churn",), ("clicks",), ("churn",))
PLACES = "places"
MAP = Panel(
    "Where",
    "coordinate-map",
    along=(Bucket("Place", "geohash_grid", "place"),),
    index=PLACES,
)
"""Events have no place, so it is on no board."""
