"""How an execution goes: order, branches, failures, stops, retries."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import ARN, ROLE, SPECIFICATION, Account, checked, condition, processing, step

from mlops.run.execute import STEP_FAILURE, execute
from mlops.run.pace import Pace
from mlops.run.ports import StepRecord


def get(expression: str) -> dict[str, str]:
    return {"Get": expression}


WAIT = """
import os, pathlib, sys, time
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
(base / "mine").write_text(sys.argv[1])
print("up", flush=True)
deadline = time.monotonic() + 60
while not (base / "go").exists():
    assert time.monotonic() < deadline
    time.sleep(0.01)
assert (base / "mine").read_text() == sys.argv[1]
"""
"""Of a step that ends when it is told to; its argument is its name."""


def waiting(account: Account, name: str, **members: Any) -> Any:
    return processing(account, name, WAIT, arguments=(name,), **members)


def let_go(account: Account, *names: str, when: Callable[[], bool]) -> None:
    def look() -> bool:
        if when():
            for name in names:
                with suppress(FileNotFoundError):  # not there yet, or over and tidied up
                    (account.attempt(name) / "ml" / "go").touch()
        return False

    account.journal.stop_when = look


def is_up(account: Account, name: str) -> bool:
    log = account.attempt(name) / "log.txt"
    return log.exists() and "up\n" in log.read_text()


def test_side_by_side_each_with_its_own_folder(account: Account, sandbox_mode: str) -> None:
    """None ends before both are up."""
    let_go(account, "A", "B", when=lambda: is_up(account, "A") and is_up(account, "B"))
    assert account.run(waiting(account, "A"), waiting(account, "B"), max_parallel=2) == "Succeeded"
    starts = [index for index, record in enumerate(account.journal.records) if record.status == "Executing"]
    ends = [index for index, record in enumerate(account.journal.records) if record.status == "Succeeded"]
    assert max(starts) < min(ends)


def test_one_at_a_time(account: Account) -> None:
    steps = [processing(account, name, "") for name in ("A", "B")]
    assert account.run(*steps, max_parallel=1) == "Succeeded"
    assert [record.name for record in account.journal.records] == ["A"] * 3 + ["B"] * 3


EVALUATE = """
import os, pathlib
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
(base / "processing/output/report/evaluation.json").write_text('{"accuracy": 0.9}')
"""


@pytest.mark.parametrize(
    ("floor", "status", "ended", "failure"),
    [
        (0.8, "Succeeded", {"Eval": "Succeeded", "Good": "Succeeded", "Register": "Succeeded"}, None),
        (
            0.95,
            "Failed",
            {"Eval": "Succeeded", "Good": "Succeeded", "TooLow": "Failed"},
            "0.9 is below 0.95",
        ),
    ],
)
def test_both_branches(account: Account, floor: float, status: str, ended: dict[str, str], failure: str | None) -> None:
    quality = {"PropertyFileName": "quality", "OutputName": "report", "FilePath": "evaluation.json"}
    evaluate = processing(account, "Eval", EVALUATE, outputs=("report",), property_files=(quality,))
    accuracy = {"Std:JsonGet": {"PropertyFile": get("Steps.Eval.PropertyFiles.quality"), "Path": "accuracy"}}
    package = {"ModelPackageGroupName": "churn", "InferenceSpecification": SPECIFICATION}
    good = condition(
        "Good",
        [{"Type": "GreaterThanOrEqualTo", "LeftValue": accuracy, "RightValue": get("Parameters.Floor")}],
        then=(step("RegisterModel", "Register", package),),
        otherwise=(
            step(
                "Fail",
                "TooLow",
                {"ErrorMessage": {"Std:Join": {"On": " is below ", "Values": [accuracy, get("Parameters.Floor")]}}},
            ),
        ),
    )
    assert account.run(evaluate, good, parameters={"Floor": floor}) == status
    assert account.journal.ended() == ended
    assert account.journal.statuses[-1] == (status, failure and f"{STEP_FAILURE}: {failure}")
    assert account.journal.last("Good").metadata == {"Condition": {"Outcome": str(failure is None)}}
    assert account.journal.last("Good").response == {"Outcome": failure is None}
    if failure:
        assert account.journal.last("TooLow").metadata == {"Fail": {"ErrorMessage": failure}}
    else:
        arn = f"{ARN}:model-package/churn/1"
        assert account.journal.last("Register").metadata == {"RegisterModel": {"Arn": arn}}
        assert account.registry.package(arn)["ModelPackageName"] == "churn"  # the group's, not one of its own


def test_fail_waits_for_what_runs_and_starts_nothing_more(account: Account) -> None:
    slow = waiting(account, "Slow")
    let_go(account, "Slow", when=lambda: account.journal.ended().get("No") == "Failed")
    behind = processing(account, "Behind", "", depends_on=("Slow",))
    fail = step("Fail", "No", {"ErrorMessage": "enough"})
    assert account.run(slow, fail, behind, max_parallel=3) == "Failed"
    assert account.journal.ended() == {"Slow": "Succeeded", "No": "Failed"}
    assert account.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: enough")


def test_a_failure_lets_independent_steps_go_on(account: Account) -> None:
    bad = processing(account, "Bad", "raise SystemExit(1)")
    behind = processing(account, "BehindBad", "", depends_on=("Bad",))
    other = waiting(account, "Other")
    let_go(account, "Other", when=lambda: account.journal.ended().get("Bad") == "Failed")
    last = processing(account, "Last", "", depends_on=("Other",))
    assert account.run(bad, behind, other, last, max_parallel=2) == "Failed"
    assert account.journal.ended() == {"Bad": "Failed", "Other": "Succeeded", "Last": "Succeeded"}


def test_a_failure_that_a_step_waits_for(account: Account) -> None:
    bad = processing(account, "Bad", "raise SystemExit(1)")
    mend = processing(account, "Mend", "", depends_on=({"Step": "Bad", "Trigger": "Failed"},))
    assert account.run(bad, mend) == "CompletedWithFailures"
    assert account.journal.ended() == {"Bad": "Failed", "Mend": "Succeeded"}


@pytest.mark.parametrize("stubborn", [False, True])
def test_stop(account: Account, sandbox_mode: str, stubborn: bool) -> None:
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if stubborn else ""
    script = f"import signal, time\n{ignore}\nprint('up', flush=True)\ntime.sleep(600)"
    steps = processing(account, "Long", script), processing(account, "Next", "", depends_on=("Long",))
    account.journal.stop_when = lambda: bool(account.journal.records) and "up" in account.journal.log("Long")
    began = time.monotonic()
    assert account.run(*steps, pace=Pace(grace=0.5)) == "Stopped"
    assert time.monotonic() - began < 300
    assert [record.status for record in account.journal.records] == ["Starting", "Executing", "Stopping", "Stopped"]
    assert [status for status, _ in account.journal.statuses] == ["Executing", "Stopping", "Stopped"]
    assert account.registry.history[-1] == ("ProcessingJob", "Stopped")


def test_time_limit(account: Account) -> None:
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    assert account.run(processing(account, "Long", "import time; time.sleep(60)", **limit)) == "Failed"
    assert account.journal.last("Long").failure == "it ran longer than MaxRuntimeInSeconds = 1"


def test_finished_steps_are_not_repeated(account: Account) -> None:
    first = processing(account, "First", "raise SystemExit('again?')")
    second = processing(account, "Second", "", Environment={"JOB": get("Steps.First.ProcessingJobName")})
    done = StepRecord("First", "Processing", "Succeeded", response={"ProcessingJobName": "earlier"})
    assert account.run(first, second, finished={"First": done}) == "Succeeded"
    assert account.journal.ended() == {"Second": "Succeeded"}


def test_a_finished_condition_still_decides(account: Account) -> None:
    steps = condition(
        "If", [], then=(step("Fail", "Then", {"ErrorMessage": "x"}),), otherwise=(processing(account, "Else", ""),)
    )
    done = StepRecord("If", "Condition", "Succeeded", response={"Outcome": "False"})
    assert account.run(steps, finished={"If": done}) == "Succeeded"
    assert account.journal.ended() == {"Else": "Succeeded"}


def test_attempts_and_names(account: Account) -> None:
    steps = processing(account, "P_1", "raise SystemExit(1)")
    account.run(steps)
    account.run(steps)
    first, second = (record for record in account.journal.records if record.status == "Failed")
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.log != second.log
    names = [record.response["ProcessingJobName"] for record in (first, second)]
    assert len(set(names)) == 2
    assert all(name.startswith("pipelines-abc123def456-P-1-") and len(name) <= 63 for name in names)
    assert account.run(replace(steps, name="x" * 64)) == "Failed"
    assert len(account.journal.records[-1].response["ProcessingJobName"]) <= 63


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (step("EMR", "L", {}), "a step of type EMR cannot run on this machine"),
        (step("Nothing", "L", {}), "a step of type Nothing is none that is known here"),
        (step("RegisterModel", "L", {"ModelPackageGroupName": "churn"}), "One of InferenceSpecification, "),
        (step("Processing", "L", {"AppSpecification": 5}), "the image's own entrypoint cannot run here"),
        (step("Processing", "L", {"AppSpecification": {"ContainerEntrypoint": 5}}), "TypeError: Value after *"),
        (condition("L", [{"Type": "Equals", "LeftValue": 1, "RightValue": "1"}]), "Equals cannot compare"),
    ],
)
def test_a_step_that_cannot_run_fails_and_says_why(account: Account, failing: Any, reason: str) -> None:
    assert account.run(failing) == "Failed"
    failure = account.journal.last("L").failure
    assert failure is not None and reason in failure
    assert ("Traceback" in account.journal.log("L")) is ("Error:" in reason)


def test_models(account: Account) -> None:
    model = step(
        "Model",
        "M",
        {"PrimaryContainer": {"Image": "i", "Environment": {"N": get("Parameters.N")}}, "ExecutionRoleArn": ROLE},
    )
    described = {"ModelPackageDescription": get("Steps.M.ModelName"), "InferenceSpecification": SPECIFICATION}
    package = step("RegisterModel", "R", described)
    assert account.run(model, package, parameters={"N": 3}) == "Succeeded"
    (name,) = account.registry.models()
    assert name.startswith("pipelines-abc123def456-M-")
    made = account.registry.describe("DescribeModel", {"ModelName": name})
    assert made["PrimaryContainer"]["Environment"] == {"N": "3"}
    assert account.journal.last("M").metadata == {"Model": {"Arn": f"{ARN}:model/{name}"}}
    registered = account.registry.package(account.journal.last("R").metadata["RegisterModel"]["Arn"])
    assert registered["ModelPackageDescription"] == name
    assert registered["ModelPackageName"].startswith("pipelines-abc123def456-R-")


def test_a_broken_journal_ends_everything(account: Account, tmp_path: Path) -> None:
    class Broken(Exception):
        pass

    def fail() -> bool:
        if account.journal.ended().get("Long") == "Executing":
            raise Broken
        return False

    account.journal.stop_when = fail
    steps = checked(processing(account, "Long", "import time; time.sleep(60)"))
    with pytest.raises(Broken):
        execute(steps, account.execution(), account.ports)


def test_times_and_records_are_json(account: Account) -> None:
    account.run(processing(account, "P", ""))
    record = account.journal.last("P")
    assert record.started is not None and record.started.tzinfo is not None and record.ended is not None
    described = json.loads(json.dumps(record.response))
    assert (
        described["ProcessingStartTime"].endswith("Z") and described["ProcessingEndTime"] >= described["CreationTime"]
    )
