"""Finding executions among those of many pipelines takes few calls; values of a start are judged before it."""

from __future__ import annotations

import json
import time

import pytest

from mlops.deploy.executions.following import describe, find, listed
from mlops.ir import UsageError
from mlops.ir.reader import read
from mlops.ir.start_values import judge

from .conftest import World
from .test_upsert import calls

PARAMETERS = [
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Share", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Sure", "Type": "Boolean", "DefaultValue": True},
    {"Name": "Word", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
]
DOCUMENT = json.dumps(
    {
        "Version": "2020-12-01",
        "Parameters": PARAMETERS,
        "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as wanted"}}],
    }
)


def test_the_newest_is_found_by_asking_one_of_many_pipelines(world: World) -> None:
    sagemaker = world.account.client("sagemaker")
    for number in range(12):
        sagemaker.create_pipeline(
            PipelineName=f"p{number}",
            PipelineDefinition=DOCUMENT,
            RoleArn=world.environment.role,
            ClientRequestToken=f"{number:032}",
        )
    with calls(world) as made, pytest.raises(UsageError, match="there is no execution yet"):
        find(world.account, None)
    assert made.count("ListPipelineExecutions") == 0
    started = []
    for name in ("p7", "p3", "p9", "p3"):
        started.append(sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"])
        time.sleep(0.01)
    with calls(world) as made:
        assert find(world.account, "last") == started[-1]
    assert made.count("ListPipelineExecutions") == 1
    assert find(world.account, None, "p7") == started[0]
    # Of a hundred thousand none is listed for an id, and no more than there are pipelines are asked for it.
    identity = started[2].rpartition("/")[2]
    with calls(world) as made:
        assert find(world.account, identity) == started[2]
    assert made.count("ListPipelineExecutions") == 0
    assert made.count("DescribePipelineExecution") <= 3
    assert find(world.account, identity[:-1]) == started[2]
    for most in (1, 2, 3, 4, 9, None):
        with calls(world) as made:
            found = [str(item["PipelineExecutionArn"]) for item in listed(world.account, None, most)]
        assert found == started[::-1][:most]
        assert made.count("ListPipelineExecutions") <= 3
    for arn in started:
        while not describe_ended(world, arn):
            time.sleep(0.05)


def describe_ended(world: World, arn: str) -> bool:
    """moto runs nothing and knows no steps of it."""
    return not world.environment.is_local or describe(world.account, arn).ended


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Count": "7"}, None),
        ({"Count": "-7"}, None),
        ({"Count": "7.0"}, "Count takes an integer"),
        ({"Count": "1_000"}, "Count takes an integer"),
        ({"Count": " 7"}, "Count takes an integer"),
        ({"Count": "\u0667"}, "Count takes an integer"),
        ({"Count": "9" * 30}, "Count takes an integer"),
        ({"Share": "1"}, None),
        ({"Share": "-.5e-3"}, None),
        ({"Share": "nan"}, "Share takes a number"),
        ({"Share": "inf"}, "Share takes a number"),
        ({"Share": "1e999"}, "Share takes a number"),
        ({"Share": "1,5"}, "Share takes a number"),
        ({"Sure": "TRUE"}, None),
        ({"Sure": "yes"}, "Sure takes true or false"),
        ({"Word": "b"}, None),
        ({"Word": "c"}, "Word is one of a, b, not 'c'"),
        ({"Wird": "b"}, "did you mean 'Word'"),
    ],
    ids=str,
)
def test_a_value_is_taken_or_refused_before_the_start(given: dict[str, str], said: str | None) -> None:
    definition, _ = read(DOCUMENT)
    assert definition is not None
    if said is None:
        judge(definition, given)
        return
    with pytest.raises(UsageError, match=said):
        judge(definition, given)
