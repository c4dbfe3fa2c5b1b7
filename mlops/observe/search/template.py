"""What an OpenSearch is told once: what an index is, the alias that is written, and for how long it is kept.

The mapping is strict: a document with a field that nobody declared is refused. Numbered indices stand behind one alias;
Index State Management, where the plugin is there, begins a new one and removes old ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.index import Index, Kind

_SHORT, _LONGEST = 256, 2_048
"""Characters of what is counted whole."""
_PRIORITY = 200
_SHARD_GIB = 10
"""How large a shard grows before a new index begins: searches want 10 to 30 GiB (developer guide: sizing domains)."""


def first(index: Index) -> str:
    return f"{index.name}-000001"


def pattern(index: Index) -> str:
    return f"{index.name}-*"


def index_template(index: Index, *, managed: bool, replicas: int = 1, shards: int = 1) -> Mapping[str, Any]:
    """``managed``: the setting that names the alias for rollover is one of a plugin, and refused without it."""
    rollover = {"plugins.index_state_management.rollover_alias": index.name} if managed else {}
    return {
        "index_patterns": [pattern(index)],
        "priority": _PRIORITY,
        "template": {
            "settings": {"index.number_of_shards": shards, "index.number_of_replicas": replicas, **rollover},
            "mappings": mappings(index),
        },
        "_meta": {"of": "mlops"},
    }


def mappings(index: Index) -> Mapping[str, Any]:
    properties: dict[str, Any] = {}
    for path, kind in index.fields.items():
        table, _, name = path.rpartition(".")
        into = properties
        if table:
            into = properties.setdefault(table, {"dynamic": "strict", "properties": {}})["properties"]
        into[name] = _field(kind)
    return {"dynamic": "strict", "properties": properties}


def policy(index: Index, *, rollover_days: int, keep_days: int, shards: int = 1) -> Mapping[str, Any]:
    """A new index when one is so old or its shards have 10 GB each; an index goes so long after its last document."""
    return {
        "policy": {
            "description": f"{index.holds.capitalize()} of mlops: a new index in time, old ones removed.",
            "default_state": "written",
            "states": [
                {
                    "name": "written",
                    "actions": [
                        {"rollover": {"min_index_age": f"{rollover_days}d", "min_size": f"{_SHARD_GIB * shards}gb"}}
                    ],
                    "transitions": [
                        {"state_name": "removed", "conditions": {"min_rollover_age": f"{keep_days}d"}},
                    ],
                },
                {"name": "removed", "actions": [{"delete": {}}], "transitions": []},
            ],
            "ism_template": [{"index_patterns": [pattern(index)], "priority": _PRIORITY}],
        }
    }


def _field(kind: Kind) -> Mapping[str, Any]:
    match kind:
        case "text":
            return {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": _SHORT}}}
        case "keyword":
            return {"type": "keyword", "ignore_above": _LONGEST}
        case _:
            return {"type": kind}
