"""Retry policies: which failures are tried again, how often and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, Registry, processing, step

from mlops.ir import Step
from mlops.run.pace import Pace
from mlops.run.ports import RequestRefused
from mlops.run.retry import Retries, policies
from mlops.run.work import job_name

INTERNAL, THROTTLING, FAULT = "SageMaker.JOB_INTERNAL_ERROR", "Step.THROTTLING", "Step.SERVICE_FAULT"
KILLED = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"


def policy(*exceptions: str, **members: Any) -> dict[str, Any]:
    return {"ExceptionType": list(exceptions), "IntervalSeconds": 1, **members}


def with_policy(made: Step, *listed: dict[str, Any]) -> Step:
    return step(made.type, made.name, made.arguments, **made.members, RetryPolicies=list(listed))


def killed_once(account: Account) -> Step:
    """Kills itself in its first attempt, which it knows by the job's name."""
    first = job_name("abc123def456", "Prepare", 1)
    script = f"import os, signal, sys\nif sys.argv[1] == {first!r}:\n    {KILLED.splitlines()[1]}\n"
    return processing(account, "Prepare", script, arguments=({"Get": "Execution.ProcessingJobName"},))


def attempts(account: Account, name: str) -> list[tuple[int, str]]:
    ended = [record for record in account.journal.records if record.name == name and record.ended is not None]
    return [(record.attempt, record.status) for record in ended]


def test_a_killed_process_is_tried_again_in_a_folder_of_its_own(account: Account) -> None:
    assert account.run(with_policy(killed_once(account), policy(INTERNAL))) == "Succeeded"
    assert attempts(account, "Prepare") == [(1, "Failed"), (2, "Succeeded")]
    first, second = (record.log for record in account.journal.records if record.ended is not None)
    assert first is not None
    assert first != second
    assert f"{INTERNAL}: the step is tried again in 1 s" in first.read_text()


@pytest.mark.parametrize(
    ("script", "policies_", "expected"),
    [
        (KILLED, [], 1),
        (KILLED, [policy(THROTTLING)], 1),
        (KILLED, [policy(INTERNAL, MaxAttempts=0)], 1),
        (KILLED, [policy(THROTTLING), policy(INTERNAL, MaxAttempts=1)], 2),
        ("raise SystemExit(1)", [policy(INTERNAL)], 1),
        ("import os\nos.abort()", [policy(INTERNAL)], 1),
    ],
    ids=["no policy", "another exception", "never", "once", "the script's own exit", "the script's own crash"],
)
def test_what_is_tried_again(account: Account, script: str, policies_: list[Any], expected: int) -> None:
    assert account.run(with_policy(processing(account, "Prepare", script), *policies_)) == "Failed"
    assert attempts(account, "Prepare") == [(number + 1, "Failed") for number in range(expected)]


def test_a_limit_in_time_is_no_internal_error(account: Account) -> None:
    long = processing(account, "Prepare", "import time\ntime.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert account.run(with_policy(long, policy(INTERNAL)), pace=Pace(grace=0)) == "Failed"
    assert attempts(account, "Prepare") == [(1, "Failed")]
    assert "MaxRuntimeInSeconds" in (account.journal.last("Prepare").failure or "")


def test_others_go_on_meanwhile_and_those_that_wait_for_it_wait(account: Account) -> None:
    flaky = with_policy(killed_once(account), policy(INTERNAL))
    other = processing(account, "Other", "pass")
    behind = processing(account, "Behind", "pass", depends_on=("Prepare",))
    assert account.run(flaky, other, behind, max_parallel=1) == "Succeeded"
    ended = [(record.name, record.status) for record in account.journal.records if record.ended is not None]
    assert ended == [
        ("Prepare", "Failed"),
        ("Other", "Succeeded"),
        ("Prepare", "Succeeded"),
        ("Behind", "Succeeded"),
    ]


def test_a_stop_does_not_wait_for_the_next_try(account: Account) -> None:
    slow = policy(INTERNAL, IntervalSeconds=3600)
    account.journal.stop_when = lambda: bool(attempts(account, "Prepare"))
    assert account.run(with_policy(processing(account, "Prepare", KILLED), slow)) == "Stopped"
    assert attempts(account, "Prepare") == [(1, "Failed"), (2, "Stopped")]


def test_between_two_tries_a_step_is_not_shown_as_failed(account: Account) -> None:
    assert account.run(with_policy(killed_once(account), policy(INTERNAL))) == "Succeeded"
    told = [(record.attempt, record.status) for record in account.journal.records if record.name == "Prepare"]
    failed = told.index((1, "Failed"))
    assert told[failed + 1] == (2, "Starting")


class Busy(Registry):
    """Refuses the first request."""

    def __init__(self, account: Account, fault: str | None) -> None:
        super().__init__(account.state, "", account.journal)
        self.fault = fault
        self.asked = 0

    def create(self, operation: str, request: Any) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise RequestRefused("not now", self.fault)
        return super().create(operation, request)


@pytest.mark.parametrize(
    ("fault", "named", "expected"),
    [
        (THROTTLING, THROTTLING, "Succeeded"),
        (FAULT, FAULT, "Succeeded"),
        (FAULT, THROTTLING, "Failed"),
        (None, FAULT, "Failed"),
    ],
)
def test_a_refused_request(account: Account, fault: str | None, named: str, expected: str) -> None:
    account.registry = Busy(account, fault)
    model = step("Model", "Model", {"PrimaryContainer": {"Image": "image"}}, RetryPolicies=[policy(named)])
    assert account.run(model) == expected


def test_our_own_fault_is_told_as_one_of_the_service(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = account.objects.fetch
    faults = [OSError("no space left")]

    def failing(uri: str, target: Path) -> None:
        if faults:
            raise faults.pop()
        fetch(uri, target)

    monkeypatch.setattr(account.objects, "fetch", failing)
    assert account.run(with_policy(processing(account, "Prepare", "pass"), policy(INTERNAL))) == "Succeeded"


@pytest.mark.parametrize(
    ("members", "waits"),
    [
        ({}, [1, 2, 4, 8, 16, None]),
        ({"IntervalSeconds": 3, "BackoffRate": 1.0, "MaxAttempts": 2}, [3, 3, None]),
        ({"IntervalSeconds": 30, "BackoffRate": 1.0, "ExpireAfterMin": 1}, [30, 30, None]),
    ],
)
def test_intervals(members: dict[str, Any], waits: list[float | None]) -> None:
    retries = Retries(policies([{"ExceptionType": INTERNAL, **members}]), 0.0)
    clock, told = 0.0, []
    for _ in waits:
        told.append(retries.delay(INTERNAL, clock))
        clock += told[-1] or 0
    assert told == waits
