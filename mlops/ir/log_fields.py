"""What a line of a log is in an index, for those who ask for lines to be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from mlops.ir.index import TIME, Index, Kind

Source: TypeAlias = Literal["steps", "endpoints"]
"""Whose lines: what jobs and functions of steps print, what the servers of endpoints print."""

_FIELDS: Mapping[str, Kind] = {
    TIME: "date",
    "line": "text",
    "level": "keyword",
    "number": "long",
    "group": "keyword",
    "stream": "keyword",
    "environment": "keyword",
    "account": "keyword",
    "region": "keyword",
    **dict.fromkeys(("ids.pipeline", "ids.execution", "ids.step", "ids.job", "ids.endpoint", "ids.variant"), "keyword"),
}
"""``number`` is a line's place in its stream: several have one time."""

LINES = Index("mlops-logs", "log lines", _FIELDS, ("ids",), "number")
