"""A board for Grafana over what Prometheus reads of the local account, or of another by an exporter of CloudWatch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from mlops.ir import Checked
from mlops.ir.target import Target

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDE, _HIGH = 8, 7
_COLUMNS = 3
_SCHEMA = 39
"""Of Grafana 11; a newer one takes it on."""


def emit(checked: Checked) -> str:
    """The same bytes for the same pipeline: a board is known by a hash of its name."""
    name = checked.definition.name or "pipeline"
    board = {
        "uid": hashlib.sha256(f"mlops {name}".encode()).hexdigest()[:32],
        "title": f"mlops: {name}",
        "tags": ["mlops"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [*_variables()]},
        "panels": [*_placed(_panels(name))],
    }
    return json.dumps(board, indent=2, ensure_ascii=False) + "\n"


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Source", "type": "datasource", "query": "prometheus"}
    for name, label, metric, of in (
        ("endpoint", "Endpoint", "aws_sagemaker_invocations_sum", "endpoint_name"),
        ("alarm", "Alarm", "mlops_alarm_state", "alarm"),
    ):
        yield {
            "name": name,
            "label": label,
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": f"label_values({metric}, {of})", "refId": name},
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
            "refresh": 2,
            "sort": 1,
        }


def _panels(name: str) -> Iterator[dict[str, Any]]:
    of = f"pipeline={_quoted(name)}"
    at = 'endpoint_name=~"$endpoint"'
    yield _row("Pipeline")
    yield _panel(
        "Executions by status", "timeseries", "short", (f"sum by (status) (mlops_executions{{{of}}})", "{{status}}")
    )
    yield _panel("Last execution", "stat", "s", (f"mlops_execution_last_seconds{{{of}}}", "it took"))
    yield _panel(
        "Steps that failed", "timeseries", "short", (f'sum by (step) (mlops_steps{{{of},status="Failed"}})', "{{step}}")
    )
    yield _panel("Versions by approval", "timeseries", "short", ("mlops_model_packages", "{{group}} {{approval}}"))
    yield _panel("What happened", "timeseries", "short", ("increase(mlops_events_total[5m])", "{{kind}}"))
    yield _panel("Deliveries that wait", "stat", "short", ("mlops_deliveries_waiting", "waiting"))
    yield _row("Endpoints")
    yield _panel("Requests a minute", "timeseries", "short", (f"aws_sagemaker_invocations_sum{{{at}}}", _VARIANT))
    yield _panel(
        "Errors a minute",
        "timeseries",
        "short",
        (f"aws_sagemaker_invocation4_xxerrors_sum{{{at}}}", f"4XX {_VARIANT}"),
        (f"aws_sagemaker_invocation5_xxerrors_sum{{{at}}}", f"5XX {_VARIANT}"),
    )
    yield _panel(
        "Latency of the model",
        "timeseries",
        "µs",
        (f"aws_sagemaker_model_latency_average{{{at}}}", f"average {_VARIANT}"),
        (f"aws_sagemaker_model_latency_maximum{{{at}}}", f"longest {_VARIANT}"),
    )
    yield _panel(
        "Processor", "timeseries", "percent", (f"aws_sagemaker_endpoints_cpuutilization_average{{{at}}}", _VARIANT)
    )
    yield _panel(
        "Memory", "timeseries", "percent", (f"aws_sagemaker_endpoints_memory_utilization_average{{{at}}}", _VARIANT)
    )
    yield _panel(
        "Status", "table", "none", ('mlops_endpoint_status{endpoint=~"$endpoint"} == 1', "{{endpoint}} {{status}}")
    )
    yield _row("Alarms")
    yield _panel(
        "In alarm", "state-timeline", "none", ('mlops_alarm_state{alarm=~"$alarm",state="ALARM"}', "{{alarm}}")
    )
    yield _panel("The clock runs", "stat", "bool_yes_no", ("mlops_clock_up", "clock"))


_VARIANT = "{{endpoint_name}} {{variant_name}}"


def _row(title: str) -> dict[str, Any]:
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def _panel(title: str, kind: str, unit: str, *queries: tuple[str, str]) -> dict[str, Any]:
    return {
        "type": kind,
        "title": title,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [
            {
                "refId": "ABCDEF"[number],
                "datasource": _SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "instant": kind == "table",
                "format": "table" if kind == "table" else "time_series",
            }
            for number, (expression, legend) in enumerate(queries)
        ],
    }


def _placed(panels: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Beside each other, three in a row; a heading has a line of its own."""
    top, column = 0, 0
    for number, panel in enumerate(panels, 1):
        if panel["type"] == "row":
            top += _HIGH if column else 0
            column = 0
            place = {"h": 1, "w": _WIDE * _COLUMNS, "x": 0, "y": top}
            top += 1
        else:
            place = {"h": _HIGH, "w": _WIDE, "x": column * _WIDE, "y": top}
            column += 1
            if column == _COLUMNS:
                top, column = top + _HIGH, 0
        yield {"id": number, **panel, "gridPos": place}


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


TARGET = Target("A board for Grafana that shows TARGET, its endpoints and alarms.", lambda source: emit(source.checked))
