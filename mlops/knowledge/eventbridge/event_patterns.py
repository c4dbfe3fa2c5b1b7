"""Event patterns: what EventBridge takes as one, and what no event of it can match.

The grammar is that of the service's own engine (github.com/aws/event-ruler, JsonRuleCompiler) and of its page of
comparison operators (docs.aws.amazon.com/eventbridge/latest/userguide, eb-create-pattern-operators).
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LONGEST = 4096
"""botocore: EventPattern."""

_OR = "$or"
_TEXTS = ("version", "id", "detail-type", "source", "account", "time", "region", "replay-name")
"""Members of every event that are texts; userguide, eb-events-structure. Replayed ones have the last one too."""
_TOP = (*_TEXTS, "resources", "detail")
_OPERATOR_NAMES = (
    *("anything-but", "cidr", "equals-ignore-case", "exactly", "exists", "numeric", "prefix", "suffix", "wildcard"),
    *("=", "<", "<=", ">", ">="),
    *("regex", "not-wildcard", "not-equals-ignore-case", "ip-address-in-range", "ip-address-not-in-range"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
)
"""Those that are and those that may come; none of them is a member's name within $or."""
DETAIL_TYPES = {
    "aws.sagemaker": (
        "SageMaker Model State Change",
        "SageMaker Model Package State Change",
        "SageMaker Model Building Pipeline Execution Status Change",
        "SageMaker Model Building Pipeline Execution Step Status Change",
        "SageMaker Endpoint State Change",
        "SageMaker Endpoint Config State Change",
        "SageMaker Endpoint Deployment State Change",
        "SageMaker Training Job State Change",
        "SageMaker HyperParameter Tuning Job State Change",
        "SageMaker Processing Job State Change",
        "SageMaker Transform Job State Change",
        "SageMaker Feature Group State Change",
        "SageMaker Model Card State Change",
        "SageMaker Model Card Export Job State Change",
        "SageMaker Monitoring Schedule State Change",
        "SageMaker Notebook Instance State Change",
        "SageMaker Notebook Lifecycle Config State Change",
        "SageMaker Algorithm State Change",
        "SageMaker Image State Change",
        "SageMaker Image Version State Change",
        "SageMaker HyperPod Cluster State Change",
        "SageMaker HyperPod Cluster Node Health Event",
        "SageMaker HyperPod Cluster Event",
    ),
    "aws.s3": (
        "Object Created",
        "Object Deleted",
        "Object Restore Initiated",
        "Object Restore Completed",
        "Object Restore Expired",
        "Object Tags Added",
        "Object Tags Deleted",
        "Object ACL Updated",
        "Object Storage Class Changed",
        "Object Access Tier Changed",
    ),
    "aws.ecr": ("ECR Image Action", "ECR Image Scan"),
}
"""Those that pipelines wait for (EventBridge reference, events-ref-sagemaker). There are others, so nothing is held
against one that is unlike all of these."""
_NUMBERS = (int, float)


def wrong(pattern: Any) -> tuple[str, ...]:
    """All that keeps the service from taking it, or any event from matching it; a sentence each, with its place."""
    found = malformed(pattern)
    if not isinstance(pattern, Mapping):
        return found
    return tuple(dict.fromkeys([*found, *_never(pattern)]))


def malformed(pattern: Any) -> tuple[str, ...]:
    """What keeps the service from taking it."""
    if not isinstance(pattern, Mapping):
        return ("a pattern is a table",)
    found = [*_table(pattern, "", within_or=False)]
    if not found and (length := len(json.dumps(pattern, separators=(",", ":")))) > LONGEST:
        found.append(f"as JSON it has {length} characters, and at most {LONGEST} are taken")
    return tuple(dict.fromkeys(found))


def _table(table: Mapping[str, Any], at: str, *, within_or: bool) -> Iterator[str]:
    if not table:
        yield f"{at or 'the pattern'} is empty, which the service refuses"
    for name, value in table.items():
        place = f"{at}.{name}" if at else name
        if name == _OR:
            yield from _alternatives(value, place)
        elif within_or and name in _OPERATOR_NAMES:
            yield f"{place}: {name!r} is no name that can stand within {_OR}"
        elif isinstance(value, Mapping):
            yield from _table(value, place, within_or=within_or)
        elif isinstance(value, list):
            yield from _matches(value, place)
        else:
            yield f"{place} has to be a list of what it may be: {place} = [{_shown(value)}]"


def _alternatives(value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, Mapping) for item in value):
        yield f"{at} has to be a list of at least two tables"
        return
    for number, item in enumerate(value):
        yield from _table(item, f"{at}[{number}]", within_or=True)


def _matches(values: list[Any], at: str) -> Iterator[str]:
    if not values:
        yield f"{at} is an empty list, which the service refuses"
    for value in values:
        match value:
            case str() | bool():
                pass
            case int() | float() if math.isfinite(value):
                pass
            case Mapping():
                yield from _comparison(value, at)
            case _:
                yield f"{at} has {_shown(value)}: a match is a text, a number, true, false, or a comparison"


