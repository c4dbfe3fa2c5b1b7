"""Steps for which stubs stand: nothing of them runs, others read what was given, and no cache takes it for real."""

from __future__ import annotations

from typing import Any

from ports_for_tests import Account, condition, processing, step

from mlops.ir.stub import Stub

RAISE = "raise SystemExit('it ran')"
COPY = """
import pathlib
for file in pathlib.Path('/opt/ml/processing/input/made').rglob('*'):
    print('found', file.name, file.read_text())
"""


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def told(path: str) -> Any:
    return step("Fail", "Told", {"ErrorMessage": get(path)})


def test_files_lie_where_the_step_would_have_put_them(account: Account) -> None:
    account.objects.write("s3://mine/given/a.txt", "A")
    make = processing(account, "Make", RAISE, outputs=("made",))
    where = get("Steps.Make.ProcessingOutputConfig.Outputs['made'].S3Output.S3Uri")
    read = processing(account, "Read", COPY, inputs={"made": where})
    stubs = {"Make": Stub(outputs={"made": "s3://mine/given"}, source="make.json")}
    assert account.run(make, read, stubs=stubs) == "Succeeded"
    assert "found a.txt A" in account.journal.log("Read")
    record = account.journal.last("Make")
    assert record.response["ProcessingJobStatus"] == "Completed"
    assert record.metadata == {"ProcessingJob": {}}
    assert account.registry.jobs.keys() == {account.journal.last("Read").metadata["ProcessingJob"]["Arn"].split("/")[1]}
    assert record.cache is not None and record.cache.key is None and record.cache.stub == "make.json"
    assert "a stub stands for this step (make.json)" in account.journal.log("Make")


def test_any_type_of_step_is_stood_for(account: Account) -> None:
    emr = step("EMR", "Crunch", {"StepConfig": {}})
    stubs = {"Crunch": Stub({"Status": {"State": "COMPLETED"}})}
    assert account.run(emr, told("Steps.Crunch.Status.State"), stubs=stubs) == "Failed"
    assert account.journal.statuses[-1] == ("Failed", "Step failure: One or multiple steps failed: COMPLETED")


def test_outputs_and_outcomes_are_told(account: Account) -> None:
    ask = step("Lambda", "Ask", {}, FunctionArn="arn", OutputParameters=[{"OutputName": "n", "OutputType": "Integer"}])
    never = condition("If", [], (step("Fail", "Good", {"ErrorMessage": get("Steps.Ask.OutputParameters['n']")}),))
    stubs = {"Ask": Stub({"OutputParameters": {"n": 7}}), "If": Stub({"Outcome": "True"})}
    assert account.run(ask, never, stubs=stubs) == "Failed"
    assert account.journal.statuses[-1] == ("Failed", "Step failure: One or multiple steps failed: 7")
    assert account.journal.last("Ask").metadata == {"Lambda": {"OutputParameters": [{"Name": "n", "Value": "7"}]}}
    assert account.journal.last("If").metadata == {"Condition": {"Outcome": "True"}}


def test_what_is_given_and_gone_fails_the_step(account: Account) -> None:
    make = processing(account, "Make", RAISE, outputs=("made",))
    assert account.run(make, stubs={"Make": Stub(outputs={"made": "s3://mine/nothing"})}) == "Failed"
    assert account.journal.last("Make").failure == "nothing lies at s3://mine/nothing, which the stub gives"


def test_a_step_of_a_loop_is_stood_for_in_every_iteration(account: Account) -> None:
    from mlops.ir.definition import Block
    from mlops.ir.values import from_json

    body = step("EMR", "Each", {"StepConfig": {}})
    loop = step("ForEach", "Loop", {"IterableItems": ["a", "b"]})
    from dataclasses import replace

    loop = replace(loop, blocks=(Block("ForEachBody", (body,)),), arguments=from_json({"IterableItems": ["a", "b"]}))
    assert account.run(loop, stubs={"Each": Stub({"Id": "s-1"})}) == "Succeeded"
    assert [account.journal.last(f"Each-{number}").response["Id"] for number in (0, 1)] == ["s-1", "s-1"]
