"""A template that is too large for one stack is several: together they have what it had, each has what it names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mlops.emit.stacks.splitting import split
from mlops.ir import UsageError


def _spelt(template: Mapping[str, Any]) -> str:
    return json.dumps(template)


def _resource(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


WHOLE: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"Make": {"Type": "String", "Default": "true"}, "Only": {"Type": "String"}},
    "Conditions": {"Makes": {"Fn::Equals": [{"Ref": "Make"}, "true"]}},
    "Resources": {
        "Late": {
            **_resource(A={"Ref": "Early"}, B={"Fn::Sub": "x/${Early.Arn}/${Only}/${AWS::Region}"}),
            "DependsOn": ["First"],
        },
        "First": {**_resource(A="a"), "Condition": "Makes"},
        "Early": _resource(A={"Ref": "Only"}),
        "Last": _resource(A={"Fn::If": ["Makes", {"Fn::GetAtt": ["First", "Arn"]}, "b"]}, B=[{"Ref": "Late"}]),
    },
    "Outputs": {"Early": {"Value": {"Ref": "Early"}}, "Last": {"Value": {"Ref": "Last"}}},
}


def _asked(value: Any, word: str) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {word} and isinstance(value[word], str):
            yield value[word]
        for inside in value.values():
            yield from _asked(inside, word)
    elif isinstance(value, list):
        for inside in value:
            yield from _asked(inside, word)


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_parts_are_together_what_the_whole_was(most: int) -> None:
    parts = split(WHOLE, "p", _spelt, {"Resources": most, "Outputs": 200})
    assert len(parts) == {1: 4, 2: 2, 3: 2, 4: 1}[most]
    assert sorted(name for part in parts for name in part["Resources"]) == sorted(WHOLE["Resources"])
    there: set[str] = set()
    for part in parts:
        assert len(part["Resources"]) <= most
        known = {*part["Resources"], *part.get("Parameters", {}), "AWS::Region"}
        assert {*_asked(part, "Ref")} <= known
        assert {*_asked(part, "Fn::ImportValue")} <= there
        for resource in part["Resources"].values():
            assert set(resource.get("DependsOn", ())) <= set(part["Resources"])
        assert ("Conditions" in part) == ("Makes" in json.dumps(part["Resources"]))
        there |= {output["Export"]["Name"] for output in part.get("Outputs", {}).values() if "Export" in output}
    assert [name for part in parts for name in part.get("Outputs", {}) if name in WHOLE["Outputs"]] == ["Early", "Last"]
    if most == 4:
        assert parts == (WHOLE,)


def test_an_export_of_what_a_condition_makes_has_it_too() -> None:
    parts = split(WHOLE, "p", _spelt, {"Resources": 1, "Outputs": 200})
    (first,) = (part for part in parts if "First" in part["Resources"])
    assert first["Outputs"]["FirstArnExported"] == {
        "Value": {"Fn::GetAtt": ["First", "Arn"]},
        "Export": {"Name": "p-First-Arn"},
        "Condition": "Makes",
    }
    (late,) = (part for part in parts if "Late" in part["Resources"])
    assert [*late["Parameters"]] == ["Only"]
    assert late["Resources"]["Late"]["Properties"]["B"] == {
        "Fn::Sub": [
            "x/${ImportedEarlyArn}/${Only}/${AWS::Region}",
            {"ImportedEarlyArn": {"Fn::ImportValue": "p-Early-Arn"}},
        ]
    }


def test_no_part_exports_more_than_a_stack_has_outputs() -> None:
    named = {f"A{number}": _resource() for number in range(30)}
    asking = {f"B{number}": _resource(A={"Ref": f"A{number}"}) for number in range(30)}
    parts = split({"Resources": {**named, **asking}}, "p", _spelt, {"Resources": 20, "Outputs": 3})
    assert all(len(part.get("Outputs", {})) <= 3 and len(part["Resources"]) <= 20 for part in parts)
    assert sum(len(part["Resources"]) for part in parts) == 60


def test_what_no_template_has_room_for_is_told() -> None:
    with pytest.raises(UsageError, match=r"Big has 1,\d{3},\d{3} bytes"):
        split({"Resources": {"Big": _resource(A="x" * 1_100_000)}}, "p", _spelt)
