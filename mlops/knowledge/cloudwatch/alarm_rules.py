"""Rules of composite alarms: ``ALARM("a") AND NOT (OK(b) OR FALSE)``.

The grammar is that of PutCompositeAlarm's documentation: ALARM, OK and INSUFFICIENT_DATA of an alarm by name or ARN,
TRUE and FALSE; AND, OR and NOT.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from mlops.ir.dataclass import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|'(?P<single>[^']+)'|(?P<bare>[^\s()\"']+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)(?![\w-])|(?P<sign>[()]))"
)
_DEEPEST = 100
_MOST_ELEMENTS, _MOST_ALARMS = 500, 100
"""PutCompositeAlarm, AlarmRule: elements are alarms, TRUE, FALSE and parentheses."""


class Malformed(ValueError):
    """The text says what is wrong with the rule."""


@dataclass(frozen=True, slots=True)
class Stands:
    """An alarm is in a state."""

    state: str
    alarm: str


@dataclass(frozen=True, slots=True)
class Constant:
    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    operand: Rule


@dataclass(frozen=True, slots=True)
class Both:
    left: Rule
    right: Rule


@dataclass(frozen=True, slots=True)
class Either:
    left: Rule
    right: Rule


Rule: TypeAlias = Stands | Constant | Not | Both | Either


@cache
def parse(text: str) -> Rule:
    """
    >>> holds(parse('ALARM("a") AND NOT OK(b)'), lambda alarm: "ALARM")
    True

    Raises Malformed.
    """
    tokens, at = [*_tokens(text)], 0
    if not tokens:
        raise Malformed("the rule is empty")
    if sum(token not in ("AND", "OR", "NOT") for token in tokens) > _MOST_ELEMENTS:
        raise Malformed(f"the rule has more than {_MOST_ELEMENTS} alarms, constants and parentheses")
    if len({token.alarm for token in tokens if isinstance(token, Stands)}) > _MOST_ALARMS:
        raise Malformed(f"the rule names more than {_MOST_ALARMS} alarms")

    def peek() -> object:
        return tokens[at] if at < len(tokens) else None

    def either(depth: int) -> Rule:
        nonlocal at
        if depth > _DEEPEST:
            raise Malformed(f"the rule is nested deeper than {_DEEPEST}")
        found = both(depth)
        while peek() == "OR":
            at += 1
            found = Either(found, both(depth))
        return found

    def both(depth: int) -> Rule:
        nonlocal at
        found = one(depth)
        while peek() == "AND":
            at += 1
            found = Both(found, one(depth))
        return found

    def one(depth: int) -> Rule:
        nonlocal at
        word = peek()
        at += 1
        match word:
            case Stands():
                return word
            case "TRUE" | "FALSE":
                return Constant(word == "TRUE")
            case "NOT":
                return Not(one(depth + 1)) if depth < _DEEPEST else either(depth + 1)
            case "(":
                found = either(depth + 1)
                if peek() != ")":
                    raise Malformed("')' is missing")
                at += 1
                return found
            case None:
                raise Malformed("the rule ends too early")
        raise Malformed(f"nothing can begin with {word!r}")

    found = either(0)
    if at < len(tokens):
        raise Malformed(f"AND or OR is expected, not {tokens[at]!r}")
    return found


def alarms(rule: Rule) -> Iterator[str]:
    """Names or ARNs, each as often as it stands there."""
    match rule:
        case Stands(_, alarm):
            yield alarm
        case Not(operand):
            yield from alarms(operand)
        case Both(left, right) | Either(left, right):
            yield from alarms(left)
            yield from alarms(right)


def holds(rule: Rule, state_of: Callable[[str], str | None]) -> bool:
    """``state_of`` an alarm is None where there is none: that is in no state."""
    match rule:
        case Stands(state, alarm):
            return state_of(alarm) == state
        case Constant(value):
            return value
        case Not(operand):
            return not holds(operand, state_of)
        case Both(left, right):
            return holds(left, state_of) and holds(right, state_of)
        case Either(left, right):
            return holds(left, state_of) or holds(right, state_of)


def _tokens(text: str) -> Iterator[Stands | str]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise Malformed(f"{text[at:].strip()[:30]!r} cannot be read")
        at = found.end()
        if found["state"]:
            yield Stands(found["state"], found["quoted"] or found["single"] or found["bare"])
        else:
            yield found["word"] or found["sign"]
