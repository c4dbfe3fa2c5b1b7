"""Expressions of metric math: their grammar, and what is wrong with one before there are values.

Operators and functions are those of the guide ("Using math expressions with CloudWatch metrics"). SEARCH, LAMBDA,
INSIGHT_RULE_METRIC, DB_PERF_INSIGHTS, SERVICE_QUOTA and Metrics Insights are known by name alone: alarms take the
last four, and nobody here has what they ask for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NoReturn, TypeAlias

from mlops.ir.dataclass import dataclass


class Malformed(ValueError):
    """The text says what is wrong with the expression."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Id:
    """Another query, by its id."""

    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """One of the words that a function takes: REPEAT, ASC, …"""

    name: str


@dataclass(frozen=True, slots=True)
class Many:
    """``[m1, m2]``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    operand: Node


@dataclass(frozen=True, slots=True)
class Operation:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Number | Text | Id | Word | Many | Negated | Operation | Call

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "ABS": (1, 1),
    "ANOMALY_DETECTION_BAND": (1, 2),
    "AVG": (1, 1),
    "CEIL": (1, 1),
    "DATAPOINT_COUNT": (1, 1),
    "DATE": (1, 1),
    "DAY": (1, 1),
    "DIFF": (1, 1),
    "DIFF_TIME": (1, 1),
    "EPOCH": (1, 1),
    "FILL": (2, 2),
    "FIRST": (1, 1),
    "FLOOR": (1, 1),
    "HOUR": (1, 1),
    "IF": (2, 3),
    "LAST": (1, 1),
    "LOG": (1, 1),
    "LOG10": (1, 1),
    "MAX": (1, 1),
    "METRICS": (0, 1),
    "METRIC_COUNT": (1, 1),
    "MIN": (1, 1),
    "MINUTE": (1, 1),
    "MONTH": (1, 1),
    "PERIOD": (1, 1),
    "RATE": (1, 1),
    "REMOVE_EMPTY": (1, 1),
    "RUNNING_SUM": (1, 1),
    "SLICE": (2, 3),
    "SORT": (3, 4),
    "STDDEV": (1, 1),
    "SUM": (1, 1),
    "TIME_SERIES": (1, 1),
    "YEAR": (1, 1),
}
"""How many arguments each takes, at least and at most."""
ELSEWHERE = ("SEARCH", "LAMBDA", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS", "SERVICE_QUOTA", "SELECT")
WORDS = ("REPEAT", "LINEAR", "ASC", "DESC", "AVG", "MIN", "MAX", "SUM", "STDDEV")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z]\w*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))"
)
_DEEPEST = 50
_MOST_OPERATIONS = 600
"""Each of a chain stands below the next one; more than twice as many would fit into 2048 letters."""
_LOWEST_FIRST = (("OR", "||"), ("AND", "&&"), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"))
"""Operators from the one that binds least; beyond them stand a minus sign and ``^``."""
_SAME = {"||": "OR", "&&": "AND"}


@cache
def parse(text: str) -> Node:
    """
    >>> parse("100 * m1 / SUM([m1, m2])").operator
    '/'

    Raises Malformed.
    """
    return _Parser(text).whole()


def ids(node: Node) -> Iterator[str]:
    """Of the other queries that it reads, each as often as it stands there."""
    match node:
        case Id(name):
            yield name
        case Many(items) | Call(_, items):
            for item in items:
                yield from ids(item)
        case Negated(operand):
            yield from ids(operand)
        case Operation(_, left, right):
            yield from ids(left)
            yield from ids(right)


def functions(node: Node) -> Iterator[str]:
    match node:
        case Many(items):
            for item in items:
                yield from functions(item)
        case Call(name, items):
            yield name
            for item in items:
                yield from functions(item)
        case Negated(operand):
            yield from functions(operand)
        case Operation(_, left, right):
            yield from functions(left)
            yield from functions(right)


def order(expressions: Mapping[str, str], known: Sequence[str]) -> tuple[str, ...]:
    """Ids of the expressions so that each comes behind those that it reads. ``known`` are the ids of metrics. Raises
    Malformed for what cannot be read, for an id that nobody has, and for a circle."""
    reads = {name: tuple(dict.fromkeys(ids(_parsed(name, text)))) for name, text in expressions.items()}
    for name, others in reads.items():
        for other in others:
            if other not in expressions and other not in known:
                raise Malformed(f"{name}: there is no query with the id {other}")
    done: list[str] = []
    path: list[str] = []

    def visit(name: str) -> None:
        if name in done or name not in reads:
            return
        if name in path:
            raise Malformed(f"{' -> '.join([*path[path.index(name) :], name])}: they read each other in a circle")
        path.append(name)
        for other in reads[name]:
            visit(other)
        path.pop()
        done.append(name)

    for name in reads:
        visit(name)
    return tuple(done)


def _parsed(name: str, text: str) -> Node:
    try:
        return parse(text)
    except Malformed as error:
        raise Malformed(f"{name}: {error}") from None


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text)]
        self._at = 0
        self._depth = self._operations = 0

    def whole(self) -> Node:
        if not self._tokens:
            raise Malformed("the expression is empty")
        found = self._binary(0)
        if self._at < len(self._tokens):
            raise Malformed(f"nothing is expected at {self._peek()!r}")
        return found

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise Malformed("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _need(self, sign: str) -> None:
        found = self._take()[1]
        if found != sign:
            raise Malformed(f"{sign!r} is expected, not {found!r}")

    def _binary(self, level: int) -> Node:
        if level == len(_LOWEST_FIRST):
            return self._signed()
        self._deeper()
        left = self._binary(level + 1)
        while self._peek() in _LOWEST_FIRST[level]:
            sign = self._take()[1]
            self._operations += 1
            if self._operations > _MOST_OPERATIONS:
                raise Malformed(f"it has more than {_MOST_OPERATIONS} operations")
            left = Operation(_SAME.get(sign, sign), left, self._binary(level + 1))
        self._depth -= 1
        return left

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST * len(_LOWEST_FIRST):
            raise Malformed(f"it is nested deeper than {_DEEPEST}")

    def _signed(self) -> Node:
        minus = False
        while self._peek() in ("-", "+"):
            minus ^= self._take()[1] == "-"
        found = self._power()
        return Negated(found) if minus else found

    def _power(self) -> Node:
        base = self._item()
        if self._peek() != "^":
            return base
        self._take()
        self._deeper()
        found = Operation("^", base, self._signed())
        self._depth -= 1
        return found

    def _item(self) -> Node:
        kind, word = self._take()
        match kind:
            case "number":
                return Number(float(word))
            case "text":
                return Text(word[1:-1])
            case "name":
                return self._named(word)
        if word == "(":
            found = self._binary(0)
            self._need(")")
            return found
        if word == "[":
            return Many(self._listed("]"))
        raise Malformed(f"nothing can begin with {word!r}")

    def _named(self, token: str) -> Node:
        if token in ELSEWHERE:
            raise Malformed(f"{token} is no function that is known here")
        if self._peek() == "(":
            return self._call(token)
        if token in WORDS:
            return Word(token)
        if not token[0].islower():
            _no_function(token, "an id begins with a small letter")
        return Id(token)

    def _call(self, token: str) -> Node:
        if token not in FUNCTIONS:
            _no_function(token, f"there are {', '.join(FUNCTIONS)}")
        self._take()
        arguments = self._listed(")")
        least, most = FUNCTIONS[token]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise Malformed(f"{token} takes {wanted} arguments, not {len(arguments)}")
        return Call(token, arguments)

    def _listed(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while self._peek() != end:
            if found:
                self._need(",")
            found.append(self._binary(0))
        self._take()
        return tuple(found)


def _no_function(token: str, why: str) -> NoReturn:
    if token.upper() in FUNCTIONS and token.upper() != token:
        raise Malformed(f"{token} is written {token.upper()}")
    raise Malformed(f"{token} is neither a function nor an id: {why}")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise Malformed(f"{text[at:].strip()[:20]!r} cannot be read")
        at = found.end()
        kind = str(found.lastgroup)
        yield kind, found[kind]
