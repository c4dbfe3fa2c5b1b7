"""A drawing of one's own by Vega-Lite: bars of a number, by a field, which the specification asks for itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization
from mlops.ir.index import TIME


def _body(panel: Panel) -> Mapping[str, Any]:
    (metric,), (by,) = panel.metrics, panel.along
    assert metric.field is not None  # noqa: S101 - a board's own
    inside = {"number": {metric.type: {"field": panel.index.countable(metric.field)}}}
    order = {"number": "desc"}
    terms = {"field": panel.index.countable(by.field), "size": by.size, "order": order}
    return {"size": 0, "aggs": {"by": {"terms": terms, "aggs": inside}}}


def _draw(panel: Panel) -> Drawn:
    (metric,), (by,) = panel.metrics, panel.along
    # A query of one's own takes the board's filters and its time by these marks, and by no others.
    within = {"range": {TIME: {"%timefilter%": True}}}
    must = ["%dashboard_context-must_clause%", within, _said(panel.query)]
    body = {"query": {"bool": {"must": must}}, **_body(panel)}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v4.json",
        "data": {
            "url": {"index": panel.index.name, "body": body},
            "format": {"property": "aggregations.by.buckets"},
        },
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "y": {"field": "key", "type": "nominal", "sort": "-x", "title": by.label},
            "x": {"field": "number.value", "type": "quantitative", "title": metric.label},
        },
    }
    return Drawn("vega", {"spec": json.dumps(spec, indent=2, ensure_ascii=False)}, searched=False)


def _said(query: str) -> Mapping[str, Any]:
    return {"query_string": {"query": query}} if query else {"match_all": {}}


VISUALIZATION = Visualization(_draw, lambda panel: (_body(panel),))
