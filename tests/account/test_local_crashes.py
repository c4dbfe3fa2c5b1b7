"""Nothing is lost: the command, the runner, or both are killed at some moment of a small pipeline. What was told before
stays told, nothing goes on in secret, and a retry finishes without repeating what was done."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from account_parts import Environment, runner_with
from botocore.exceptions import ClientError
from store_invariants import violations

from mlops.account import connect

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are counted through /proc"),
]

ROOT = Path(__file__).parent.parent.parent
SEED = 20201201
MOMENTS = 3
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/chain/execution/"
STEPS = ("One", "Two", "Three", "Four")
PIPELINE = """\
from mlops import Pipeline, Processing
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
with Pipeline("chain") as pipeline:
    # Another value with each start, so that no step is taken from an earlier run.
    salt = pipeline.string("Salt", default="none")
    before = None
    for name in {steps}:
        inputs = {{"before": before.outputs["text"]}} if before else {{}}
        before = Processing(
            name, code="step.py", image=IMAGE, inputs=inputs, outputs=["text"], args=[name, {marker!r}, salt]
        )
"""
STEP = """\
import sys, time
from pathlib import Path
before = Path("/opt/ml/processing/input/before/text.txt")
text = (before.read_text() if before.exists() else "") + sys.argv[1] + "\\n"
output = Path("/opt/ml/processing/output/text/text.txt")
for letter in text:
    with output.open("a") as file:
        file.write(letter)
    time.sleep(0.01)
"""


@dataclass(frozen=True, slots=True)
class Project:
    folder: Path
    marker: str

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mlops", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self, *arguments: str, code: int = 0) -> str:
        process = self.command(*arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, f"mlops {' '.join(arguments)}: {process.returncode}\n{out}\n{err}"
        return out

    def run(self, salt: str) -> subprocess.Popen[str]:
        return self.command("run", "pipeline.py", "-p", f"Salt={salt}")

    @property
    def sagemaker(self) -> Any:
        return connect(Environment(state=self.folder / ".mlops", bucket="mlops-local")).client("sagemaker")

    def executions(self) -> dict[str, str]:
        """Status by id, as the command line lists them."""
        listed = json.loads(self.told("executions", "list", "--format", "json"))
        return {item["PipelineExecutionArn"].rpartition("/")[2]: item["PipelineExecutionStatus"] for item in listed}

    def steps(self, execution: str) -> dict[str, tuple[str, int]]:
        """Status and number of attempts by step."""
        listed = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=f"{ARN}{execution}")
        found = {
            item["StepName"]: (item["StepStatus"], item["AttemptCount"]) for item in listed["PipelineExecutionSteps"]
        }
        for step, (_, attempts) in found.items():
            # What was told of a step, and its files, must agree; a kill may leave a folder that nobody heard of.
            folders = [*(self.folder / ".mlops/executions" / execution / step).glob("[0-9]*")]
            assert attempts in (len(folders), len(folders) - 1), f"{step}: {attempts} attempts, {len(folders)} folders"
        return found

    def ended(self, execution: str, seconds: float = 30) -> str:
        deadline = time.monotonic() + seconds
        sagemaker = self.sagemaker
        while time.monotonic() < deadline:
            found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=f"{ARN}{execution}")
            if found["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
                return str(found["PipelineExecutionStatus"])
            time.sleep(0.05)
        raise AssertionError(f"{execution} does not end")

    def processes(self) -> list[int]:
        """Everything that belongs to a step: by its command line, or by a mount of an attempt's folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes()
                mounts = (process / "mountinfo").read_text()
            except OSError:
                continue
            if self.marker.encode() in words or f"{self.folder}/.mlops/executions" in mounts:
                found.append(int(process.name))
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    marker = f"marker-{os.getpid()}-{tmp_path.name}"
    (tmp_path / "mlops.toml").write_text('[env.defaults]\ninstance = "ml.m5.large"\n')
    (tmp_path / "pipeline.py").write_text(PIPELINE.format(steps=STEPS, marker=marker))
    (tmp_path / "step.py").write_text(STEP)
    return Project(tmp_path, marker)


def until_gone(project: Project, seconds: float = 5) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := project.processes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def started_id(command: subprocess.Popen[str]) -> str:
    """Reads what a run tells until it tells its execution."""
    assert command.stderr is not None
    while ": execution " not in (line := command.stderr.readline()):
        assert line, "no execution was started"
    return line.rpartition(" ")[2].strip()


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("victim", ["command", "runner", "both"])
def test_killed_at_any_moment(project: Project, victim: str) -> None:
    moments = random.Random(f"{SEED}-{victim}")
    known: set[str] = set()
    for number in range(MOMENTS):
        command = project.run(str(number))
        if victim == "command":
            # Before, while and after it uploads, writes and starts.
            time.sleep(moments.uniform(0.2, 2.0))
            kill(command.pid)
            command.communicate()
            started = sorted(set(project.executions()) - known)
            known.update(started)
            for execution in started:
                # Its process goes on, unless it was never started; then that is told.
                status = project.ended(execution)
                assert status == "Succeeded" or not project.steps(execution)
        else:
            execution = started_id(command)
            time.sleep(moments.uniform(0.0, 2.0))
            if victim == "both":
                kill(command.pid)
            with suppress(AssertionError, ProcessLookupError):  # it was done before
                kill(runner_with(execution))
            command.communicate(timeout=20)
            assert until_gone(project) == [], "a step outlives its runner"
            known.add(execution)
        told = project.executions()
        assert set(told.values()) <= {"Succeeded", "Failed"}
        assert violations(project.folder / ".mlops") == []
        for execution in [name for name, status in told.items() if status == "Failed"]:
            goes_on(project, execution)
    assert until_gone(project) == []


def goes_on(project: Project, execution: str) -> None:
    before = project.steps(execution)
    project.told("executions", "retry", execution)
    after = project.steps(execution)
    assert {name: status for name, (status, _) in after.items()} == dict.fromkeys(STEPS, "Succeeded")
    for name, (status, attempts) in before.items():
        assert after[name][1] == attempts + (status != "Succeeded"), f"{name} was {status} after {attempts}"
    last = project.folder / f".mlops/objects/mlops-local/mlops/chain/{execution}/Four/output/text/text.txt"
    assert last.read_text().split() == list(STEPS)
    assert violations(project.folder / ".mlops") == []
    with pytest.raises(ClientError, match="Succeeded"):
        project.sagemaker.retry_pipeline_execution(PipelineExecutionArn=f"{ARN}{execution}")


def test_two_retries_at_once_run_it_once(project: Project) -> None:
    command = project.run("0")
    execution = started_id(command)
    while "Two" not in project.steps(execution):
        time.sleep(0.05)
    kill(runner_with(execution))
    command.communicate(timeout=20)
    both = [project.command("executions", "retry", execution, "--no-watch") for _ in range(2)]
    codes = sorted(process.wait(timeout=30) for process in both)
    for process in both:
        process.communicate()
    assert codes[0] == 0
    assert codes[1] in (1, 3)
    assert project.ended(execution) == "Succeeded"
    assert violations(project.folder / ".mlops") == []
