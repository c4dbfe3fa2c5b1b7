"""Definitions of all sizes: inline below 100 KB, else through S3, beyond the API's own limit too."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlops.check import check
from mlops.deploy.pipelines.apply import apply
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.state import INLINE_BYTES, describe
from mlops.deploy.pipelines.upsert import upsert
from mlops.emit.targets.definition_json import emit_compact
from mlops.ir import Checked, Definition
from mlops.ir.document import document
from mlops.ir.reader import read

from .conftest import World
from .test_faults import killed_at
from .test_upsert import WRITES, calls

LONGEST = 2500
"""Characters of a hyperparameter; a step has a hundred of them."""


def training(name: str, values: list[str]) -> dict[str, Any]:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/pipelines",
            "OutputDataConfig": {"S3OutputPath": "s3://acme-ml/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "HyperParameters": {f"p{number}": value for number, value in enumerate(values)},
        },
    }


def size_of(definition: Definition) -> int:
    return len(emit_compact(definition).encode())


def large(size: int, said: str = "no") -> Checked:
    """A definition of that many bytes."""
    stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": said}}

    def filled(letters: int) -> Definition:
        values = ["é" * min(LONGEST, letters - start) for start in range(0, letters, LONGEST)]
        steps = [training(f"T{start}", values[start : start + 100]) for start in range(0, len(values), 100)]
        whole = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [*steps, stop]}
        definition, _ = read(json.dumps(whole))
        assert definition is not None
        return replace(definition, name="large")

    letters = size // 2
    for _ in range(3):  # what is around the values depends on how many there are
        letters += (size - size_of(filled(letters))) // 2
    checked = check(filled(letters))
    assert checked.ok, checked.findings[:3]
    assert abs(size_of(checked.definition) - size) < 40
    return checked


SIZES = {
    "just inline": INLINE_BYTES - 50,
    "just not": INLINE_BYTES + 50,
    "1 MB": 2**20,
    "beyond the API's limit": 2**20 + 2**18,
}


@pytest.mark.parametrize(
    ("world", "size"),
    # Which way it goes is ours to say; what each way needs of an account is asked of both.
    [*(("local", size) for size in SIZES), ("moto", "just inline"), ("moto", "beyond the API's limit")],
    indirect=["world"],
)
def test_it_arrives_whole_and_a_second_upsert_does_nothing(world: World, size: str) -> None:
    first, second = large(SIZES[size]), large(SIZES[size], "No")
    with calls(world) as made:
        assert upsert(world.account, world.environment, first).action == "created"
    puts = 1 if size == "just inline" else 2
    assert made.count("PutObject") == puts
    with calls(world) as made:
        assert upsert(world.account, world.environment, first).action == "unchanged"
    assert not [name for name in made if name.startswith(WRITES)]
    found = plan(world.account, world.environment, second)
    assert [(item.step, item.at) for item in found.changes] == [("Stop", "/Arguments/ErrorMessage")]
    assert apply(world.account, world.environment, found).action == "updated"
    there = describe(world.account, "large")
    assert there is not None
    assert there.state.document == document(second.definition)
    assert plan(world.account, world.environment, second).verb == "nothing"


@pytest.mark.parametrize("world", ["local", pytest.param("moto", marks=pytest.mark.proof("kills"))], indirect=True)
def test_a_kill_at_each_write_of_a_large_one_is_finished_by_the_next(world: World) -> None:
    upsert(world.account, world.environment, large(INLINE_BYTES + 50))
    for number in range(1, 9):
        checked = large(INLINE_BYTES + 50, f"no {number}")
        if not killed_at(world, checked, number, after=bool(number % 2)):
            break
        assert upsert(world.account, world.environment, checked).action in ("updated", "unchanged")
        found = plan(world.account, world.environment, checked)
        assert (found.verb, found.drift, found.unfinished) == ("nothing", None, None)
    assert number == 4  # definition, record, pipeline
