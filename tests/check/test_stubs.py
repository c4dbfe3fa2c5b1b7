"""What may stand for a step of any type, what is refused, and what others read that lacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from sound_definition import SOUND

from mlops.check import check
from mlops.check.stubs import example, given_for, left_out, need_all_that_is_read
from mlops.ir import Checked, UsageError
from mlops.ir.reader import read

ROLE = "arn:aws:iam::000000000000:role/r"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
MACHINE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def fails(name: str, path: str) -> dict[str, Any]:
    """A step that reads."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": get(path)}}


PREPARE = {
    "Name": "Prepare",
    "Type": "Processing",
    "Arguments": {
        "ProcessingResources": {"ClusterConfig": MACHINE},
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": "s3://bucket/out",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    },
    "PropertyFiles": [{"PropertyFileName": "quality", "OutputName": "out", "FilePath": "q.json"}],
}
ASK = {
    "Name": "Ask",
    "Type": "Lambda",
    "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:ask",
    "Arguments": {},
    "OutputParameters": [{"OutputName": "n", "OutputType": "Integer"}, {"OutputName": "who", "OutputType": "String"}],
}
EMR = {
    "Name": "Crunch",
    "Type": "EMR",
    "Arguments": {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "command-runner.jar"}}},
}
CHECKS = {
    "Name": "Branch",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [
            {
                "Type": "GreaterThan",
                "LeftValue": {"Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": "a"}},
                "RightValue": 1,
            }
        ],
        "IfSteps": [fails("Good", "Steps.Ask.OutputParameters['who']")],
        "ElseSteps": [fails("Bad", "Steps.Crunch.Status.State")],
    },
}
LINEAGE = {
    "Name": "Note",
    "Type": "Lineage",
    "Arguments": {"Actions": [{"ActionName": "a", "Source": {"SourceUri": "s3://b/k"}, "ActionType": "t"}]},
}


def checked(*steps: Mapping[str, Any]) -> Checked:
    definition, problems = read(json.dumps({"Version": "2020-12-01", "Steps": steps}))
    assert definition is not None, problems
    return check(definition)


TUNE = {"Name": "Tune", "Type": "Tuning", "Arguments": {}}
AGENT = {
    "Name": "Agent",
    "Type": "Job",
    "Arguments": {
        "JobName": "agent",
        "JobCategory": "AgentRFT",
        "JobConfigSchemaVersion": "1.0.0",
        "RoleArn": ROLE,
        # A Join, as where a parameter is in it: what it holds is known when the pipeline runs.
        "JobConfigDocument": {"Std:Join": {"On": "", "Values": ['{"Epochs": ', "2", "}"]}},
    },
}


@cache
def every() -> Checked:
    return checked(PREPARE, ASK, EMR, LINEAGE, CHECKS, TUNE)


TAKEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Ask", {"outputs": {"n": "3", "who": "me"}}, {"OutputParameters": {"n": 3, "who": "me"}}),
    ("Ask", {"values": {"OutputParameters['n']": 3}}, {"OutputParameters": {"n": 3}}),
    ("Ask", {"OutputParameters": {"n": 3}}, {"OutputParameters": {"n": 3}}),
    ("Prepare", {}, {}),
    ("Prepare", {"ExitMessage": "done"}, {"ExitMessage": "done"}),
    ("Crunch", {"values": {"Status.State": "COMPLETED"}}, {"Status": {"State": "COMPLETED"}}),
    ("Crunch", {"ClusterId": "j-2"}, {"ClusterId": "j-2"}),
    ("Note", {"values": {"ActionArns['a']": "arn"}}, {"ActionArns": {"a": "arn"}}),
    ("Branch", {"Outcome": "True"}, {"Outcome": "True"}),
    (
        "Tune",
        {"values": {f"TrainingJobSummaries[{n}].TrainingJobName": name for n, name in enumerate("ab")}},
        {"TrainingJobSummaries": [{"TrainingJobName": "a"}, {"TrainingJobName": "b"}]},
    ),
]


