"""Boards for OpenSearch Dashboards over the index of events, monitors for its alerting, detectors for its anomaly
detection, and the searches of panels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from mlops.emit.dashboards.board import Declared, Table
from mlops.emit.dashboards.declared import boards, declared_by, ndjson
from mlops.emit.dashboards.detectors import detectors
from mlops.emit.dashboards.kinds import searches
from mlops.emit.dashboards.monitors import monitors
from mlops.ir.target import Choice, Source, Target

_BOARDS, _MONITORS, _DETECTORS, _QUERIES = "boards", "monitors", "detectors", "queries"


def emit(source: Source) -> str:
    beside = source.beside()
    declared = declared_by(beside.with_declared(source.checked), beside.logs, beside.captured)
    if source.chosen == _MONITORS:
        return json.dumps(monitors(declared), indent=2, ensure_ascii=False) + "\n"
    if source.chosen == _DETECTORS:
        return json.dumps(detectors(declared), indent=2, ensure_ascii=False) + "\n"
    if source.chosen != _QUERIES:
        return ndjson(declared)
    return "\n".join(_queries(declared))


def _queries(declared: Declared) -> Iterator[str]:
    """For Dev Tools."""
    for board in boards(declared):
        for panel in board.panels:
            if isinstance(panel, Table):
                yield f"# {board.title}: {panel.title}\nGET {panel.index.name}/_search?q={quote(panel.query)}\n"
                continue
            for body in searches(panel):
                told = json.dumps(body, indent=2, ensure_ascii=False)
                yield f"# {board.title}: {panel.title}\nGET {panel.index.name}/_search\n{told}\n"


TARGET = Target(
    "Boards for OpenSearch Dashboards that show what happened to TARGET and what it declares.",
    emit,
    choice=Choice(
        "--part",
        (_BOARDS, _MONITORS, _DETECTORS, _QUERIES),
        "Saved objects to be imported, monitors for OpenSearch's alerting, detectors for its anomaly detection, or the "
        "panels' searches for Dev Tools.",
    ),
    of_resources=True,
)
