"""Definition JSON, whoever wrote it, to the IR.

Never raises on any input: what cannot be read is a finding. Members that nobody has heard of are kept, absent, null
and empty stay apart, and so do ``1`` and ``1.0``, so that writing the result gives the same JSON value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mlops.ir.definition import Block, Definition, Parameter, Step
from mlops.ir.finding import Finding, Severity
from mlops.ir.lines import places, scan
from mlops.ir.values import Unknown, Value, from_json, pointer
from mlops.ir.where import Where

BLOCK_MEMBERS = ("IfSteps", "ElseSteps", "ForEachBody")
"""Arguments that hold steps, for every type that has them: the reader does not know step types."""

MAX_DEPTH = 128
"""Deeper than anything a person or an SDK writes; below it every recursive walk over a value is safe."""

MAX_DIGITS = 4300
"""Python's own limit on the digits of an integer that is read from text."""


FAULTS: Mapping[str, tuple[str, str]] = {
    "J001": ("not-utf-8", "A definition is JSON in UTF-8; other bytes have no meaning in it."),
    "J002": ("nested-too-deeply", f"Nothing that a person or an SDK writes is nested deeper than {MAX_DEPTH} levels."),
    "J003": ("malformed-json", "The text is not JSON; the place is where the parser gave up."),
    "J004": (
        "unreadable-number",
        "A number that readers round, refuse or take for infinity: 1e400, NaN, 5,000 digits.",
    ),
    "J005": ("not-a-definition", "A definition is a JSON object with Version and Steps."),
    "J006": ("misshapen-document", "Steps and Parameters are lists of objects, each with a Name and a Type."),
    "J007": ("repeated-member", "A member stands twice in one object; readers disagree on which one counts."),
    "J008": ("lone-surrogate", "Half of a surrogate pair, e.g. \\ud800 alone, is no text and cannot be sent."),
}
"""What the reader finds: name, and why it is wrong."""


class _Unreadable(Exception):
    """A number that no JSON reader can be trusted with."""


