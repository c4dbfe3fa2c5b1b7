"""Monitors of OpenSearch's alerting: what is worth a word each hour. Whom they tell is of the server: actions are added
there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops.emit.dashboards.board import Declared
from mlops.ir.event_fields import EVENTS
from mlops.ir.index import TIME, Index
from mlops.ir.log_fields import LINES

_MINUTES = 60


def monitors(declared: Declared) -> list[dict[str, Any]]:
    """Bodies of ``POST _plugins/_alerting/monitors``."""
    found = [_monitor(f"{declared.title}: {name}", query, severity) for name, query, severity in _watched(declared)]
    if declared.own_lines is not None:
        grave = f"level:CRITICAL AND {declared.own_lines}"
        found.append(_monitor(f"{declared.title}: lines that say CRITICAL", grave, 2, LINES))
    return found


def _watched(declared: Declared) -> Iterator[tuple[str, str, int]]:
    """Name, query and severity, of which 1 is the highest."""
    if declared.pipelines:
        yield "executions that failed", f"kind:execution.ended AND detail.status:Failed AND {declared.own_pipelines}", 2
    if declared.endpoints:
        own = declared.own_endpoints
        yield "endpoints that failed", f"kind:endpoint.failed AND {own}", 1
        refused = f"kind:(promotion.refused OR promotion.failed OR shift.taken-back) AND {own}"
        yield "promotions that were refused or taken back", refused, 2
        yield "promotions that passed a gate over", f"kind:promotion.overridden AND {own}", 2
    if declared.monitors:
        yield "violations", f"kind:monitor.violated AND {declared.of('ids.monitor', declared.monitors)}", 2
    if declared.streams:
        yield "records that were lost", f"kind:stream.lost AND {declared.of('ids.stream', declared.streams)}", 1


def _monitor(name: str, query: str, severity: int, index: Index = EVENTS) -> dict[str, Any]:
    window = {"gte": f"{{{{period_end}}}}||-{_MINUTES}m", "lte": "{{period_end}}", "format": "epoch_millis"}
    filters = [{"range": {TIME: window}}, {"query_string": {"query": query}}]
    return {
        "type": "monitor",
        "name": name,
        "monitor_type": "query_level_monitor",
        "enabled": True,
        "schedule": {"period": {"interval": _MINUTES, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": [index.name], "query": {"size": 0, "query": {"bool": {"filter": filters}}}}}],
        "triggers": [
            {
                "query_level_trigger": {
                    "name": name,
                    "severity": str(severity),
                    "condition": {"script": {"source": "ctx.results[0].hits.total.value > 0", "lang": "painless"}},
                    "actions": [],
                }
            }
        ],
    }
