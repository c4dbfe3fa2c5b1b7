"""What happens to an event on a bus: the rules that it matches have it delivered to their targets, by the clock."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mlops.account.local import clock
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State, moment
from mlops.knowledge.eventbridge.event_patterns import DETAIL_TYPES
from mlops.knowledge.eventbridge.known_events import SAGEMAKER
from mlops.knowledge.eventbridge.matching import matches

KIND, DEFAULT = "Rule", "default"
SERVICE_EVENTS = "ServiceEvents"
"""Up to which event of the account the bus was told, by :func:`~mlops.account.local.clock.read_up_to`."""
_OLDEST_SECONDS = 86_400
_PATH = re.compile(r"<([^<>]+)>")


def envelope(
    state: State, source: str, detail_type: str, arns: list[str], detail: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """An event as rules see it."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT_ID,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": state.region,
        "resources": arns,
        "detail": detail,
    }


def put(
    state: State, event: Mapping[str, Any], now: datetime, *, bus: str = DEFAULT, happened: datetime | None = None
) -> int:
    """To how many rules it goes; of those that are younger than what ``happened`` to none. In the caller's transaction,
    who wakes the clock behind it."""
    hit = 0
    for row in _listening(state, bus):
        if happened is not None and row["created"] > moment(happened):
            continue
        body = resources.body_of(row)
        if matches(json.loads(body["EventPattern"]), event):
            hit += 1
            aim(state, row["name"], body, event, now)
    return hit


def hears_the_service(state: State) -> bool:
    """Whether any rule may match what SageMaker tells by itself."""
    patterns = (json.loads(resources.body_of(row)["EventPattern"]) for row in _listening(state, DEFAULT))
    return any(is_of_the_service(pattern) for pattern in patterns)


def is_of_the_service(pattern: Mapping[str, Any]) -> bool:
    """By what heads the events alone."""
    head = {member: pattern[member] for member in ("source", "detail-type") if member in pattern}
    return any(matches(head, {"source": SAGEMAKER, "detail-type": kind}) for kind in DETAIL_TYPES[SAGEMAKER])


def _listening(state: State, bus: str) -> list[sqlite3.Row]:
    rows = state.store.all(
        "SELECT * FROM resource WHERE kind = ? AND substr(name, 1, ?) = ? "
        "AND json_extract(body, '$.State') = 'ENABLED' "
        "AND json_extract(body, '$.EventPattern') IS NOT NULL ORDER BY name",
        KIND,
        len(bus) + 1,
        f"{bus}/",
    )
    return [row for row in rows if "/" not in row["name"][len(bus) + 1 :]]


def aim(state: State, rule: str, body: Mapping[str, Any], event: Mapping[str, Any], now: datetime) -> None:
    """Post what each target of a rule is told of an event."""
    for key in sorted(body["Targets"]):
        target = body["Targets"][key]
        age = int((target.get("RetryPolicy") or {}).get("MaximumEventAgeInSeconds") or _OLDEST_SECONDS)
        clock.post(
            state,
            _with_values(target, event),
            rule.rpartition("/")[2],
            {"rule": rule.rpartition("/")[2], "event": str(event["id"])},
            token=hashlib.sha256(f"{rule} {key} {event['id']}".encode()).hexdigest(),
            now=now,
            until=now + timedelta(seconds=age),
            text=_told(target, event),
        )


def _told(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """All of the event, a part of it, or what the target says in its place."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(found(event, target["InputPath"]))
    if target.get("InputTransformer"):
        paths = target["InputTransformer"].get("InputPathsMap") or {}
        values = {name: found(event, path) for name, path in paths.items()}
        return _PATH.sub(lambda hit: _inside(values, hit), target["InputTransformer"]["InputTemplate"])
    return json.dumps(event)


def _inside(values: Mapping[str, Any], hit: re.Match[str]) -> str:
    """A text within quotes stands as it is, anything else as JSON."""
    if hit[1] not in values:
        return hit[0]
    value, template = values[hit[1]], hit.string
    quoted = template[: hit.start()].count('"') % 2 == 1
    told = json.dumps(value)
    return told[1:-1] if quoted and isinstance(value, str) else told


def _with_values(target: Mapping[str, Any], event: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parameter of a pipeline may be a path into the event."""
    given = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList")
    if not given:
        return target
    listed = [{**item, "Value": _value(item["Value"], event)} for item in given]
    return {**target, "SageMakerPipelineParameters": {"PipelineParameterList": listed}}


def _value(text: str, event: Mapping[str, Any]) -> str:
    if not text.startswith("$."):
        return text
    value = found(event, text)
    return value if isinstance(value, str) else json.dumps(value)


def found(event: Any, path: str) -> Any:
    """What a path leads to, None where that is nothing.

    >>> found({"detail": {"a": [{"b": 1}]}}, "$.detail.a[0].b")
    1
    """
    for part in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path.removeprefix("$")):
        name, index = part
        if name and isinstance(event, Mapping):
            event = event.get(name)
        elif index and isinstance(event, list) and int(index) < len(event):
            event = event[int(index)]
        else:
            return None
    return event
