"""A process that is killed at one of its writes, one after the other: before and after every commit of the store,
and before every rename by which a file is published.

The killing is done from outside of our code: Python loads a ``sitecustomize`` that counts what sqlite3 and os do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killed_project import PATIENCE_SECONDS, ROOT, Project, chain, until_gone
from store_invariants import violations

pytestmark = [
    pytest.mark.slow,
    pytest.mark.deeper("kills"),
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are counted through /proc"),
]

STEPS = ("One", "Two")
FEWEST_WRITES, MOST_WRITES = 8, 200
EVERY = 1 if "MLOPS_KILLS" in os.environ else 19
"""With MLOPS_KILLS set each write is tried, which takes some minutes; without it a few, from the first to the last."""
KILLER = """\
import os, signal, sqlite3, sys

if os.environ["DIE_IN"] in " ".join(sys.orig_argv):
    left = int(os.environ["DIE_AT"])

    def count():
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Connection(sqlite3.Connection):
        def execute(self, statement, *rest):
            if statement != "COMMIT":
                return super().execute(statement, *rest)
            count()
            done = super().execute(statement, *rest)
            count()
            return done

        def executescript(self, script):
            count()
            done = super().executescript(script)
            count()
            return done

    connect = sqlite3.connect
    sqlite3.connect = lambda *rest, **named: connect(*rest, **{"factory": Connection, **named})
    sys.addaudithook(lambda event, _: event == "os.rename" and count())
"""


@pytest.fixture
def killer(tmp_path: Path) -> str:
    (tmp_path / "killer").mkdir()
    (tmp_path / "killer" / "sitecustomize.py").write_text(KILLER)
    return f"{tmp_path / 'killer'}{os.pathsep}{ROOT}"


@pytest.mark.proof("kills")
def test_runner_killed_at_every_write(tmp_path: Path, killer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project = chain(tmp_path, STEPS)
    project.told("upsert", "pipeline.py", "--env", "local")
    sagemaker = project.sagemaker
    for number in range(0, MOST_WRITES, EVERY):
        with monkeypatch.context() as dying:
            dying.setenv("PYTHONPATH", killer)
            dying.setenv("DIE_IN", "mlops.account.local.process.runner")
            dying.setenv("DIE_AT", str(number))
            started = sagemaker.start_pipeline_execution(
                PipelineName=project.pipeline, PipelineParameters=[{"Name": project.salt, "Value": str(number)}]
            )
        execution = str(started["PipelineExecutionArn"]).rpartition("/")[2]
        status = project.ended(execution)
        settled(project, number)
        if status == "Succeeded" and number > FEWEST_WRITES:
            return
        retried(project, execution, number)
    raise AssertionError(f"more than {MOST_WRITES} writes")


@pytest.mark.proof("kills")
def test_command_killed_at_every_write(tmp_path: Path, killer: str) -> None:
    """From the first one of an account that is not there yet."""
    for number in range(0, MOST_WRITES, EVERY):
        folder = tmp_path / str(number)
        folder.mkdir()
        project = chain(folder, STEPS)
        environment = {"PYTHONPATH": killer, "DIE_IN": "-m mlops run", "DIE_AT": str(number)}
        run = [sys.executable, "-m", "mlops", "run", project.file]
        ran = subprocess.run(
            run, cwd=folder, env={**os.environ, **environment}, capture_output=True, timeout=PATIENCE_SECONDS
        )
        if ran.returncode == 0:
            assert number > FEWEST_WRITES
            return
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        if (folder / ".mlops" / "account.sqlite").exists():
            for execution, status in project.executions().items():
                # It has a process of its own, unless the command died before it could give it one.
                assert status != "Executing" or project.ended(execution) == "Succeeded", f"write {number}"
                retried(project, execution, number)
            settled(project, number)
        project.told("run", project.file)
        settled(project, number)
    raise AssertionError(f"more than {MOST_WRITES} writes")


def retried(project: Project, execution: str, number: int) -> None:
    before = project.steps(execution)
    if project.executions()[execution] == "Failed":
        project.sagemaker.retry_pipeline_execution(PipelineExecutionArn=project.arn(execution))
        assert project.ended(execution) == "Succeeded", f"write {number}"
    after = project.steps(execution)
    assert {step: status for step, (status, _) in after.items()} == dict.fromkeys(STEPS, "Succeeded"), f"write {number}"
    again = [step for step, (status, tries) in before.items() if status == "Succeeded" and after[step][1] > tries]
    assert again == [], f"write {number}: finished steps are repeated"
    settled(project, number)


def settled(project: Project, number: int) -> None:
    assert until_gone(project) == [], f"write {number}: a step outlives its runner"
    project.executions()  # who asks finds out that a runner is gone
    assert violations(project.folder / ".mlops") == [], f"write {number}"
