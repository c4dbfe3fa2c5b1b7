"""What an event is in an index: a field for each id and each member of a detail, with its kind.

A member that is not here is in no index: what events hold beside it (weights, configurations, whatever a plug-in tells)
nobody asked to be searched.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.index import TIME, Index, Kind

INDEX = "mlops-events"

HEAD: Mapping[str, Kind] = {
    TIME: "date",
    "kind": "keyword",
    "noun": "keyword",
    "happened": "keyword",
    "about": "keyword",
    "environment": "keyword",
    "account": "keyword",
    "region": "keyword",
    "sequence": "long",
    "hour": "long",
}
"""``noun`` and ``happened`` are the two parts of ``kind``, ``hour`` that of the day, in UTC."""

IDS: Mapping[str, Kind] = dict.fromkeys(
    (
        "action",
        "alarm",
        "cause",
        "component",
        "endpoint",
        "event",
        "execution",
        "feedback",
        "function",
        "inference-experiment",
        "job",
        "model-package",
        "model-package-group",
        "monitor",
        "notice",
        "pipeline",
        "promotion",
        "queue",
        "rule",
        "schedule",
        "shift",
        "step",
        "stream",
        "topic",
        "variant",
        "window",
    ),
    "keyword",
)

DETAIL: Mapping[str, Kind] = {
    "action": "keyword",
    "attempt": "long",
    "attempts": "long",
    "before": "text",
    "by": "keyword",
    "cached": "keyword",
    "check": "keyword",
    "config": "keyword",
    "copies": "long",
    "environment": "keyword",
    "failure": "text",
    "feature": "keyword",
    "finding": "text",
    "from": "keyword",
    "kind": "keyword",
    "metric": "keyword",
    "of": "keyword",
    "outcome": "keyword",
    "phase": "keyword",
    "reason": "text",
    "records": "long",
    "rule": "keyword",
    "said": "text",
    "seconds": "double",
    "since": "keyword",
    "stage": "keyword",
    "status": "keyword",
    "stub": "keyword",
    "to": "keyword",
    "type": "keyword",
    "until": "keyword",
    "verdict": "keyword",
    "version": "keyword",
    "violations": "long",
    "what": "keyword",
    "why": "text",
    "window": "keyword",
}

LEFT_OUT = frozenset({"counts", "kinds", "variants", "weights"})
"""Of details, known and not indexed: tables whose keys are somebody's names, each of which would be a field."""


def fields() -> Mapping[str, Kind]:
    """All of them, by the path under which they are searched.

    >>> fields()["ids.pipeline"], fields()["detail.seconds"]
    ('keyword', 'double')
    """
    return {
        **HEAD,
        **{f"ids.{name}": kind for name, kind in IDS.items()},
        **{f"detail.{name}": kind for name, kind in DETAIL.items()},
    }


EVENTS = Index(INDEX, "events", fields(), ("ids", "detail"))
