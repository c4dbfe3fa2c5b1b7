"""Kinds of visualizations by their names, and the searches that a panel asks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mlops.emit.dashboards import visualizations
from mlops.emit.dashboards.panel import Panel, Visualization
from mlops.ir.discovery import modules


@cache
def kinds() -> Mapping[str, Visualization]:
    return {name: found.load().VISUALIZATION for name, found in modules(visualizations).items()}


def kind_of(panel: Panel) -> Visualization:
    return kinds()[panel.visualization]


def searches(panel: Panel) -> tuple[dict[str, Any], ...]:
    """As bodies of ``_search``, of all times: what Dashboards asks for it, made of what is written into the object."""
    kind = kind_of(panel)
    if kind.bodies is not None:
        return tuple({**body, "query": _query(panel.query)} for body in kind.bodies(panel))
    drawn = kind.draw(panel)
    metrics = {
        agg["id"]: {agg["type"]: {"field": agg["params"]["field"]}}
        for agg in drawn.aggs
        if agg["schema"] == "metric"
        if agg["type"] != "count"
    }
    inside: dict[str, Any] = {"aggs": metrics} if metrics else {}
    for agg in reversed([agg for agg in drawn.aggs if agg["schema"] != "metric"]):
        inside = {"aggs": {agg["id"]: {**_bucket(agg["type"], agg["params"], metrics), **inside}}}
    return ({"size": 0, "query": _query(panel.query), **inside},)


def _bucket(type: str, params: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    field = {"field": params["field"]}
    match type:
        case "date_histogram":
            return {type: {**field, "fixed_interval": "12h", "min_doc_count": 1}}
        case "histogram":
            return {type: {**field, "interval": params["interval"], "min_doc_count": 1}}
        case "geohash_grid":
            return {type: {**field, "precision": params["precision"]}}
    by = params["orderBy"] if params["orderBy"] in metrics else "_count"
    return {type: {**field, "size": params["size"], "order": {by: params["order"]}}}


def _query(words: str) -> dict[str, Any]:
    return {"query_string": {"query": words}} if words else {"match_all": {}}
