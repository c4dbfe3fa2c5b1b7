"""Cleanup steps: what is deleted, what is skipped, and what may not be touched."""

from __future__ import annotations

from typing import Any

import pytest
from ports_for_tests import Account, processing, step, training

from mlops.ir.stub import Stub

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
    none = {"Std:Join": {"On": "/", "Values": [OUT, "b.txt"]}}
    assert account.run(make(account), cleanup({"StepName": "Make", "S3Uris": [FILE, none]})) == "Succeeded"
    assert "1 object(s) of Make deleted; there is no object s3://" in account.journal.log("Clean")
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


def test_what_a_stub_gave_is_somebodys_own(account: Account) -> None:
    """A model that is given lies where its owner has it, among what else lies there."""
    for uri in ("s3://mine/model.tar.gz", "s3://mine/all-else"):
        account.objects.write(uri, "kept")
    stubs = {"Make": Stub(outputs={"model": "s3://mine/model.tar.gz"})}
    assert account.run(training(account, "Make", {}), cleanup({"StepName": "Make"}), stubs=stubs) == "Succeeded"
    assert told(account)["SkippedSteps"] == ["Make"]
    assert len(account.objects.keys("s3://mine/")) == 2


@pytest.mark.parametrize("uri", ["s3://bucket/code/Make/main.py", "s3://bucket/elsewhere"])
def test_what_the_step_did_not_write_stays(account: Account, uri: str) -> None:
    account.objects.write(uri, "kept")
    assert account.run(make(account), cleanup({"StepName": "Make", "S3Uris": [uri]})) == "Succeeded"
    assert account.objects.read(uri) in (b"kept", WRITE.encode())
    (failed,) = told(account)["FailedSteps"]
    assert failed["ErrorCode"] == "ClientError" and f"{uri} is not below the outputs of Make" in failed["ErrorMessage"]
