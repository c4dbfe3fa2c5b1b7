"""Saved objects of OpenSearch Dashboards: the index pattern, saved searches, visualizations and boards.

Versions are the last ones that its migrations know; a newer one is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mlops.emit.dashboards.board import Board, Table
from mlops.emit.dashboards.kinds import kind_of
from mlops.emit.dashboards.panel import Panel
from mlops.ir.dataclass import dataclass
from mlops.ir.index import TIME, Index

VERSIONS = {"index-pattern": "7.6.0", "search": "7.9.3", "visualization": "7.10.0", "dashboard": "7.9.3"}
_SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index"
_COLUMNS = 48


@dataclass(frozen=True, slots=True)
class SavedObject:
    """``references`` are (name, type, id)."""

    type: str
    id: str
    attributes: Mapping[str, Any]
    references: tuple[tuple[str, str, str], ...] = ()

    @property
    def line(self) -> str:
        told = {
            "type": self.type,
            "id": self.id,
            "attributes": self.attributes,
            "references": [{"name": name, "type": type, "id": known} for name, type, known in self.references],
            "migrationVersion": {self.type: VERSIONS[self.type]},
        }
        return f"{_json(told)}\n"


def id_of(*names: str) -> str:
    """Of what is called so: the same each time, so that it replaces what it was."""
    whole = hashlib.sha256(" ".join(("mlops", *names)).encode()).hexdigest()
    return "-".join((whole[:8], whole[8:12], whole[12:16], whole[16:20], whole[20:32]))


def index_pattern(index: Index) -> SavedObject:
    """One for all pipelines."""
    seconds = {"id": "duration", "params": {"inputFormat": "seconds", "outputFormat": "humanize"}}
    formats = {path: seconds for path in index.fields if path.rpartition(".")[2] == "seconds"}
    attributes = {"title": index.name, "timeFieldName": TIME, "fieldFormatMap": _json(formats)}
    return SavedObject("index-pattern", id_of("index-pattern", index.name), attributes)


def of_panel(owner: str, panel: Panel) -> SavedObject:
    """``owner`` is the board's name: two boards may have panels of one title."""
    kind = kind_of(panel)
    drawn = kind.draw(panel)
    pattern = id_of("index-pattern", panel.index.name)
    state = {"title": panel.title, "type": drawn.type, "aggs": list(drawn.aggs), "params": drawn.params}
    source: dict[str, Any] = {}
    references = tuple((name, "index-pattern", pattern) for name in drawn.names)
    if drawn.searched:
        source = {"query": {"query": panel.query, "language": "lucene"}, "filter": [], "indexRefName": _SOURCE}
        references = ((_SOURCE, "index-pattern", pattern), *references)
    attributes = {
        "title": panel.title,
        "description": "",
        "visState": _json(state),
        "uiStateJSON": "{}",
        "version": 1,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _json(source)},
    }
    return SavedObject("visualization", id_of("visualization", owner, panel.title), attributes, references)


def of_table(owner: str, table: Table) -> SavedObject:
    pattern = id_of("index-pattern", table.index.name)
    source = {
        "query": {"query": table.query, "language": "lucene"},
        "filter": [],
        "highlightAll": True,
        "version": True,
        "indexRefName": _SOURCE,
    }
    attributes = {
        "title": table.title,
        "description": "",
        "hits": 0,
        "columns": list(table.columns),
        "sort": [[TIME, "desc"]],
        "version": 1,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _json(source)},
    }
    references = ((_SOURCE, "index-pattern", pattern),)
    return SavedObject("search", id_of("search", owner, table.title), attributes, references)


def of_board(board: Board) -> tuple[SavedObject, ...]:
    """What is on it, and then the board."""
    inside = [
        of_table(board.title, item) if isinstance(item, Table) else of_panel(board.title, item) for item in board.panels
    ]
    placed = [
        {
            "version": VERSIONS["dashboard"],
            "gridData": {**place, "i": str(number)},
            "panelIndex": str(number),
            "embeddableConfig": {},
            "panelRefName": f"panel_{number}",
        }
        for number, place in enumerate(_placed(board))
    ]
    attributes = {
        "title": board.title,
        "hits": 0,
        "description": board.description,
        "panelsJSON": _json(placed),
        "optionsJSON": _json({"hidePanelTitles": False, "useMargins": True}),
        "version": 1,
        "timeRestore": True,
        "timeFrom": "now-30d",
        "timeTo": "now",
        "refreshInterval": {"pause": True, "value": 0},
        "kibanaSavedObjectMeta": {
            "searchSourceJSON": _json({"query": {"query": "", "language": "lucene"}, "filter": []})
        },
    }
    references = tuple((f"panel_{number}", item.type, item.id) for number, item in enumerate(inside))
    return (*inside, SavedObject("dashboard", id_of("dashboard", board.title), attributes, references))


def _placed(board: Board) -> list[dict[str, int]]:
    """Beside each other as long as there is room, rows as high as their highest."""
    found: list[dict[str, int]] = []
    x = y = high = 0
    for item in board.panels:
        if x + item.width > _COLUMNS:
            x, y, high = 0, y + high, 0
        found.append({"x": x, "y": y, "w": item.width, "h": item.height})
        x, high = x + item.width, max(high, item.height)
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
