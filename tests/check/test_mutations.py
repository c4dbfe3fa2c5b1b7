"""Mutated definitions get findings or none: no traceback, no long thought. ``benchmarks/fuzz.py`` tries 50,000."""

from __future__ import annotations

import random
import time

import pytest
from mutating import spoil
from sample_step_types import TYPES
from sound_definition import SOUND

from mlops.check import check
from mlops.ir import Finding
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
