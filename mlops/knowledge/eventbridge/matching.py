"""Whether an event matches a pattern of EventBridge that is sound by :mod:`mlops.knowledge.eventbridge.event_patterns`.

By the page of comparison operators (eb-create-pattern-operators): every field of the pattern has to match, one of the
values in its list is enough, and where the event has a list there, one of its items.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

_OR = "$or"
_MISSING: Any = object()


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """
    >>> matches({"detail": {"state": [{"anything-but": "OK"}]}}, {"detail": {"state": "ALARM"}})
    True
    """
    for name, wanted in pattern.items():
        if name == _OR:
            if not any(matches(each, event) for each in wanted):
                return False
        elif isinstance(wanted, Mapping):
            if not _within(wanted, event.get(name, _MISSING)):
                return False
        elif not _any(wanted, event.get(name, _MISSING)):
            return False
    return True


def _within(pattern: Mapping[str, Any], value: Any) -> bool:
    """A list of tables matches by one of them."""
    if isinstance(value, list):
        return any(_within(pattern, item) for item in value)
    return matches(pattern, value if isinstance(value, Mapping) else {})


def _any(wanted: list[Any], value: Any) -> bool:
    if isinstance(value, list):
        there = [item for item in value if not isinstance(item, Mapping | list)] or [_MISSING]
        return any(_one(match, item) for match in wanted for item in there)
    leaf = _MISSING if isinstance(value, Mapping) else value
    return any(_one(match, leaf) for match in wanted)


def _one(match: Any, value: Any) -> bool:
    if isinstance(match, Mapping):
        ((operator, operand),) = match.items()
        if operator == "exists":
            return bool(operand) is (value is not _MISSING)
        return value is not _MISSING and _OPERATORS[operator](operand, value)
    if isinstance(match, bool) or isinstance(value, bool):
        return match is value
    return bool(match == value)


def _text(test: Callable[[Any, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda operand, value: isinstance(value, str) and test(operand, value)


def _affix(test: Callable[[str, str], bool]) -> Callable[[Any, str], bool]:
    def compare(operand: Any, value: str) -> bool:
        if isinstance(operand, Mapping):
            return test(value.lower(), str(operand["equals-ignore-case"]).lower())
        return test(value, operand)

    return compare


def _wildcard(operand: Any, value: str) -> bool:
    """Piece by piece, each at its first place behind the one before: none has to be tried twice, however many there
    are."""
    pieces = [""]
    for part in re.split(r"(\\[*\\]|\*)", operand):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += part[1:] if part[:1] == "\\" else part
    first, *middle = pieces
    if not middle:
        return value == first
    last = middle.pop()
    at, end = len(first), len(value) - len(last)
    if at > end or not value.startswith(first) or not value.endswith(last):
        return False
    for piece in middle:
        found = value.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _cidr(operand: Any, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _numeric(operand: Any, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(_SIGNS[sign](value, number) for sign, number in zip(operand[::2], operand[1::2], strict=True))


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        ((operator, inside),) = operand.items()
        listed = inside if isinstance(inside, list) else [inside]
        return isinstance(value, str) and not any(_OPERATORS[operator](item, value) for item in listed)
    return not any(_one(item, value) for item in (operand if isinstance(operand, list) else [operand]))


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "anything-but": _anything_but,
    "cidr": _text(_cidr),
    "equals-ignore-case": _text(lambda operand, value: value.lower() == operand.lower()),
    "exactly": _text(lambda operand, value: value == operand),
    "numeric": _numeric,
    "prefix": _text(_affix(str.startswith)),
    "suffix": _text(_affix(str.endswith)),
    "wildcard": _text(_wildcard),
}
