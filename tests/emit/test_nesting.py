"""A template as a root and the stacks below it: what is handed on is a parameter of the stack that asks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mlops.emit.stacks.nesting import Nested, nest, url
from mlops.emit.stacks.splitting import split
from tests.emit.test_splitting import WHOLE, _resource


def spelt(template: Mapping[str, Any]) -> str:
    return json.dumps(template)


def nested(whole: Mapping[str, Any], resources: int, given: int = 200) -> Nested:
    parts = split(whole, "p", spelt, {"Resources": resources, "Outputs": 200, "Given": given})
    return nest(whole, parts, url("acme", "mlops/stacks"), spelt, "json")


def below(found: Nested) -> list[dict[str, Any]]:
    return [json.loads(text) for text in found.below.values()]


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_the_root_hands_each_stack_what_it_asks_for(most: int) -> None:
    found = nested(WHOLE, most)
    stacks = found.root["Resources"]
    made = [name for template in below(found) for name in template["Resources"]]
    assert sorted(made) == sorted(WHOLE["Resources"])
    assert "Fn::ImportValue" not in json.dumps([found.root, *found.below.values()])
    outputs: dict[str, set[str]] = {}
    for (name, stack), (file, text) in zip(stacks.items(), found.below.items(), strict=True):
        template = json.loads(text)
        place = stack["Properties"]["TemplateURL"]["Fn::Sub"]
        assert place == f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/acme/mlops/stacks/{file}"
        assert set(stack["Properties"].get("Parameters", {})) == set(template.get("Parameters", {}))
        asked = json.dumps(stack)
        for other, told in outputs.items():
            names = {word for word in told if f"Outputs.{word}" in asked}
            assert not names or other in asked
        outputs[name] = set(template.get("Outputs", {}))
        # Each waits for the one before, by what it asks of it or in words.
        before = f"Stack{int(name.removeprefix('Stack')) - 1}"
        assert name == "Stack1" or f'"{before}"' in asked
    assert list(found.root["Outputs"]) == ["Early", "Last"]


def test_what_a_condition_makes_is_handed_on_where_it_is_made() -> None:
    found = nested(WHOLE, 1)
    last = next(
        stack
        for stack, text in zip(found.root["Resources"].values(), below(found), strict=True)
        if "Last" in text["Resources"]
    )
    given = last["Properties"]["Parameters"]["FirstArnExported"]
    assert given == {"Fn::If": ["Makes", {"Fn::GetAtt": ["Stack2", "Outputs.FirstArnExported"]}, ""]}
    assert found.root["Conditions"] == WHOLE["Conditions"] and "Make" in found.root["Parameters"]


def test_no_stack_is_given_more_than_it_has_parameters() -> None:
    named = {f"A{number}": _resource() for number in range(30)}
    asking = {f"B{number}": _resource(A={"Ref": f"A{number}"}) for number in range(30)}
    found = nested({"Resources": {**named, **asking}}, 40, given=6)
    assert all(len(template.get("Parameters", {})) <= 6 for template in below(found))
    assert sum(len(template["Resources"]) for template in below(found)) == 60


def test_another_content_is_another_key_and_the_same_the_same() -> None:
    one, again = nested(WHOLE, 2), nested(WHOLE, 2)
    assert list(one.below) == list(again.below)
    last = _resource(**WHOLE["Resources"]["Last"]["Properties"], C="another")
    other = nested({**WHOLE, "Resources": {**WHOLE["Resources"], "Last": last}}, 2)
    assert [name in other.below for name in one.below] == [True, False]