@pytest.mark.parametrize(("step", "document", "members"), TAKEN)
def test_what_stands_for_a_step(step: str, document: dict[str, Any], members: dict[str, Any]) -> None:
    assert given_for(every(), step, document, "stub.json").members == members


REFUSED: list[tuple[str, Any, str]] = [
    ("Aks", {}, "there is no step Aks for which stub.json could stand; there are .*did you mean 'Ask'"),
    ("Good", {}, "Good is a Fail step, and nothing can stand for it"),
    ("Ask", [1], "stub.json, the stub of Ask, is no JSON object"),
    ("Ask", {"outputs": [1]}, "outputs is no JSON object"),
    ("Ask", {"outputs": {"m": 1}}, "Ask has no output 'm'; it has n, who"),
    ("Ask", {"outputs": {"n": "x"}}, 'the output n of Ask is "x", which is no Integer'),
    ("Ask", {"OutputParameters": {"m": 1}}, "Ask has no output 'm'"),
    ("Crunch", {"OutputParameters": {"m": 1}}, "Crunch declares no OutputParameters"),
    ("Prepare", {"outputs": {"ouut": "f"}}, "Prepare has no output 'ouut'; it has out; did you mean 'out'"),
    ("Prepare", {"outputs": {"out": 1}}, "the output out of Prepare is 1, and no file, folder or S3 URI"),
    ("Prepare", {"ExitMesage": "done"}, "a Processing step has no ExitMesage; did you mean 'ExitMessage'"),
    ("Prepare", {"ExitMessage": 1}, "/ExitMessage: ExitMessage: 1 where a string is wanted"),
    ("Prepare", {"ProcessingJobStatus": "Done"}, "/ProcessingJobStatus: .*'Done'"),
    ("Crunch", {"values": {"[x": 1}}, "is no path below Steps.Crunch"),
    ("Branch", {}, "has to say which branch is taken"),
    ("Branch", {"Outcome": True}, "has to say which branch is taken"),
    ("Branch", {"Outcome": ["True"]}, "has to say which branch is taken"),
    (
        "Prepare",
        {"values": {"ProcessingOutputConfig.Outputs['out']": "s3://b/x"}},
        "is no path below Steps.Prepare for",
    ),
    ("Tune", {"values": {"TrainingJobSummaries[99999999999].TrainingJobName": "a"}}, "is no path below Steps.Tune"),
]


