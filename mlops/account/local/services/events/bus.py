"""What happens to an event on a bus: the rules that it matches have it delivered to their targets, by the clock."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mlops.account.local import clock
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.knowledge.eventbridge.matching import matches

KIND, DEFAULT = "Rule", "default"
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


def put(state: State, event: Mapping[str, Any], now: datetime, *, bus: str = DEFAULT) -> int:
    """To how many rules it goes. In the caller's transaction, who wakes the clock behind it."""
    rows = state.store.all(
        "SELECT * FROM resource WHERE kind = ? AND substr(name, 1, ?) = ? "
        "AND json_extract(body, '$.State') = 'ENABLED' "
        "AND json_extract(body, '$.EventPattern') IS NOT NULL ORDER BY name",
        KIND,
        len(bus) + 1,
        f"{bus}/",
    )
    hit = 0
    for row in rows:
        body = resources.body_of(row)
        if "/" not in row["name"][len(bus) + 1 :] and matches(json.loads(body["EventPattern"]), event):
            hit += 1
            aim(state, row["name"], body, event, now)
    return hit


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
