"""A project whose command or runner is killed, as its tests see it: by the command line, by files, by processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from account_parts import Environment

from mlops.account import connect

ROOT = Path(__file__).parent.parent.parent
STEPS = ("One", "Two", "Three", "Four")
PATIENCE_SECONDS = 300
"""A machine that runs other tests too is no fault of ours."""
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

GATE = """\
while sys.argv[1] == "Two" and not Path({gate!r}).exists():
    time.sleep(0.02)
"""
"""Before the second step's work, so that it is under way for as long as a test wants."""


@dataclass(frozen=True, slots=True)
class Project:
    """``marker`` is a word on the command line of every step, where the pipeline can have one."""

    folder: Path
    marker: str
    pipeline: str
    file: str
    salt: str
    """A parameter that no two starts give the same value."""
    modules: str = str(ROOT)
    """Where Python looks for modules first."""

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mlops", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": self.modules, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self, *arguments: str, code: int = 0) -> str:
        process = self.command(*arguments)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == code, f"mlops {' '.join(arguments)}: {process.returncode}\n{out}\n{err}"
        return out

    def run(self, salt: object, *options: str) -> subprocess.Popen[str]:
        return self.command("run", self.file, "-p", f"{self.salt}={salt}", *options)

    def arn(self, execution: str) -> str:
        return f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/{self.pipeline}/execution/{execution}"

    @property
    def sagemaker(self) -> Any:
        return connect(Environment(state=self.folder / ".mlops", bucket="mlops-local")).client("sagemaker")

    def executions(self) -> dict[str, str]:
        """Status by id."""
        sagemaker = self.sagemaker
        pipelines = [item["PipelineName"] for item in sagemaker.list_pipelines()["PipelineSummaries"]]
        return {
            item["PipelineExecutionArn"].rpartition("/")[2]: item["PipelineExecutionStatus"]
            for name in pipelines
            for item in sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
        }

    def steps(self, execution: str) -> dict[str, tuple[str, int]]:
        """Status and number of attempts by step."""
        listed = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=self.arn(execution))
        found = {
            item["StepName"]: (item["StepStatus"], item["AttemptCount"]) for item in listed["PipelineExecutionSteps"]
        }
        for step, (_, attempts) in found.items():
            # What was told of a step, and its files, must agree; a kill may leave a folder that nobody heard of.
            folders = [*(self.folder / ".mlops/executions" / execution / step).glob("[0-9]*")]
            assert attempts in (len(folders), len(folders) - 1), f"{step}: {attempts} attempts, {len(folders)} folders"
        return found

    def ended(self, execution: str, seconds: float = PATIENCE_SECONDS) -> str:
        deadline = time.monotonic() + seconds
        sagemaker = self.sagemaker
        while time.monotonic() < deadline:
            found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn(execution))
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
            if (self.marker and self.marker.encode() in words) or f"{self.folder}/.mlops/executions" in mounts:
                found.append(int(process.name))
        return found


def chain(folder: Path, steps: tuple[str, ...] = STEPS, gate: Path | None = None) -> Project:
    """Steps that each wait for the one before, the second one also until there is a file ``gate``."""
    marker = f"marker-{os.getpid()}-{folder.name}"
    (folder / "mlops.toml").write_text('[env.defaults]\ninstance = "ml.m5.large"\n')
    (folder / "pipeline.py").write_text(PIPELINE.format(steps=steps, marker=marker))
    waits = GATE.format(gate=str(gate)) if gate is not None else ""
    (folder / "step.py").write_text(STEP.replace("before = ", f"{waits}before = ", 1))
    return Project(folder, marker, "chain", "pipeline.py", "Salt")


def example(folder: Path) -> Project:
    """Example (a): seven steps, of which a Condition lets six run to the end; nothing of it is made for this test."""
    shutil.copytree(ROOT / "pipelines" / "breast_cancer", folder / "pipelines" / "breast_cancer")
    for name in ("mlops.toml", "mlops.lock"):
        shutil.copy(ROOT / name, folder)
    return Project(folder, "", "breast-cancer", "pipelines/breast_cancer/pipeline.py", "Trees")


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
