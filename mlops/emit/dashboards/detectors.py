"""Detectors of OpenSearch's anomaly detection (random cut forests): numbers of events, of lines and of named features
that are odd beside what they were. They are begun there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from mlops.emit.dashboards.board import Declared
from mlops.ir.captured_fields import FEATURE, captured
from mlops.ir.event_fields import EVENTS
from mlops.ir.index import TIME, Index
from mlops.ir.log_fields import LINES

_HOUR, _SHINGLE = 60, 8
_NO_NAME, _LONGEST = re.compile(r"[^A-Za-z0-9._-]"), 64
_NUMBERS = ("long", "double")
"""Kinds of which a mean can be taken."""


def detectors(declared: Declared) -> list[dict[str, Any]]:
    """Bodies of ``POST _plugins/_anomaly_detection/detectors``."""
    return list(_all(declared))


def _all(declared: Declared) -> Iterator[dict[str, Any]]:
    if declared.pipelines:
        query = f"kind:step.ended AND detail.status:Succeeded AND {declared.own_pipelines}"
        mean = {"avg": {"field": "detail.seconds"}}
        yield _detector(f"{declared.title}-seconds-of-steps", EVENTS, query, mean, ("ids.step",))
    if declared.own_lines is not None:
        query = f"level:(ERROR OR CRITICAL) AND {declared.own_lines}"
        yield _detector(f"{declared.title}-errors-in-logs", LINES, query, {"value_count": {"field": "level"}})
    index = captured(declared.captured)
    for endpoint in declared.endpoints:
        for name, kind in sorted(declared.captured.get(endpoint, {}).items()):
            if kind in _NUMBERS:
                query, mean = declared.of("endpoint", (endpoint,)), {"avg": {"field": f"{FEATURE}.{name}"}}
                yield _detector(f"{endpoint}-{name}", index, query, mean, ("variant",))


def _detector(
    name: str, index: Index, query: str, aggregation: dict[str, Any], by: tuple[str, ...] = ()
) -> dict[str, Any]:
    """By the hour. What is put late is waited for as long; ``by`` has a forest for each value."""
    feature = {"feature_name": "number", "feature_enabled": True, "aggregation_query": {"number": aggregation}}
    return {
        "name": _named(name),
        "description": f"The {index.holds} of mlops, by the hour.",
        "time_field": TIME,
        "indices": [index.name],
        "filter_query": {"query_string": {"query": query}},
        "feature_attributes": [feature],
        "detection_interval": {"period": {"interval": _HOUR, "unit": "Minutes"}},
        "window_delay": {"period": {"interval": _HOUR, "unit": "Minutes"}},
        "shingle_size": _SHINGLE,
        **({"category_field": list(by)} if by else {}),
    }


def _named(name: str) -> str:
    """As the plugin takes it.

    >>> _named("churn: errors"), len(_named("a" * 80))
    ('churn--errors', 64)
    """
    told = _NO_NAME.sub("-", name)
    if len(told) <= _LONGEST:
        return told
    return f"{told[: _LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
