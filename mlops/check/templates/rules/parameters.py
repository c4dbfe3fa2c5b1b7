"""Parameters: their types, and defaults against what each says of its values (guide: Parameters syntax)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario
from mlops.check.templates.template import Fault, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead
from mlops.ir.values import pointer

FINDINGS: Mapping[str, Told] = {
    "T006": Told(
        "wrong-parameter",
        Severity.ERROR,
        """A parameter has a type that there is not, or a default that is no text or number, or none that it would
take: of its allowed values, its pattern, its length, its bounds.

Bad:  InstanceTypes: {Type: Map, Default: {dev: ml.t3.medium}}
Good: a mapping below Mappings, read by Fn::FindInMap""",
    ),
}
_TYPES = re.compile(
    r"String|Number|List<(?:Number|String)>|CommaDelimitedList|(?:List<)?AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+>?"
    r"|AWS::SSM::Parameter::(?:Name|Value<.+>)"
)
_MEMBERS = (
    *("AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description", "MaxLength", "MaxValue"),
    *("MinLength", "MinValue", "NoEcho", "Type"),
)
_STORED = "AWS::SSM::"
"""What stands in the parameter store is named by the default, and judged when it is read."""
_POSSESSIVE = re.compile(r"[*+?}]\+|\(\?>|\\p\{")
"""Java's patterns have what Python's have not, or otherwise."""


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if scenario is not template.scenarios[0]:
        return  # nothing here depends on a condition
    for name, declared in template.section("Parameters").items():
        at = f"/Parameters{pointer(name)}"
        if not isinstance(declared, dict):
            yield Fault("T006", at, f"the parameter {name} is no object", "Type: String")
            continue
        if not template.transformed:
            for member in declared:
                if member not in _MEMBERS:
                    said = f"a parameter has no {member}{instead(member, _MEMBERS)}"
                    yield Fault("T006", at + pointer(member), said)
        yield from _kind(name, declared.get("Type"), at)
        yield from _default(name, declared, f"{at}/Default")


def _kind(name: str, kind: object, at: str) -> Iterator[Fault]:
    if isinstance(kind, str) and _TYPES.fullmatch(kind) is not None:
        return
    told = "says no Type" if kind is None else f"is of the type {kind!r}, which there is not"
    mend = "use String, Number or a list; tables go below Mappings"
    yield Fault("T006", f"{at}/Type", f"the parameter {name} {told}", mend)


def _default(name: str, declared: Mapping[str, Any], at: str) -> Iterator[Fault]:
    default, kind = declared.get("Default"), str(declared.get("Type"))
    if isinstance(default, dict | list):
        yield Fault("T006", at, f"the default of {name} is no text", "tables go below Mappings")
        return
    if default is None or kind.startswith(_STORED):
        return
    values = _values(kind, default)
    allowed = declared.get("AllowedValues")
    if isinstance(allowed, list) and not set(values) <= {_text(item) for item in allowed}:
        yield Fault("T006", at, f"the default of {name}, {default!r}, is none of its AllowedValues")
        return
    for value in values:
        for said in (*_number(kind, value, declared), *_words(kind, value, declared)):
            yield Fault("T006", at, f"the default of {name}, {value!r}, {said}")


def _values(kind: str, default: object) -> list[str]:
    """Each item of a list, which is written as a text with commas."""
    listed = kind == "CommaDelimitedList" or kind.startswith("List<")
    return [item.strip() for item in str(default).split(",")] if listed else [_text(default)]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(kind: str, value: str, declared: Mapping[str, Any]) -> Iterator[str]:
    if "Number" not in kind:
        return
    found = _as_number(value)
    if found is None:
        yield "is no number"
        return
    low, high = (_as_number(declared.get(bound)) for bound in ("MinValue", "MaxValue"))
    if low is not None and found < low:
        yield f"is below MinValue, {low:g}"
    if high is not None and found > high:
        yield f"is above MaxValue, {high:g}"


def _words(kind: str, value: str, declared: Mapping[str, Any]) -> Iterator[str]:
    if kind != "String":
        return
    low, high = (_as_number(declared.get(bound)) for bound in ("MinLength", "MaxLength"))
    if low is not None and len(value) < low:
        yield f"is shorter than MinLength, {low:g}"
    if high is not None and len(value) > high:
        yield f"is longer than MaxLength, {high:g}"
    pattern = declared.get("AllowedPattern")
    if isinstance(pattern, str) and _POSSESSIVE.search(pattern) is None and _matches(pattern, value) is False:
        yield f"does not match AllowedPattern, {pattern}"


def _matches(pattern: str, value: str) -> bool | None:
    """None where Python cannot read it."""
    try:
        return re.fullmatch(pattern, value) is not None
    except (re.error, RecursionError, OverflowError):
        return None


def _as_number(value: object) -> float | None:
    try:
        return None if value is None or isinstance(value, bool | dict | list) else float(str(value))
    except ValueError:
        return None