def read(text: str | bytes, file: str | None = None) -> tuple[Definition | None, tuple[Finding, ...]]:
    """``file`` is what findings name. None comes back only where there is no JSON object to speak of."""
    where = Where(file=file)
    try:
        content = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return None, (_finding("J001", f"byte {error.start} is not UTF-8", where=where),)
    deep = _too_deep(content)
    if deep is not None:
        message = f"nested deeper than {MAX_DEPTH} levels"
        return None, (_finding("J002", message, where=replace(where, line=deep)),)
    doubled = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        members = dict(items)
        doubled = doubled or len(members) != len(items)
        return members

    try:
        raw = json.loads(
            content,
            object_pairs_hook=pairs,
            parse_float=_float,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        place = Where(file=file, line=error.lineno, column=error.colno)
        return None, (_finding("J003", f"not JSON: {error.msg}", where=place),)
    except _Unreadable as error:
        return None, (_finding("J004", str(error), where=where),)
    if not isinstance(raw, dict):
        message = f"a definition is a JSON object, this is {_kind(raw)}"
        return None, (_finding("J005", message, where=replace(where, line=1)),)
    findings: list[Finding] = []
    if doubled:
        findings.extend(_repeated_members(content, file))
    if "\\u" in content or not content.isascii():
        findings.extend(_lone_surrogates(raw, where))
    definition = _definition(raw, where, findings)
    return definition, tuple(locate(findings, content, file))


def read_step(raw: Mapping[str, Any], where: Where) -> Step:
    """One step of a document that is put together in memory; what is misshapen in it is left to the checker."""
    return _step(raw, "", where, [])


def locate(findings: Iterable[Finding], text: str, file: str | None) -> list[Finding]:
    """Give line and column to every finding that has a pointer into ``text`` and no line yet."""
    listed = list(findings)
    missing = {finding.path for finding in listed if finding.path is not None and finding.where.line is None}
    if not missing:
        return listed
    found = places(text, missing)
    return [
        finding.at(Where(file, *found[finding.path]))
        if finding.path is not None and finding.where.line is None
        else finding
        for finding in listed
    ]


def _definition(raw: Mapping[str, Any], where: Where, findings: list[Finding]) -> Definition:
    members = {key: from_json(item) for key, item in raw.items() if key not in ("Parameters", "Steps")}
    has_parameters = isinstance(raw.get("Parameters"), list)
    if "Parameters" in raw and not has_parameters:
        members["Parameters"] = from_json(raw["Parameters"])
        if raw["Parameters"] is not None:
            _mistyped(findings, "/Parameters", "a list", raw["Parameters"], where)
    if "Steps" in raw and not isinstance(raw["Steps"], list):
        members["Steps"] = from_json(raw["Steps"])
        _mistyped(findings, "/Steps", "a list", raw["Steps"], where)
    return Definition(
        name=None,
        parameters=_parameters(raw["Parameters"], where, findings) if has_parameters else (),
        steps=_steps(raw.get("Steps"), "/Steps", where, findings),
        members=members,
        where=where,
        has_parameters=has_parameters,
    )


def _parameters(raw: list[Any], where: Where, findings: list[Finding]) -> tuple[Parameter, ...]:
    parameters = []
    for index, item in enumerate(raw):
        at = pointer("Parameters", index)
        if not isinstance(item, dict):
            _mistyped(findings, at, "an object", item, where)
            parameters.append(Parameter(name="", type="", where=where))  # later pointers shall not shift
            continue
        name, kind = item.get("Name"), item.get("Type", "String")
        if not isinstance(name, str):
            _mistyped(findings, f"{at}/Name", "a string", name, where)
        if not isinstance(kind, str) or not kind:
            _mistyped(findings, f"{at}/Type", "a string", kind, where)
        members = {key: from_json(value) for key, value in item.items() if key not in ("Name", "Type")}
        parameters.append(
            Parameter(
                name=name if isinstance(name, str) else "",
                type=kind if isinstance(kind, str) else "",
                members=members,
                where=where,
                has_type="Type" in item,
            )
        )
    return tuple(parameters)


def _steps(raw: Any, at: str, where: Where, findings: list[Finding]) -> tuple[Step, ...]:
    if not isinstance(raw, list):
        return ()
    steps = []
    for index, item in enumerate(raw):
        here = at + pointer(index)
        if not isinstance(item, dict):
            _mistyped(findings, here, "an object", item, where)
            steps.append(Step(name="", type="", arguments=Unknown(), where=where))  # later pointers shall not shift
            continue
        steps.append(_step(item, here, where, findings))
    return tuple(steps)


def _step(raw: Mapping[str, Any], at: str, where: Where, findings: list[Finding]) -> Step:
    name, kind, arguments = raw.get("Name"), raw.get("Type"), raw.get("Arguments")
    label = name if isinstance(name, str) else None
    if not isinstance(name, str):
        _mistyped(findings, f"{at}/Name", "a string", name, where)
    if not isinstance(kind, str) or not kind:
        _mistyped(findings, f"{at}/Type", "a string", kind, where, step=label)
    blocks = []
    if isinstance(arguments, dict):
        for member in BLOCK_MEMBERS:
            nested = arguments.get(member)
            if isinstance(nested, list):
                blocks.append(Block(member, _steps(nested, f"{at}/Arguments/{member}", where, findings)))
        held = {block.member for block in blocks}
        frozen: Value = {key: from_json(item) for key, item in arguments.items() if key not in held}
    else:
        frozen = from_json(arguments)
    return Step(
        name=name if isinstance(name, str) else "",
        type=kind if isinstance(kind, str) else "",
        arguments=frozen,
        members={key: from_json(item) for key, item in raw.items() if key not in ("Name", "Type", "Arguments")},
        blocks=tuple(blocks),
        where=where,
        has_arguments="Arguments" in raw,
    )


def _mistyped(findings: list[Finding], at: str, wanted: str, found: Any, where: Where, step: str | None = None) -> None:
    name = at.rpartition("/")[2]
    missing = found is None and not name.isdecimal()
    text = "is missing" if missing else "is empty" if found == "" else f"is {_kind(found)}"
    message = f"{f'item {name}' if name.isdecimal() else name} should be {wanted}, it {text}"
    findings.append(_finding("J006", message, where=where, path=at, step=step))


def _finding(code: str, message: str, *, where: Where, path: str | None = None, step: str | None = None) -> Finding:
    return Finding(code, FAULTS[code][0], Severity.ERROR, message, step=step, path=path, where=where)


def _repeated_members(text: str, file: str | None) -> list[Finding]:
    return [
        _finding(
            "J007",
            f"{located.pointer.rpartition('/')[2]} stands twice in one object; readers disagree on which one counts",
            where=Where(file, located.line, located.column),
            path=located.pointer,
        )
        for located in scan(text)
        if located.repeats
    ]


def _lone_surrogates(raw: Mapping[str, Any], where: Where) -> list[Finding]:
    findings: list[Finding] = []
    stack: list[tuple[str, Any]] = [("", raw)]
    while stack:
        at, item = stack.pop()
        if isinstance(item, str):
            if not _encodes(item):
                message = "half of a surrogate pair is no text"
                findings.append(_finding("J008", message, where=where, path=at))
        elif isinstance(item, dict):
            for key, value in item.items():
                # A key that is no text cannot stand in a pointer either; the finding names its object.
                stack.append((at + pointer(key), value) if _encodes(key) else (at, key))
        elif isinstance(item, list):
            stack.extend((f"{at}/{index}", value) for index, value in enumerate(item))
    return findings


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{\[]|[}\]]', re.DOTALL)

_BETWEEN = re.compile(r'(?:"(?:[^"\\]|\\.)*+"?|[^"{}\[\]]+)+', re.DOTALL)
"""All that is no bracket: taken out at once, which is ten times as fast as looking at each."""


def _too_deep(text: str) -> int | None:
    """The line where nesting passes the limit; brackets inside strings do not count."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return None
    depth = deepest = 0
    for bracket in _BETWEEN.sub("", text):
        depth += 1 if bracket in "{[" else -1
        if depth > deepest:
            deepest = depth
    if deepest <= MAX_DEPTH:
        return None
    depth = 0
    for match in _BRACKET.finditer(text):
        bracket = match[0]
        if bracket in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return text.count("\n", 0, match.start()) + 1
        elif bracket in "}]":
            depth -= 1
    return None


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Unreadable(f"{text[:40]} is too large for a number")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Unreadable(f"an integer of {len(text)} digits is too large for a number")
    return int(text)


def _constant(text: str) -> float:
    raise _Unreadable(f"{text} is not JSON")


def _kind(raw: Any) -> str:
    match raw:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
    return "an object"
