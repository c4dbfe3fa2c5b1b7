"""Functions of CloudFormation: which there are, what each takes, what a mapping has (guide: Intrinsic functions)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario, is_function
from mlops.check.templates.template import EXTENSIONS, Fault, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead
from mlops.ir.values import pointer

FINDINGS: Mapping[str, Told] = {
    "T007": Told(
        "wrong-function",
        Severity.ERROR,
        """There is no function of this name, or it does not take what it is given: too few values, a text where a
list has to be, an index past the end, a key that the mapping does not have.

Bad:  !If [IsProduction, ml.m5.xlarge]
Good: !If [IsProduction, ml.m5.xlarge, ml.m5.large]""",
    ),
}
_EXTENDED = ("Fn::ForEach", "Fn::Length", "Fn::ToJsonString")
_TAKEN: Mapping[str, tuple[int, int, str]] = {
    "Fn::And": (2, 10, "two to ten conditions"),
    "Fn::Cidr": (2, 3, "a block, a count and bits"),
    "Fn::Equals": (2, 2, "two values"),
    "Fn::FindInMap": (3, 4, "a mapping and two keys"),
    "Fn::If": (3, 3, "a condition, a value and another one"),
    "Fn::Join": (2, 2, "a delimiter and a list"),
    "Fn::Not": (1, 1, "one condition"),
    "Fn::Or": (2, 10, "two to ten conditions"),
    "Fn::Select": (2, 2, "an index and a list"),
    "Fn::Split": (2, 2, "a delimiter and a text"),
}
_OTHERS = (
    *("Fn::Base64", "Fn::GetAZs", "Fn::GetAtt", "Fn::GetStackOutput", "Fn::ImportValue", "Fn::Sub", "Fn::Transform"),
    *("Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"),
)
_ALL = (*_TAKEN, *_OTHERS, *_EXTENDED)
_OF_LISTS = ("Fn::Join", "Fn::Select")
_LISTS = "AWS::NotificationARNs"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for value, at in template.reached(scenario):
        if len(value) == 1:
            ((name, inside),) = value.items()
            if name.startswith("Fn::"):
                yield from _function(template, scenario, name, inside, at + pointer(name))
    if scenario is template.scenarios[0]:
        yield from _of_conditions(template)


def _function(template: Template, scenario: Scenario, name: str, inside: Any, at: str) -> Iterator[Fault]:
    known, _, rest = name.partition("::")[2].partition("::")
    if f"Fn::{known}" not in _ALL:
        if rest:
            return  # a word of a tool that writes templates
        yield Fault("T007", at, f"there is no function {name}{instead(name, _ALL)}")
        return
    if f"Fn::{known}" in _EXTENDED and not template.extended:
        yield Fault("T007", at, f"{name} is of {EXTENSIONS} alone", f"Transform: {EXTENSIONS}")
    if name == "Fn::GetAtt" and isinstance(inside, list) and (len(inside) != 2 or not isinstance(inside[0], str)):
        yield Fault("T007", at, "Fn::GetAtt takes a resource and an attribute")
    if name == "Fn::Base64" and isinstance(inside, list):
        yield Fault("T007", at, "Fn::Base64 takes one text, and has a list", "Fn::Join makes a text of it")
    taken = _TAKEN.get(name)
    if taken is None:
        return
    low, high, words = taken
    if not isinstance(inside, list):
        if not (isinstance(inside, dict) and template.extended):
            yield Fault("T007", at, f"{name} takes {words}, in a list")
        return
    if not low <= len(inside) <= high:
        yield Fault("T007", at, f"{name} takes {words}, and has {len(inside)}")
        return
    if name in _OF_LISTS and _is_text(template, inside[1]):
        yield Fault("T007", f"{at}/1", f"{name} takes {words}, and the second is one value", "put it into a list")
    if name == "Fn::Join" and isinstance(inside[1], list):
        for number, part in enumerate(inside[1]):
            if isinstance(part, list) or (isinstance(part, dict) and not any(map(is_function, part))):
                yield Fault("T007", f"{at}/1/{number}", "Fn::Join puts texts together, and this is none")
    if name == "Fn::Select":
        yield from _selected(scenario, inside, at)
    elif name == "Fn::FindInMap":
        yield from _found(template, scenario, inside, at)


def _is_text(template: Template, value: Any) -> bool:
    """Whether it is no list for certain."""
    match value:
        case {"Ref": str(name)} if len(value) == 1:
            declared = template.section("Parameters").get(name)
            if isinstance(declared, dict):
                kind = str(declared.get("Type"))
                return kind in ("String", "Number")
            return name != _LISTS and (name.startswith("AWS::") or name in template.written)
        case {"Fn::Sub": _} | {"Fn::Join": _} | {"Fn::Base64": _}:
            return len(value) == 1
        case dict() | list():
            return False
    return True


def _selected(scenario: Scenario, inside: list[Any], at: str) -> Iterator[Fault]:
    index, listed = (scenario.spot(item, f"{at}/{number}") for number, item in enumerate(inside))
    if not index.known or isinstance(index.value, bool):
        return
    text = str(index.value)
    if not text.isdecimal():
        yield Fault("T007", f"{at}/0", f"the index of Fn::Select is 0 or more, and not {text!r}")
    elif isinstance(listed.value, tuple) and len(text) < 10 and int(text) >= len(listed.value):
        yield Fault("T007", f"{at}/0", f"there is no item {text} of {len(listed.value)}, counted with 0 first")


def _found(template: Template, scenario: Scenario, inside: list[Any], at: str) -> Iterator[Fault]:
    mapping = template.section("Mappings").get(str(inside[0]))
    if len(inside) > 3 or not isinstance(mapping, dict):
        return  # a default is given, or there is no such mapping, which is told otherwise
    rows: Any = mapping
    for number in (1, 2):
        key = scenario.spot(inside[number], "").value
        if not isinstance(key, str | int) or isinstance(key, bool) or not isinstance(rows, dict):
            return
        if str(key) not in rows and not _is_chosen(template, inside[number], str(key)):
            return
        if str(key) not in rows:
            said = f"the mapping {inside[0]} has no {str(key)!r}" + (f" below {inside[1]!r}" if number == 2 else "")
            if number == 2 and not isinstance(inside[1], str):
                said = f"the mapping {inside[0]} has no {str(key)!r} in one of its rows"
            yield Fault("T007", f"{at}/{number}", f"{said}{instead(str(key), rows)}")
            return
        rows = rows[str(key)]


def _is_chosen(template: Template, written: Any, key: str) -> bool:
    """Whether it stands there, or is a value that a parameter says to take."""
    match written:
        case {"Ref": str(name)} if isinstance(declared := template.section("Parameters").get(name), dict):
            allowed = declared.get("AllowedValues")
            return key in map(str, [*(allowed if isinstance(allowed, list) else ()), declared.get("Default")])
    return not isinstance(written, dict)


def _of_conditions(template: Template) -> Iterator[Fault]:
    """They are asked before anything is made."""
    parameters = template.section("Parameters")
    for value, at in template.nodes(template.section("Conditions"), "/Conditions"):
        match value:
            case {"Ref": str(name)} if len(value) == 1 and name in template.written and name not in parameters:
                yield Fault("T007", f"{at}/Ref", f"a condition cannot ask {name}, which is not made yet")
            case {"Fn::GetAtt": _} if len(value) == 1:
                yield Fault("T007", f"{at}/Fn::GetAtt", "a condition cannot ask a resource, which is not made yet")
            case {"Fn::ImportValue": _} if len(value) == 1:
                said = "a condition cannot ask what another stack exports"
                yield Fault("T007", f"{at}/Fn::ImportValue", said, "a parameter that is given it")
