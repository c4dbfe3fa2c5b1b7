"""A sound template has nothing to be said of, and each fault that is planted in it is told, at its line."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from mlops.check.templates.judging import judge, stories
from mlops.check.templates.resolving import UNKNOWN, Scenario
from mlops.ir import Severity

HERE = Path(__file__).parent
SERVICES = yaml.safe_load((HERE / "services.yaml").read_text())
SOUND = (HERE / "sound.yaml").read_text()


def _filled(text: str) -> str:
    """``{x*3}`` is xxx."""
    return re.sub(r"\{(\w+)\*(\d+)\}", lambda found: found[1] * int(found[2]), text)


FAULTS = [
    pytest.param(*(_filled(fault[key]) for key in ("old", "new", "code")), id=fault["name"])
    for fault in tomllib.loads((HERE / "faults.toml").read_text())["fault"]
]


def test_of_the_sound_one_nothing_is_said() -> None:
    assert judge(SOUND.encode(), "template.yaml") == ()


def test_a_number_that_is_far_too_long_breaks_nothing() -> None:
    judge(SOUND.replace("DedicatedMasterCount: 3", f"DedicatedMasterCount: '{'3' * 5000}'").encode(), "template.yaml")


@pytest.mark.parametrize(("old", "new", "code"), FAULTS)
def test_a_planted_fault_is_told(old: str, new: str, code: str) -> None:
    assert old in SOUND
    found = judge(SOUND.replace(old, new, 1).encode(), "template.yaml")
    assert code in {finding.code for finding in found}, found
    assert all(finding.where.line for finding in found)


def test_every_code_is_planted() -> None:
    planted = {str(fault.values[2]) for fault in FAULTS} | {fault["code"] for fault in SERVICES["faults"]}
    planted |= {pair["code"] for pair in yaml.safe_load((HERE / "pairs.yaml").read_text())["pairs"]}
    assert set(stories()) - planted == {"T047"}, "the seeds have that one"
    assert all("Bad:" in told.text and "Good:" in told.text for told in stories().values())


@pytest.mark.parametrize(
    ("old", "new", "line", "column"),
    [
        ("RootAccess: Disabled", "RootAccess: Enabled", "RootAccess: Enabled", 7),
        ('"Steps": [', '"Steps": [...', '"Steps": [...', 23),
        ('"Type": "Fail"', '"Type": "Fial"', '"Type": "Fial"', 17),
        ("- !Ref SecurityGroup\n        Subnets", "- !Ref SecurityGrup\n        Subnets", "- !Ref SecurityGrup", 13),
    ],
)
def test_a_finding_stands_where_the_fault_is(old: str, new: str, line: str, column: int) -> None:
    text = SOUND.replace(old, new, 1)
    (place,) = (number for number, item in enumerate(text.splitlines(), 1) if line in item)
    assert (place, column) in {
        (finding.where.line, finding.where.column) for finding in judge(text.encode(), "template.yaml")
    }


def test_in_json_the_same_is_said_at_its_line() -> None:
    template = {
        "Resources": {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {
                    "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "PrimaryContainer": {"Image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/ours:1"},
                    "EnableNetworkIsolation": False,
                },
            }
        }
    }
    text = json.dumps(template, indent=2)
    found = {(finding.code, finding.where.line) for finding in judge(text.encode(), "template.json")}
    lines = text.splitlines()
    assert found == {
        ("T010", next(number for number, line in enumerate(lines, 1) if "GetAtt" in line)),
        ("T044", next(number for number, line in enumerate(lines, 1) if "Isolation" in line)),
    }


BODY = (
    "Resources: {A: {Type: AWS::SageMaker::Pipeline, Properties: {PipelineDefinition: {PipelineDefinitionBody: '%s'}}}}"
)
TEXTS = (
    "", "{", "[]", "a", "Resources: []", "Resources: {A: 1}", "Resources: {A: {Type: 3}}", "Parameters: []",
    "Resources: {A: {Type: AWS::SageMaker::Model, Properties: []}}",
    "Resources: {A: {Type: AWS::SageMaker::Model, Properties: {PrimaryContainer: [], Containers: 3}}}",
    "Resources: {A: {Type: AWS::IAM::Policy, Properties: {PolicyDocument: {Statement: [3, []]}}}}",
    BODY % ("[" * 3000),
    BODY % '{"Steps": 3, "Parameters": {}}',
    "Resources: {A: {Type: AWS::SageMaker::EndpointConfig, Properties: {ProductionVariants: [1, {VariantName: {}}]}}}",
    "Conditions: {A: {Condition: A}, B: {'Fn::Not': [{Condition: C}]}, C: {'Fn::Equals': [1]}}\nResources: {A: {}}",
    "Resources: {A: {Type: AWS::SageMaker::NotebookInstance, Properties: {Fn::If: [X, {}, {}]}}}",
    "Resources: " + "[" * 300,
    "? [a]\n: b",
    "Resources: !Sub [x]",
    "Resources: {A: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: {}}, Policies: 3}}}",
    "Resources: {A: !!bool perhaps, B: !!int ''}",
    *(f"Resources: {{A: {{Type: AWS::SageMaker::NotebookInstance, Properties: {{VolumeSizeInGB: {number}}}}}}}"
      for number in (".inf", "nan", "0x" + "f" * 5000, "1" + "0" * 400)),
    "Resources: {A: {Type: AWS::SageMaker::Endpoint, Properties: {DeploymentConfig: {BlueGreenUpdatePolicy: "
    "{TrafficRoutingConfiguration: {Type: CANARY, CanarySize: {Type: CAPACITY_PERCENT, Value: 1%s}}}}}}}" % ("0" * 400),
    '{"Resources": {"A": {"Type": "AWS::SageMaker::Model", "Properties": ' + "[" * 500 + "]" * 500 + "}}}",
    '{"Resources": {"A": {"Type": "AWS::SageMaker::Model", "Properties": {"ModelName": 1%s}}}}' % ("0" * 5000),
    '{"Resources": {"A": {"Type": "AWS::SageMaker::Model", "Properties": {"ModelName": {"Fn::Base64": "\\ud800"}}}}}',
    BODY % '{"Version": 1%s}' % ("0" * 5000),
    "Resources: {A: 1}\nConditions: {C0: {'Fn::Equals': [a, a]}, "
    + ", ".join(f"C{n + 1}: {{'Fn::Or': [{{'Fn::Not': [{{Condition: C{n}}}]}}, {{Condition: C{n}}}]}}"
                for n in reversed(range(60))) + "}",
    "Resources: {B: 1, A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${a%s'}}}" % (" " * 200_000),
    "Resources: {B: 1, A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '%s'}}}" % ("${a" * 100_000),
    "Resources: {A: {Type: AWS::SageMaker::NotebookInstanceLifecycleConfig, Properties: {OnStart: [{Content: "
    "!Base64 '%s'}]}}}" % ("sudo " * 100_000),
)  # fmt: skip


def test_a_text_that_doubles_itself_is_not_put_together() -> None:
    value: object = "x"
    for _ in range(24):
        value = {"Fn::Sub": ["${A}${A}", {"A": value}]}
    assert Scenario({}).spot(value, "").value is UNKNOWN
    assert Scenario({}).spot({"Fn::Sub": ["${A}-${!B}", {"A": "x"}]}, "").value == "x-${B}"


def test_of_very_many_references_to_nothing_not_each_is_compared_with_all() -> None:
    """It took minutes: names are compared with names."""
    resources = {f"Topic{number:04d}": {"Type": "AWS::SNS::Topic"} for number in range(500)}
    listed = [{"Ref": "Tpic0001"}, *({"Ref": f"Nothing{number:05d}"} for number in range(1000))]
    resources["Last"] = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"Tags": [{"Key": "a", "Value": ref} for ref in listed]},
    }
    found = [item for item in judge(json.dumps({"Resources": resources}).encode(), "t.json") if item.code == "T010"]
    assert len(found) == 1001 and "did you mean 'Topic0001'?" in found[0].message
    assert sum("there are" in item.message for item in found) <= 50


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_any_text_comes_to_an_end_with_findings(text: str) -> None:
    for file in ("template.yaml", "template.json"):
        assert any(finding.severity is Severity.ERROR for finding in judge(text.encode(), file))


SHAPES = [
    pytest.param(_filled(shape["text"].lstrip()), shape["code"], shape.get("kind", ""), id=shape["name"])
    for shape in tomllib.loads((HERE / "shapes.toml").read_text())["shape"]
]


@pytest.mark.parametrize(("text", "code", "kind"), SHAPES)
def test_a_fault_is_told_in_any_shape_and_its_border_is_not(text: str, code: str, kind: str) -> None:
    found = judge(text.encode(), "template.json" if text[0] == "{" else "template.yaml")
    if code:
        assert code in {finding.code for finding in found}, found
    else:
        assert [finding for finding in found if finding.code.startswith(kind) and kind] == []
