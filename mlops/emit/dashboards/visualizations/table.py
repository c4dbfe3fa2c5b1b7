"""Rows of numbers."""

from __future__ import annotations

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization, aggs


def _draw(panel: Panel) -> Drawn:
    params = {
        "perPage": 10,
        "showPartialRows": False,
        "showMetricsAtAllLevels": False,
        "showTotal": False,
        "totalFunc": "sum",
        "percentageCol": "",
    }
    return Drawn("table", params, aggs(panel, along="bucket", split="bucket"))


VISUALIZATION = Visualization(_draw)
