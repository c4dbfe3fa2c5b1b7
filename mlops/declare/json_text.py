"""JSON inside a string of the definition: a plain string, or a Join where it holds references."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mlops.declare.references import lower
from mlops.ir import Join, JsonGet, Ref, Unknown, Value
from mlops.ir.values import LITERALS


def json_text(value: object) -> Value:
    """The JSON text of a DSL value, put together by the run where it holds references.

    A reference stands in a JSON string, as in the official SDK (sagemaker/core/workflow/job_config_document.py): its
    value is put in as it is, so it can be no number there and may hold neither quotes nor backslashes.
    """
    parts: list[Value] = []
    _write(lower(value), parts)
    merged: list[Value] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    if any(isinstance(part, Unknown) for part in merged):
        return Unknown()
    if len(merged) == 1 and isinstance(merged[0], str):
        return merged[0]
    return Join("", tuple(merged))


def _write(value: Value, parts: list[Value]) -> None:
    match value:
        case Unknown():
            parts.append(value)
        case Ref() | Join() | JsonGet():
            parts.extend(('"', value, '"'))
        case Mapping():
            parts.append("{")
            for index, (key, item) in enumerate(value.items()):
                parts.append(f"{', ' if index else ''}{json.dumps(key)}: ")
                _write(item, parts)
            parts.append("}")
        case tuple():
            parts.append("[")
            for index, item in enumerate(value):
                if index:
                    parts.append(", ")
                _write(item, parts)
            parts.append("]")
        case _ if isinstance(value, LITERALS):
            parts.append(json.dumps(value))
