"""Shares of a whole, as a ring."""

from __future__ import annotations

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization, aggs


def _draw(panel: Panel) -> Drawn:
    params = {
        "type": "pie",
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "isDonut": True,
        "labels": {"show": True, "values": True, "last_level": True, "truncate": 100},
    }
    return Drawn("pie", params, aggs(panel, split="segment"))


VISUALIZATION = Visualization(_draw)
