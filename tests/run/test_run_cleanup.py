"""Cleanup steps: what is deleted, what is skipped, and what may not be touched."""

from __future__ import annotations

from typing import Any

import pytest
from ports_for_tests import Account, processing, step

WRITE = "open('/opt/ml/processing/output/out/a.txt', 'w').write('A')"


def cleanup(*sources: dict[str, Any]) -> Any:
    return step("Cleanup", "Clean", {"Resources": {"S3": list(sources)}}, DependsOn=["Make"])


def make(account: Account, script: str = WRITE) -> Any:
    return processing(account, "Make", script, outputs=("out",))


OUT = {"Get": "Steps.Make.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
FILE = {"Std:Join": {"On": "/", "Values": [OUT, "a.txt"]}}


def told(account: Account) -> dict[str, Any]:
    found: dict[str, Any] = account.journal.last("Clean").metadata["Cleanup"]
    return found


def test_objects_that_are_named_go(account: Account) -> None:
    assert account.run(make(account), cleanup({"StepName": "Make", "S3Uris": [FILE]})) == "Succeeded"
    assert told(account) == {"CleanedSteps": ["Make"], "FailedSteps": [], "SkippedSteps": []}
    uri = account.journal.last("Make").response["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert account.objects.keys(uri) == ()


@pytest.mark.parametrize(
    ("source", "skipped"),
    [({"StepName": "Never"}, ["Never"]), ({"StepName": "Make"}, ["Make"])],
    ids=["it did not run", "nobody says which objects"],
)
def test_what_cannot_be_found_is_skipped(account: Account, source: dict[str, Any], skipped: list[str]) -> None:
    assert account.run(make(account), cleanup(source)) == "Succeeded"
    assert told(account)["SkippedSteps"] == skipped


@pytest.mark.parametrize("uri", ["s3://bucket/code/Make/main.py", "s3://bucket/elsewhere"])
def test_what_the_step_did_not_write_stays(account: Account, uri: str) -> None:
    account.objects.write(uri, "kept")
    assert account.run(make(account), cleanup({"StepName": "Make", "S3Uris": [uri]})) == "Succeeded"
    assert account.objects.read(uri) in (b"kept", WRITE.encode())
    (failed,) = told(account)["FailedSteps"]
    assert failed["ErrorCode"] == "ClientError" and f"{uri} is not below the outputs of Make" in failed["ErrorMessage"]
