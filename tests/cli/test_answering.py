"""``mlops executions answer``: a Callback step that waits here is answered by whoever looks."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Told, in_this_process

ASKING = """\
from mlops import Callback, Fail, Pipeline, when
with Pipeline("asking") as pipeline:
    ask = Callback(
        "Ask", queue="https://sqs.eu-west-1.amazonaws.com/111122223333/q", inputs={"n": 3},
        outputs={"approved": bool, "score": float},
    )
    with when(ask.outputs["approved"] == False, name="Refused"):
        Fail("No", "refused")
"""
Mlops = Callable[..., Told]


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    (tmp_path / "pipeline.py").write_text(ASKING)
    monkeypatch.chdir(tmp_path)
    call = in_this_process(capfd)
    call("upsert", "pipeline.py")
    call("start", "asking")
    while status(call)[1].get("Ask") != "Executing":
        time.sleep(0.05)
    return call


def status(mlops: Mlops) -> tuple[str, dict[str, str]]:
    told = json.loads(mlops("executions", "show", "last", "--format", "json").out)
    return str(told["status"]), {step["name"]: step["status"] for step in told["steps"]}


WRONG = (
    (("Ask", "-o", "approved=true"), "Ask declares score, which the answer lacks", 2),
    (("Ask", "-o", "approved=true", "-o", "scor=1"), "Ask has no output 'scor'", 2),
    (("Ask", "-o", "approved"), "'approved' is no output", 2),
    (("Ask", "--give", "score=1", "--fail", "no"), "use --give or --fail, not both", 2),
    (("Ask", "-o", "approved=maybe", "-o", "score=1"), 'approved of Ask is "maybe", which is no Boolean', 2),
    (("Ask", "-o", "approved=true", "-o", "score=high"), 'score of Ask is "high", which is no Float', 2),
    (("No",), "No of execution", 1),
    (("last", "Ask", "more"), "give [EXECUTION] STEP", 2),
)


def test_answers_that_cannot_be(mlops: Mlops) -> None:
    """One execution hears them all, and goes on waiting."""
    for words, said, code in WRONG:
        assert said in mlops("executions", "answer", *words, code=code).err, words
    assert status(mlops)[1]["Ask"] == "Executing"


def test_an_answer_goes_on(mlops: Mlops) -> None:
    told = mlops("executions", "answer", "Ask", "-o", "approved=true", "-o", "score=0.5", "--format", "json").out
    answered = json.loads(told)
    assert (answered["step"], answered["outputs"]) == ("Ask", {"approved": "true", "score": "0.5"})
    mlops("executions", "show", "last", "--watch")
    assert status(mlops) == ("Succeeded", {"Ask": "Succeeded", "Refused": "Succeeded"})
    again = mlops("executions", "answer", "Ask", "-o", "approved=true", code=1).err
    assert "has ended, Succeeded; Ask waits for no answer any more" in again


def test_a_refusal_fails_the_step(mlops: Mlops) -> None:
    assert "was answered with a failure" in mlops("executions", "answer", "last", "Ask", "--fail", "too risky").out
    assert "too risky" in mlops("executions", "show", "last", "--watch", code=1).err


def test_what_waits_ends_with_its_account(mlops: Mlops, tmp_path: Path) -> None:
    """Nobody could ask it to stop any more."""
    (lock,) = tmp_path.glob(".mlops/executions/*/owner.lock")
    with lock.open() as held:
        shutil.rmtree(tmp_path / ".mlops")
        fcntl.flock(held, fcntl.LOCK_SH)  # waits for who runs it
    assert not (tmp_path / ".mlops").exists()