@pytest.mark.parametrize(("step", "document", "told"), REFUSED)
def test_what_cannot_stand_for_a_step(step: str, document: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        given_for(every(), step, document, "stub.json")


LACKING: list[tuple[dict[str, dict[str, Any]], str | None]] = [
    ({}, None),
    ({"Prepare": {}}, "the output out, in which q.json lies"),
    ({"Prepare": {"outputs": {"out": "nothing"}}}, "q.json in the output out"),
    ({"Prepare": {"outputs": {"out": "full"}}}, None),
    ({"Prepare": {}, "Branch": {"Outcome": "True"}}, None),
    ({"Ask": {"outputs": {"n": 1}}}, r"OutputParameters\['who'\]"),
    ({"Ask": {"outputs": {"who": "me"}}}, None),
    ({"Ask": {"outputs": {"n": 1}}, "Branch": {"Outcome": "False"}}, None),
    ({"Ask": {"outputs": {"n": 1}}, "Branch": {"Outcome": "True"}}, r"OutputParameters\['who'\]"),
    ({"Crunch": {}}, "Status.State"),
    ({"Crunch": {"Status": {"State": "COMPLETED"}}}, None),
]


@pytest.mark.parametrize(("stubs", "told"), LACKING)
def test_what_others_read_is_there_before_anything_starts(stubs: dict[str, dict[str, Any]], told: str | None) -> None:
    given = {name: given_for(every(), name, document, "stub.json") for name, document in stubs.items()}

    def judge() -> None:
        need_all_that_is_read(every(), given, lambda place, file: (place, file) == ("full", "q.json"))

    if told is None:
        judge()
    else:
        with pytest.raises(UsageError, match=f"lacks what .* reads: {told}"):
            judge()


def test_a_condition_that_is_chosen_leaves_its_other_branch_out() -> None:
    chosen = {"Branch": given_for(every(), "Branch", {"Outcome": "False"}, "stub.json")}
    assert left_out(every(), chosen) == {"Branch", "Good"}


def test_all_that_lacks_is_told_at_once_with_a_file_that_has_it() -> None:
    reads = fails("Late", "Steps.Crunch.Config.Args[1]"), fails("Later", "Steps.Prepare.ExitMessage")
    several = checked(PREPARE, ASK, EMR, CHECKS, *reads)
    given = {name: given_for(several, name, {}, f"{name}.json") for name in ("Crunch", "Prepare", "Ask")}
    with pytest.raises(UsageError) as told:
        need_all_that_is_read(several, given, lambda place, file: True)
    assert told.value.message.splitlines() == [
        "Prepare.json, the stub of Prepare, lacks what Branch and Later read: the output out, in which q.json lies; "
        "ExitMessage",
        "Ask.json, the stub of Ask, lacks what Good reads: OutputParameters['who']",
        "Crunch.json, the stub of Crunch, lacks what Bad and Late read: Status.State; Config.Args[1]",
    ]
    assert '"Config.Args[1]": "TEXT"' in str(told.value.hint) and '"out": "q.json"' in str(told.value.hint)


def every_step() -> list[tuple[Checked, str]]:
    sound = check(read(json.dumps(SOUND))[0] or every().definition)
    tuned = checked(TUNE, fails("End", "Steps.Tune.TrainingJobSummaries[1].TrainingJobName"))
    late = checked(EMR, fails("Late", "Steps.Crunch.Config.Args[2]"), fails("End", "Steps.Crunch.Config.Jar"))
    agent = checked(AGENT, fails("End", "Steps.Agent.JobConfigDocument.OutputModelPackageArn"))
    each = [
        (found, placed.step) for found in (every(), sound, tuned, late, agent) for placed in found.definition.placed()
    ]
    return [(found, step.name) for found, step in each if step.type != "Fail"]


def test_the_example_of_any_step_can_stand_for_it() -> None:
    for found, name in every_step():
        given = given_for(found, name, example(found, name), "stub.json")
        need_all_that_is_read(found, {name: given}, lambda place, file: True)
    late = [example(found, name) for found, name in every_step() if name == "Crunch"]
    assert {"values": {"Config.Args[2]": "TEXT", "Config.Jar": "TEXT"}} in late


def test_what_is_read_inside_of_a_text_is_no_echo_of_the_request() -> None:
    read_of = "JobConfigDocument.OutputModelPackageArn"
    found = checked(AGENT, fails("End", f"Steps.Agent.{read_of}"))
    with pytest.raises(UsageError, match=f"lacks what End reads: {read_of}"):
        need_all_that_is_read(found, {"Agent": given_for(found, "Agent", {}, "stub.json")}, lambda place, file: True)
    for document in ({"values": {read_of: "arn:x"}}, {"JobConfigDocument": {"OutputModelPackageArn": "arn:x"}}):
        given = given_for(found, "Agent", document, "stub.json")
        assert given.members == {"JobConfigDocument": {"OutputModelPackageArn": "arn:x"}}
        need_all_that_is_read(found, {"Agent": given}, lambda place, file: True)


def test_items_of_plain_values_of_which_nothing_is_said_are_empty() -> None:
    late = checked(EMR, fails("Late", "Steps.Crunch.Config.Args[2]"))
    values = {"Config.Args[2]": "c", "Config.Args[0]": "a"}
    assert given_for(late, "Crunch", {"values": values}, "x").members == {"Config": {"Args": ["a", "", "c"]}}
