"""What OpenSearch's index management, alerting and anomaly detection take, by the parsers in their sources: which
members an object may have, which it needs, and what goes together. None of the plugins is in a package index, so
none can be asked.

Sources: opensearch-project/index-management (indexstatemanagement/model: Policy, State, Transition, Conditions,
ISMTemplate; action: RolloverActionParser, RolloverAction, DeleteActionParser; ISMActionsParser, ISMTemplateService),
opensearch-project/alerting (RestIndexMonitorAction), opensearch-project/common-utils (alerting/model: Monitor,
Schedule, SearchInput, Trigger, QueryLevelTrigger), opensearch-project/anomaly-detection (AnomalyDetector, Config,
Feature, IntervalTimeConfiguration, AbstractTimeSeriesActionHandler), looked at 2026-11-29. What TimeValue and
ByteSizeValue read is the core's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], None]
_TIME = re.compile(r"\d+(nanos|micros|ms|s|m|h|d)", re.IGNORECASE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(b|k|kb|m|mb|g|gb|t|tb|p|pb)", re.IGNORECASE)
_NO_FILE_NAME = frozenset('\\/?"<>| ,')


class Refused(Exception):
    """It answers 400."""


def need(holds: bool, said: str) -> None:
    if not holds:
        raise Refused(said)


def text(value: Any) -> None:
    need(isinstance(value, str), f"{value!r} is no text")


def flag(value: Any) -> None:
    need(isinstance(value, bool), f"{value!r} is no boolean")


def count(value: Any) -> None:
    need(isinstance(value, int) and not isinstance(value, bool) and value > 0, f"{value!r} must be greater than 0")


def span(value: Any) -> None:
    need(isinstance(value, str) and _TIME.fullmatch(value) is not None, f"failed to parse {value!r} as a time value")


def size(value: Any) -> None:
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    need(found is not None and float(found[1]) > 0, f"failed to parse {value!r} as a size that is greater than 0")


def each(check: Check) -> Check:
    def judge(value: Any) -> None:
        need(isinstance(value, list), f"{value!r} is no array")
        for item in value:
            check(item)

    return judge


def told(members: Mapping[str, Check], *needed: str, of: str, others: bool = False) -> Check:
    """``others``: what is not known is passed over."""

    def judge(value: Any) -> None:
        need(isinstance(value, Mapping), f"{value!r} is no object")
        for name, inside in value.items():
            need(others or name in members, f"Invalid field: [{name}] found in {of}")
            members.get(name, lambda _: None)(inside)
        for name in needed:
            need(value.get(name) is not None, f"{of} {name} is null")

    return judge


def anything(value: Any) -> None:
    pass


_CONDITIONS: Mapping[str, Check] = {
    "min_index_age": span,
    "min_doc_count": count,
    "min_size": size,
    "cron": anything,
    "min_rollover_age": span,
}
"""Of 2.x; ``no_alias`` and ``min_state_age`` came with 3.2."""
_ROLLOVER: Mapping[str, Check] = {
    "min_size": size,
    "min_doc_count": count,
    "min_index_age": span,
    "min_primary_shard_size": size,
    "copy_alias": flag,
}
_ACTIONS: Mapping[str, Check] = {
    "rollover": told(_ROLLOVER, of="RolloverAction"),
    "delete": told({}, of="DeleteAction"),
}
"""Those that are used; there are more."""
_ACTION_SETTINGS: Mapping[str, Check] = {
    "timeout": span,
    "retry": told({"count": anything, "backoff": text, "delay": span}, "count", of="ActionRetry"),
}


def _conditions(value: Any) -> None:
    told(_CONDITIONS, of="Conditions")(value)
    need(len(value) <= 1, "Cannot provide more than one Transition condition")


def _action(value: Any) -> None:
    told({**_ACTIONS, **_ACTION_SETTINGS}, of="Actions")(value)
    need(any(name in _ACTIONS for name in value), "Action inside state is null")


_TRANSITION = told({"state_name": text, "conditions": _conditions}, "state_name", of="Transition")


def _state(value: Any) -> None:
    told({"name": text, "actions": each(_action), "transitions": each(_TRANSITION)}, "name", of="State")(value)
    need(bool(value["name"].strip()), "State must contain a valid name")
    kinds = [next(name for name in action if name in _ACTIONS) for action in value.get("actions", ())]
    need("delete" not in kinds[:-1], "must not contain an action after a delete action")
    need("delete" not in kinds or not value.get("transitions"), "cannot contain transitions if using delete action")


def _template(value: Any) -> None:
    told({"index_patterns": each(_pattern), "priority": anything, "last_updated_time": anything}, of="ISMTemplate")(
        value
    )


def _pattern(value: Any) -> None:
    text(value)
    bad = "#" in value or ":" in value or value.startswith("_") or bool(_NO_FILE_NAME & set(value))
    need(not bad, f"index_pattern [{value}] must not contain such characters")


def policy(value: Any) -> None:
    """The body of ``PUT _plugins/_ism/policies/<id>``. Raises Refused."""
    members: Mapping[str, Check] = {
        **dict.fromkeys(("policy_id", "schema_version", "last_updated_time", "error_notification", "user"), anything),
        "description": text,
        "default_state": text,
        "states": each(_state),
        "ism_template": each(_template),
    }
    told({"policy": told(members, "description", "default_state", of="Policy")}, "policy", of="body")(value)
    states = value["policy"].get("states", [])
    names = [state["name"] for state in states]
    need(bool(names), "Policy must contain at least one State")
    need(len(set(names)) == len(names), "Policy cannot have duplicate state names")
    need(value["policy"]["default_state"] in names, "Policy must have a valid default state")
    for state in states:
        for transition in state.get("transitions", ()):
            need(transition["state_name"] in names, "pointing to a nonexistent state")


_UNITS = ("MINUTES", "HOURS", "DAYS")


def _period(value: Any) -> None:
    told({"interval": count, "unit": text}, "interval", "unit", of="period", others=True)(value)
    need(value["unit"].upper() in _UNITS, f"{value['unit']} is not supported expected {_UNITS}")


def _schedule(value: Any) -> None:
    told({"period": _period, "cron": anything}, of="schedule")(value)
    need(len(value) == 1, "You can only specify one type of schedule." if value else "Schedule is null.")


def _condition(value: Any) -> None:
    need(isinstance(value, Mapping) and [*value] == ["script"], "condition is one script")
    told({"source": text, "lang": text, "params": anything, "options": anything}, "source", of="script")(
        value["script"]
    )
    need(value["script"].get("lang", "painless") == "painless", "Invalid script language")


_TRIGGER = told(
    {"id": text, "name": text, "severity": text, "condition": _condition, "actions": each(anything)},
    "name", "severity", "condition", of="trigger", others=True,
)  # fmt: skip


def _trigger(value: Any) -> None:
    need(
        isinstance(value, Mapping) and [*value] == ["query_level_trigger"], "Illegal trigger type for a query level one"
    )
    _TRIGGER(value["query_level_trigger"])


def _input(value: Any) -> None:
    need(isinstance(value, Mapping) and [*value] == ["search"], "an input is one search")
    told({"indices": each(text), "query": anything}, "query", of="search", others=True)(value["search"])


def monitor(value: Any) -> None:
    """The body of ``POST _plugins/_alerting/monitors`` of a query level one. Raises Refused."""
    members: Mapping[str, Check] = {
        "name": text,
        "monitor_type": text,
        "enabled": flag,
        "schedule": _schedule,
        "inputs": each(_input),
        "triggers": each(_trigger),
    }
    told(members, "name", "schedule", of="Monitor", others=True)(value)
    need(
        value.get("monitor_type", "query_level_monitor") == "query_level_monitor", "Monitor type should be one of those"
    )
    need(len(value.get("inputs", ())) <= 1, "Monitors can only have 1 search input.")
    need(len(value.get("triggers", ())) <= 10, "Monitors can only support up to 10 triggers.")
    ids = [told_id for item in value.get("triggers", ()) if (told_id := item["query_level_trigger"].get("id"))]
    need(len(set(ids)) == len(ids), "Trigger ids must be unique.")


def _time(value: Any) -> None:
    told({"period": anything}, "period", of="schedule", others=True)(value)
    told({"interval": count, "unit": text}, "interval", "unit", of="period", others=True)(value["period"])
    need(value["period"]["unit"].upper() in ("MINUTES", "SECONDS"), "Time unit is not supported")


def _aggregation(value: Any) -> None:
    need(isinstance(value, Mapping) and len(value) == 1, "one aggregation by its name")
    (inside,) = value.values()
    need(isinstance(inside, Mapping) and len(inside) == 1, "one kind of aggregation")


_FEATURE = told(
    {"feature_id": text, "feature_name": text, "feature_enabled": flag, "aggregation_query": _aggregation},
    "feature_name", "aggregation_query", of="Feature", others=True,
)  # fmt: skip
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,64}")


def detector(value: Any) -> None:
    """The body of ``POST _plugins/_anomaly_detection/detectors``. Raises Refused."""
    members: Mapping[str, Check] = {
        "name": text,
        "description": text,
        "time_field": text,
        "indices": each(text),
        "filter_query": told({}, of="query", others=True),
        "feature_attributes": each(_FEATURE),
        "detection_interval": _time,
        "window_delay": _time,
        "shingle_size": count,
        "category_field": each(text),
    }
    told(members, "name", "time_field", "indices", "detection_interval", of="Detector", others=True)(value)
    need(_NAME.fullmatch(value["name"]) is not None, "Valid characters for name are a-z, A-Z, 0-9, - _ and . up to 64")
    need(len(value.get("description", "")) <= 1000, "Description length is too long")
    need(1 <= value.get("shingle_size", 8) <= 128, "Shingle size must be between 1 and 128")
    need(len(value.get("category_field", ())) <= 2, "We don't support categorical fields more than 2")
    names = [feature["feature_name"] for feature in value.get("feature_attributes", ())]
    need(0 < len(names) <= 5, "1 to 5 features")
    need(len(set(names)) == len(names), "Feature name has to be unique")