def _comparison(value: Mapping[str, Any], at: str) -> Iterator[str]:
    if len(value) != 1:
        yield f"{at}: a comparison has one key, not {len(value)} ({', '.join(value) or 'none'})"
        return
    ((operator, operand),) = value.items()
    judged = _OPERATORS.get(operator)
    if judged is None:
        close = difflib.get_close_matches(operator, _OPERATORS, n=1)
        known = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(_OPERATORS))}"
        yield f"{at} has no comparison {operator!r}; {known}"
    else:
        yield from (f"{at}: {operator} {said}" for said in judged(operand))


def _text(operand: Any) -> Iterator[str]:
    if not isinstance(operand, str):
        yield f"takes a text, not {_shown(operand)}"


def _affix(operand: Any) -> Iterator[str]:
    if isinstance(operand, Mapping):
        if [*operand] != ["equals-ignore-case"] or not isinstance(operand["equals-ignore-case"], str):
            yield 'takes a text, or { equals-ignore-case = "…" }'
    else:
        yield from _text(operand)


def _wildcard(operand: Any) -> Iterator[str]:
    if not isinstance(operand, str):
        yield from _text(operand)
    elif re.search(r"\\(?![*\\])", re.sub(r"\\[*\\]", "", operand)):
        yield r"has a backslash that escapes nothing; only \* and \\ are known"
    elif "**" in re.sub(r"\\[*\\]", "x", operand):
        yield "has two asterisks side by side"


def _exists(operand: Any) -> Iterator[str]:
    if not isinstance(operand, bool):
        yield f"is true or false, not {_shown(operand)}"


def _cidr(operand: Any) -> Iterator[str]:
    try:
        ipaddress.ip_network(operand if isinstance(operand, str) and "/" in operand else "", strict=False)
    except ValueError:
        yield f"takes a block of addresses as in 10.0.0.0/24, not {_shown(operand)}"


def _numeric(operand: Any) -> Iterator[str]:
    said = 'takes a sign and a number, and perhaps an upper end: [">", 0, "<=", 5]'
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        yield said
        return
    signs, numbers = operand[::2], operand[1::2]
    if not all(_is_number(number) for number in numbers):
        yield said
    elif len(operand) == 2:
        if signs[0] not in ("=", "<", "<=", ">", ">="):
            yield said
    elif signs[0] not in (">", ">=") or signs[1] not in ("<", "<="):
        yield f"{said}; the lower end comes first"
    elif not numbers[0] < numbers[1]:
        yield f"has a lower end, {_shown(numbers[0])}, that is not below the upper one, {_shown(numbers[1])}"


def _anything_but(operand: Any) -> Iterator[str]:
    if isinstance(operand, Mapping):
        if len(operand) != 1 or next(iter(operand)) not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            yield "takes one of prefix, suffix, equals-ignore-case and wildcard, beside plain values"
            return
        ((operator, inside),) = operand.items()
        listed = inside if isinstance(inside, list) else [inside]
        if not all(isinstance(item, str) for item in listed):
            yield f"with {operator} takes texts"
        elif operator in ("prefix", "suffix") and "" in listed:
            yield f"with {operator} takes no empty text"
        elif operator == "wildcard":
            yield from (said for item in listed for said in _wildcard(item))
        return
    listed = operand if isinstance(operand, list) else [operand]
    texts, numbers = [isinstance(item, str) for item in listed], [_is_number(item) for item in listed]
    if not listed or not (all(texts) or all(numbers)):
        yield "takes texts or numbers, all of one kind"


_OPERATORS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _text,
    "exactly": _text,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _affix,
    "suffix": _affix,
    "wildcard": _wildcard,
}


def _never(pattern: Mapping[str, Any]) -> Iterator[str]:
    """The service takes these, and waits for ever."""
    for name, value in pattern.items():
        if name == _OR:
            continue
        if name not in _TOP:
            if not _may_be_missing(value):
                close = difflib.get_close_matches(name.lower(), _TOP, n=1)
                known = f"did you mean {close[0]!r}?" if close else f"its members are {', '.join(_TOP[:-3])}, …"
                yield f"no event has {name!r}, so none can match; {known} What a service tells lies in detail"
        elif name == "detail":
            if isinstance(value, list):
                yield "detail is a table in every event, so no list can match it"
        elif isinstance(value, Mapping):
            yield f'{name} is a text in every event, so no table can match it: {name} = ["…"]'
        elif isinstance(value, list) and value and not any(_matches_text(item) for item in value):
            yield f"{name} is a text in every event, so {_shown(value[0])} can match none; write it in quotes"
    yield from _other_case(pattern)


def _may_be_missing(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_may_be_missing(item) for item in value.values())
    return isinstance(value, list) and any(item == {"exists": False} for item in value)


def _matches_text(item: Any) -> bool:
    if isinstance(item, Mapping):
        return "numeric" not in item
    return isinstance(item, str)


def _other_case(pattern: Mapping[str, Any]) -> Iterator[str]:
    sources, types = pattern.get("source"), pattern.get("detail-type")
    if not isinstance(sources, list) or not isinstance(types, list):
        return
    if not all(isinstance(item, str) and item in DETAIL_TYPES for item in sources):
        return
    known = {name.casefold(): name for source in sources for name in DETAIL_TYPES[source]}
    for item in types:
        right = known.get(item.casefold()) if isinstance(item, str) else None
        if right is not None and right != item:
            yield f"detail-type is written {right!r}, not {item!r}, which no event has"


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:  # TOML has dates
        return str(value)
