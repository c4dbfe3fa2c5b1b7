"""Whether the conditions of a Condition step hold, once their operands are plain values.

How the service coerces operands of different types is not documented. Here an integer and a float are both numbers;
text, numbers and booleans never compare with each other: the step fails and says so, as in the SDK's local mode.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from mlops.run.outcome import StepFailed

_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def all_hold(conditions: Any) -> bool:
    """The top-level list is AND-ed. Every condition is looked at, so that a faulty one never hides behind another.
    Raises :class:`StepFailed`."""
    results = [_holds(condition) for condition in _listed(conditions, "Conditions")]
    return all(results)


def _holds(condition: Any) -> bool:
    match condition:
        case {"Type": "Equals", "LeftValue": left, "RightValue": right}:
            if _kind(left) != _kind(right):
                raise StepFailed(f"Equals cannot compare {_shown(left)} with {_shown(right)}")
            return bool(left == right)
        case {"Type": str(kind), "LeftValue": left, "RightValue": right} if kind in _ORDERINGS:
            if _kind(left) != _kind(right) or _kind(left) not in ("number", "text"):
                raise StepFailed(f"{kind} cannot order {_shown(left)} and {_shown(right)}")
            return _ORDERINGS[kind](left, right)
        case {"Type": "In", "QueryValue": query, "Values": values}:
            _kind(query)
            return any(_kind(query) == _kind(item) and query == item for item in _listed(values, "Values"))
        case {"Type": "Not", "Condition": inner}:
            return not _holds(inner)
        case {"Type": "Or", "Conditions": inner}:
            results = [_holds(item) for item in _listed(inner, "Conditions")]
            return any(results)
    raise StepFailed(f"not a condition that can be evaluated: {condition!r:.200}")


def _listed(value: Any, member: str) -> list[Any]:
    if not isinstance(value, list):
        raise StepFailed(f"{member} is to be a list, found {value!r:.200}")
    return value


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
    raise StepFailed(f"a condition compares text, numbers and booleans, found {value!r:.200}")


def _shown(value: Any) -> str:
    return f"the {_kind(value)} {value!r:.100}"
