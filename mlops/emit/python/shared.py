"""Arguments that every step takes: how they come from the step's own members."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlops.emit.python.arguments import Argument, Facts
from mlops.emit.python.expressions import literal
from mlops.emit.python.source import Node, Text, call, listing, string
from mlops.ir import Value

_TRIGGERS = ("Failed", "Stopped", "Any")


def after(value: Value, facts: Facts) -> Node | None:
    """DependsOn as the steps' variables, or their names where they stand further down."""
    if not isinstance(value, tuple) or not value:
        return None
    listed: list[Node] = []
    for item in value:
        match item:
            case str():
                listed.append(_named(item, facts))
            case {"Step": str(name), "Trigger": str(trigger), **rest} if trigger in _TRIGGERS and not rest:
                kind = () if trigger == "Any" else (literal(trigger),)
                listed.append(call("After", (_named(name, facts), *kind)))
            case _:
                return None
    return listing(listed)


def _named(name: str, facts: Facts) -> Node:
    variable = facts.scope.steps.get(name)
    return Text(facts.scope.use(variable.name) if variable and variable.has_property else string(name))


def _cache(value: Value, facts: Facts) -> Node | None:
    match value:
        case {"Enabled": True, "ExpireAfter": str(period), **rest} if not rest:
            return literal(period)
        case {"Enabled": bool(enabled), **rest} if not rest:
            return literal(enabled)
    return None


def _retries(value: Value, facts: Facts) -> Node | None:
    if not isinstance(value, tuple) or not value:
        return None
    policies = [_policy(item, facts) for item in value]
    if any(policy is None for policy in policies):
        return None
    known = [policy for policy in policies if policy is not None]
    return known[0] if len(known) == 1 else listing(known)


_RETRY = {
    "MaxAttempts": "attempts",
    "ExpireAfterMin": "expire_after",
    "IntervalSeconds": "interval",
    "BackoffRate": "backoff",
}


def _policy(value: Value, facts: Facts) -> Node | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("ExceptionType"), tuple):
        return None
    faults = value["ExceptionType"]
    if not isinstance(faults, tuple) or not all(isinstance(item, str) for item in faults):
        return None
    said: dict[str, Node] = {"on": literal(str(faults[0])) if len(faults) == 1 else listing(map(_text, faults))}
    for member, name in _RETRY.items():
        number = value.get(member)
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float):
            return None
        said[name] = literal(number)
    return call("Retry", (), said)


def _text(value: Value) -> Node:
    return literal(str(value))


def _line(value: Value, facts: Facts) -> Node | None:
    return literal(value) if isinstance(value, str) else None


def _member(name: str, member: str, writer: Callable[[Value, Facts], Node | None]) -> Argument:
    return Argument(name, lambda facts: writer(facts.step.members.get(member), facts), member)


DESCRIPTIONS = (_member("display_name", "DisplayName", _line), _member("description", "Description", _line))
WITHOUT_REQUEST = (_member("after", "DependsOn", after), *DESCRIPTIONS)
"""What a step takes that starts nothing."""
SHARED = (
    *WITHOUT_REQUEST,
    _member("cache", "CacheConfig", _cache),
    _member("retries", "RetryPolicies", _retries),
)
