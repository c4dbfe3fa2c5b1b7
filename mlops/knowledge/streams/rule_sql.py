"""Statements of rules of AWS IoT: what is none, as far as the guide says so.

The clauses are those of its SQL reference (docs.aws.amazon.com/iot/latest/developerguide: iot-sql-reference, -set,
-select, -from, -where), a topic filter is that of its page on topics. Expressions are the service's to judge: of them
is known that quotes and brackets close. Without FROM a rule is for Basic Ingest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlops.ir.dataclass import dataclass

LONGEST_TOPIC = 256
"""Bytes of UTF-8; quotas of AWS IoT Core."""
_READINGS = tuple(
    re.compile(
        rf"(?P<text>'{inside[0]}'|\"{inside[1]}\")|(?P<comment>--(?=\s|$)|/\*)|(?P<word>[@$]?\w+)|(?P<sign>\S)",
        re.DOTALL,
    )
    for inside in ((r"(?:[^'\\]|\\.)*", r'(?:[^"\\]|\\.)*'), ("[^']*", '[^"]*'))
)
"""With a backslash that takes a quote's meaning, and without: the guide does not say which it is."""
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_SET, _SELECT, _FROM, _WHERE = "SET", "SELECT", "FROM", "WHERE"
_LOOKALIKES = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}
"""What writing programs make of quotes and dashes."""


@dataclass(frozen=True, slots=True)
class _Token:
    """``depth`` counts the brackets around it: what is nested has clauses of its own."""

    kind: str
    text: str
    depth: int

    def is_clause(self, name: str) -> bool:
        return self.kind == "word" and self.depth == 0 and self.text.upper() == name


def wrong(statement: str) -> Iterator[str]:
    """Each fault in words."""
    tokens = _tokens(statement)
    faults = [*_unreadable(tokens)]
    yield from faults or _clauses(tokens)


def _tokens(statement: str) -> Sequence[_Token]:
    found: list[_Token] = []
    for reading in _READINGS:
        found, depth = [], 0
        for match in reading.finditer(statement):
            text = match.group()
            depth -= text in _BRACKETS
            found.append(_Token(str(match.lastgroup), text, depth))
            depth += text in _BRACKETS.values()
        if not any(token.kind == "sign" and token.text in "'\"" for token in found):
            break
    return found


def _unreadable(tokens: Sequence[_Token]) -> Iterator[str]:
    open_ones: list[str] = []
    for token in tokens:
        if token.kind == "comment":
            yield f"{token.text} begins a comment, and IoT's SQL has none"
            return
        if token.kind != "sign":
            continue
        if token.text in "'\"":
            yield f"the quote {token.text} is not closed"
            return
        if token.text in _LOOKALIKES:
            yield f"{token.text} is no sign of SQL: write {_LOOKALIKES[token.text]}"
        elif token.text in ";`":
            yield f"{token.text} is no sign of IoT's SQL"
        elif token.text in _BRACKETS.values():
            open_ones.append(token.text)
        elif token.text in _BRACKETS and (not open_ones or open_ones.pop() != _BRACKETS[token.text]):
            yield f"the bracket {token.text} closes none"
            return
    if open_ones:
        yield f"the bracket {open_ones[-1]} is not closed"


def _clauses(tokens: Sequence[_Token]) -> Iterator[str]:
    if not tokens:
        yield "it is empty"
        return
    select = _at(tokens, _SELECT)
    if select is None or (select > 0 and not tokens[0].is_clause(_SET)):
        yield f"it begins with {tokens[0].text}, and a statement with SELECT, or with SET before that"
        return
    source = _at(tokens, _FROM)
    end = next((at for at in (source, _at(tokens, _WHERE)) if at is not None), len(tokens))
    if end <= select + 1:
        yield "nothing is selected: behind SELECT comes *, or a list"
    if source is not None:
        yield from _source(tokens[source + 1 :])


def _source(tokens: Sequence[_Token]) -> Iterator[str]:
    """What stands behind FROM."""
    told = tokens[0].text if tokens else "nothing"
    if not tokens or tokens[0].kind != "text" or told[0] != "'":
        yield f"behind FROM comes a topic filter in single quotes, and not {told}"
        return
    yield from _filter(told[1:-1])
    behind = tokens[1:]
    if behind and not behind[0].is_clause(_WHERE):
        yield f"behind the topic filter comes WHERE or nothing, and not {behind[0].text}"
    elif len(behind) == 1:
        yield "WHERE has no condition"


def _filter(topic: str) -> Iterator[str]:
    levels = topic.split("/")
    if not topic:
        yield "the topic filter is empty"
    if len(topic.encode()) > LONGEST_TOPIC:
        yield f"the topic filter has {len(topic.encode())} bytes, and at most {LONGEST_TOPIC} are taken"
    for level in levels:
        if level not in ("#", "+") and ("#" in level or "+" in level):
            yield f"# and + are alone in their level of a topic filter, and not {level}"
    if "#" in levels[:-1]:
        yield f"# is the last level of a topic filter, and not {topic}"


def _at(tokens: Sequence[_Token], clause: str) -> int | None:
    return next((at for at, token in enumerate(tokens) if token.is_clause(clause)), None)
