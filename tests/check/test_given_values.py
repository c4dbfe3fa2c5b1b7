"""Values of an execution in the place of defaults: what is wrong with these is told no more, what with those is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops.check import check
from mlops.check.given_values import concerning, misfits
from mlops.ir import Checked
from mlops.ir.reader import read


def checked(default: Any, type_: str = "String", member: str = "ModelName") -> Checked:
    request = {
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://acme/in"}}},
        "TransformOutput": {"S3OutputPath": "s3://acme/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        member: {"Get": "Parameters.Given"},
    }
    document = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Given", "Type": type_, "DefaultValue": default}],
        "Steps": [{"Name": "Score", "Type": "Transform", "Arguments": request}],
    }
    definition, _ = read(json.dumps(document))
    assert definition is not None
    return check(definition)


def test_a_default_that_nobody_takes() -> None:
    found = checked("${Model}")
    assert "R331" in {item.code for item in concerning(found.findings, found.definition, {})}
    assert "R331" not in {item.code for item in concerning(found.findings, found.definition, {"Given": "m"})}


@pytest.mark.parametrize(
    ("default", "type_", "member", "given", "told"),
    [
        ("m", "String", "ModelName", "a b", ["Given: 'a b' does not have the form of ModelName"]),
        ("${Model}", "String", "ModelName", "m-1", []),
        (1, "Integer", "MaxConcurrentTransforms", "-1", ["Given: -1"]),
        (1, "Integer", "MaxConcurrentTransforms", "4", []),
    ],
)
def test_a_value_that_fits_or_does_not(default: Any, type_: str, member: str, given: str, told: list[str]) -> None:
    found = misfits(checked(default, type_, member), {"Given": given})
    assert len(found) == len(told)
    assert all(one.startswith(words) for one, words in zip(found, told, strict=True)), found
