"""Managed spot training: a job whose instances are taken away goes on from its checkpoint."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from ports_for_tests import PACE, Account, training

from mlops.run.pace import Pace

COUNT = """
import os, pathlib, signal, sys, time
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
state = base / "checkpoints" / "epoch"
began = epoch = int(state.read_text()) if state.is_file() else 0
print("starts at", began, flush=True)
def leave(*_):
    print("asked to leave", flush=True)
    (base / "checkpoints" / "farewell").write_text(str(epoch))
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
(base / "model" / "first").touch()
while epoch < 3 or not began:
    epoch += 1
    state.with_suffix(".part").write_text(str(epoch))
    state.with_suffix(".part").replace(state)
    time.sleep(0.1)
    if epoch > 500:
        sys.exit("was never interrupted")
(base / "model" / "epochs").write_text(str(epoch))
"""


def spot(account: Account, script: str = COUNT, **changes: Any) -> Any:
    request = {
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": "s3://bucket/checkpoints/run"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        **changes,
    }
    return training(account, "Train", {"train.py": script}, **request)


def statuses(account: Account) -> list[str]:
    job = account.journal.last("Train").response
    return [item["Status"] for item in job["SecondaryStatusTransitions"]]


ONCE = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
TWICE = ["Starting", "Downloading", "Training", "Interrupted", *ONCE]


def test_it_goes_on_from_its_checkpoint(account: Account, sandbox_mode: str) -> None:
    assert account.run(spot(account), interruptions={"Train": 0.0}) == "Succeeded", account.journal.log("Train")
    log = account.journal.log("Train")
    starts = [int(line.rpartition(" ")[2]) for line in log.splitlines() if line.startswith("starts at")]
    assert starts[0] == 0 and starts[1] > 0 and len(starts) == 2
    assert log.count("asked to leave") == 1
    # What it wrote when it was told to go is stored too.
    assert account.objects.read("s3://bucket/checkpoints/run/farewell")
    assert statuses(account) == TWICE
    response = account.journal.last("Train").response
    transitions = response["SecondaryStatusTransitions"]
    assert all(item["EndTime"] == after["StartTime"] for item, after in pairwise(transitions))
    assert "EndTime" not in transitions[-1]


def test_nothing_is_interrupted_unless_it_is_asked_for(account: Account) -> None:
    script = "open(__import__('os').environ['SM_MODEL_DIR'] + '/x', 'w')"
    assert account.run(spot(account, script), interruptions={"Other": 0.0}) == "Succeeded"
    assert statuses(account) == ONCE


class Clock:
    """Goes on by half a minute whenever ``seen`` has counted one more."""

    def __init__(self, seen: Callable[[], int]) -> None:
        self._seen = seen

    def __call__(self) -> float:
        return time.monotonic() + 30 * self._seen()


def test_a_job_without_checkpoints_begins_anew(account: Account) -> None:
    """As soon as it has begun its first time is over; the second time it finds that it may end."""
    account.objects.write("s3://bucket/word/word", "wait")

    def let_it_end(description: Mapping[str, Any]) -> None:
        if description.get("SecondaryStatus") == "Interrupted":
            account.objects.write("s3://bucket/word/word", "end")

    account.registry.when_told = let_it_end
    script = """
import os, pathlib, sys, time
mark = pathlib.Path(os.environ["SM_MODEL_DIR"]) / "mark"
assert not mark.exists()
mark.touch()
print("begins", flush=True)
word = (pathlib.Path(os.environ["SM_CHANNEL_WORD"]) / "word").read_text()
time.sleep({"wait": 60, "end": 0}[word])
"""
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/word/"}
    step = spot(
        account,
        script,
        CheckpointConfig=None,
        InputDataConfig=[{"ChannelName": "word", "DataSource": {"S3DataSource": source}}],
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    )
    begun = account.attempt("Train") / "log.txt"
    clock = Clock(lambda: begun.read_text().count("begins\n") if begun.exists() else 0)
    pace = dataclasses.replace(PACE, blind=20.0, clock=clock)
    assert account.run(step, interruptions={"Train": 0.0}, pace=pace) == "Succeeded"
    assert account.journal.log("Train").count("begins\n") == 2
    assert statuses(account) == TWICE


def test_one_that_does_not_leave_is_killed(account: Account) -> None:
    script = COUNT.replace("signal.signal(signal.SIGTERM, leave)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    assert account.run(spot(account, script), pace=Pace(grace=0.3), interruptions={"Train": 0.0}) == "Succeeded"
    assert statuses(account) == TWICE


@pytest.mark.parametrize(
    ("wait", "without", "secondary", "failure"),
    [
        (1, 600.0, "MaxWaitTimeExceeded", "it ran longer than MaxWaitTimeInSeconds = 1"),
        (60, 0.0, "Completed", None),
    ],
)
def test_the_longest_wait(account: Account, wait: int, without: float, secondary: str, failure: str | None) -> None:
    step = spot(account, StoppingCondition={"MaxRuntimeInSeconds": wait, "MaxWaitTimeInSeconds": wait})
    began = time.monotonic()
    ended = account.run(step, interruptions={"Train": without})
    assert ended == ("Failed" if failure else "Succeeded") and time.monotonic() - began < 300
    assert account.journal.last("Train").failure == failure
    assert statuses(account)[-1] == secondary


def test_stopped_while_it_waits_for_instances(account: Account) -> None:
    account.journal.stop_when = lambda: "Interrupted" in str(account.registry.jobs)
    assert account.run(spot(account), interruptions={"Train": 30.0}) == "Stopped"
    assert statuses(account) == ["Starting", "Downloading", "Training", "Interrupted", "Stopped"]


def test_what_a_script_deletes_is_no_checkpoint_any_more(account: Account) -> None:
    """It deletes when all is stored."""
    account.objects.write("s3://bucket/checkpoints/run/old", "old")
    script = """
import os, pathlib, time
folder = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "checkpoints"
assert (folder / "old").read_text() == "old"
(folder / "new").write_text("new")
(folder / "short").write_text("short")
deadline = time.monotonic() + 60
while not (folder / "../go").exists() and time.monotonic() < deadline:
    time.sleep(0.02)
(folder / "short").unlink()
(folder / "old").unlink()
"""

    def look() -> bool:
        if account.objects.keys("s3://bucket/checkpoints/run/short"):
            with suppress(FileNotFoundError):  # over, and tidied up
                (account.attempt("Train") / "ml" / "go").touch()
        return False

    account.journal.stop_when = look
    account.objects.write("s3://bucket/checkpoints/running/else", "not ours")
    assert account.run(spot(account, script)) == "Succeeded", account.journal.log("Train")
    assert account.objects.keys("s3://bucket/checkpoints/run") == (
        "s3://bucket/checkpoints/run/new",
        "s3://bucket/checkpoints/running/else",
    )


def test_a_link_in_place_of_the_checkpoints_deletes_nothing(account: Account) -> None:
    account.objects.write("s3://bucket/checkpoints/run/old", "old")
    script = """
import os, pathlib, shutil
folder = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "checkpoints"
shutil.rmtree(folder)
folder.symlink_to("/etc")
"""
    # Looked at only when it has ended: between its two calls there is no folder, and so no checkpoint.
    account.run(spot(account, script), pace=replace(PACE, uploads=60.0))
    assert account.objects.keys("s3://bucket/checkpoints/run") == ("s3://bucket/checkpoints/run/old",)
