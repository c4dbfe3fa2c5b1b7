"""Mutated definitions get findings or none: no traceback, no long thought. ``benchmarks/fuzz.py`` tries 50,000."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from mutating import spoil
from sample_step_types import TYPES
from sound_definition import SOUND, spoilt

from mlops.check import check
from mlops.ir import Finding, Severity
from mlops.ir.reader import read


def told(text: str) -> tuple[Finding, ...]:
    definition, found = read(text.encode("utf-8", "surrogatepass"), "mutated.json")
    return found if definition is None else check(definition, findings=found, types=TYPES).findings


@pytest.mark.parametrize("seed", range(8))
def test_a_spoilt_definition_gives_findings(seed: int) -> None:
    for number in range(20):
        text = spoil(SOUND, random.Random(f"{seed}/{number}"))
        began = time.process_time()
        found = told(text)
        assert time.process_time() - began < 1, f"{seed}/{number}"
        assert all(isinstance(item.message, str) and item.message for item in found)


def test_a_monitor_of_an_endpoint_without_a_request_gives_findings() -> None:
    steps = (
        '{"Name": "Live", "Type": "Endpoint", "Arguments": 1},'
        '{"Name": "Watch", "Type": "Monitor", "Arguments": {"endpoint": {"Get": "Steps.Live.EndpointArn"}}}'
    )
    assert [item.step for item in told(f'{{"Version": "2020-12-01", "Steps": [{steps}]}}')] == ["Live", "Watch"]


HOSTILE = {
    "a regular expression that explodes": '"Regex": "((((a+)+)+)+)+b"',
    "brackets without end": '"Path": "' + "[" * 50_000 + '"',
    "a bucket without end": '"S3Uri": "s3://' + "a-" * 50_000 + '"',
    "a key without end": '"Get": "Steps.' + "A['" * 20_000 + '"',
    "an image without end": '"TrainingImage": "' + "1" * 100_000 + '"',
    "a token without end": '"x": "eyJ' + "A" * 100_000 + ".eyJ" + "B" * 100_000 + '"',
    "a command without end": '"x": "' + "password=" * 20_000 + '"',
    "a flag without end": '"x": "--' + "a-" * 100_000 + 'token"',
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_keeps_it_long(hostile: str) -> None:
    text = (
        '{"Version": "2020-12-01", "Parameters": [{"Name": "P", "Type": "String", "DefaultValue": {%s}}], "Steps": ['
        '{"Name": "Train", "Type": "Training", "Arguments": {"HyperParameters": {%s}, "AlgorithmSpecification": {%s,'
        ' "MetricDefinitions": [{"Name": "m", %s}]}, "InputDataConfig": [{"DataSource": {"S3DataSource": {%s}}}]}},'
        '{"Name": "Call", "Type": "Lambda", "Arguments": {%s}}]}' % ((hostile,) * 6)
    )
    began = time.process_time()
    told(text)
    assert time.process_time() - began < 1


OBJECT = {"a": []}
MONITOR = {
    "Drift:AppSpecification/ImageUri": "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer"
}
BOOSTED = {
    "Train:AlgorithmSpecification/TrainingImage": "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
}
OBJECTS: dict[str, dict[str, Any]] = {
    "a channel's name": {**BOOSTED, "Train:InputDataConfig/0/ChannelName": OBJECT},
    "an output's name": {
        "Prepare:ProcessingOutputConfig/Outputs/-": {"OutputName": OBJECT},
        "Train:InputDataConfig/0/ChannelName": "other",
    },
    "an input's name of a monitor": {**MONITOR, "Drift:ProcessingInputs/0/InputName": OBJECT},
    "a kind of check": {**MONITOR, "Drift.CheckType": OBJECT, "Drift:Environment/analysis_type": "DATA_QUALITY"},
}


@pytest.mark.parametrize("changes", OBJECTS.values(), ids=OBJECTS.keys())
def test_an_object_in_the_place_of_a_text_gives_findings(changes: dict[str, Any]) -> None:
    assert [item for item in told(json.dumps(spoilt(changes))) if item.severity is Severity.ERROR]
