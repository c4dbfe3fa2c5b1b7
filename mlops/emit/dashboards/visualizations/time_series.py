"""Lines along time by Dashboards' visual builder (TSVB), which names its index by title and asks by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization
from mlops.ir.index import TIME

_COLOURS = ("#54B399", "#6092C0", "#D36086", "#9170B8")


def _draw(panel: Panel) -> Drawn:
    params = {
        "id": "series-panel",
        "type": "timeseries",
        "series": [_series(panel, number) for number in range(len(panel.metrics))],
        "time_field": TIME,
        "index_pattern": panel.index.name,
        "default_index_pattern": panel.index.name,
        "default_timefield": TIME,
        "interval": "auto",
        "axis_position": "left",
        "axis_formatter": "number",
        "axis_scale": "normal",
        "show_legend": 1,
        "show_grid": 1,
        "tooltip_mode": "show_all",
        "isModelInvalid": False,
        "filter": {"query": panel.query, "language": "lucene"},
    }
    return Drawn("metrics", params, searched=False)


def _series(panel: Panel, number: int) -> Mapping[str, Any]:
    metric = panel.metrics[number]
    by: dict[str, Any] = {"split_mode": "everything"}
    if panel.split:
        (split,) = panel.split
        by = {"split_mode": "terms", "terms_field": panel.index.countable(split.field), "terms_size": str(split.size)}
        by["terms_order_by"] = "_count"
    of = {"field": panel.index.countable(metric.field)} if metric.field is not None else {}
    return {
        "id": f"series-{number}",
        "color": _COLOURS[number % len(_COLOURS)],
        **by,
        "split_color_mode": "rainbow",
        "metrics": [{"id": f"metric-{number}", "type": metric.type, **of}],
        "separate_axis": 0,
        "axis_position": "right",
        "formatter": "number",
        "chart_type": "line",
        "line_width": 2,
        "point_size": 1,
        "fill": 0.1,
        "stacked": "none",
        "label": metric.label,
        "type": "timeseries",
    }


def _bodies(panel: Panel) -> tuple[Mapping[str, Any], ...]:
    """As the builder's own server asks: each series split, then along time."""
    found = []
    for number, metric in enumerate(panel.metrics):
        inside = (
            {}
            if metric.type == "count" or metric.field is None
            else {"aggs": {f"metric-{number}": {metric.type: {"field": panel.index.countable(metric.field)}}}}
        )
        along: dict[str, Any] = {"timeseries": {"date_histogram": {"field": TIME, "fixed_interval": "12h"}, **inside}}
        for split in panel.split:
            terms = {"terms": {"field": panel.index.countable(split.field), "size": split.size}}
            along = {f"series-{number}": {**terms, "aggs": along}}
        found.append({"size": 0, "aggs": along})
    return tuple(found)


VISUALIZATION = Visualization(_draw, _bodies)
