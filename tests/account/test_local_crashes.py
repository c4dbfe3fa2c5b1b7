"""Nothing is lost: the command, the runner, or both are killed at some moment. What was told before stays told, nothing
goes on in secret, and a retry finishes without repeating what was done.

MLOPS_KILLS is how many moments are tried for each victim; without it one of a small pipeline whose command, and whose
command and runner, are killed. The judge tries every victim, the example too. Twenty are a matter of half an hour.
MLOPS_AT_ONCE is how many executions of how many steps share a store: 50x20 take three minutes of two cores.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from account_parts import launchers_of, runner_with
from botocore.exceptions import ClientError
from killed_project import PATIENCE_SECONDS, ROOT, STEPS, Project, chain, example, kill, started_id, until_gone
from store_invariants import violations

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are counted through /proc"),
]

SEED = 20201201
KILLS = int(os.environ.get("MLOPS_KILLS", "1"))
AT_ONCE, STEPS_AT_ONCE = map(int, os.environ.get("MLOPS_AT_ONCE", "10x5").split("x"))
"""More than there are cores."""
EXAMPLE_STEPS = ("Prepare", "Train", "Evaluate", "GoodEnough", "Register", "Model", "Score")
WATCHER = """\
import os, sqlite3, sys, threading

writing = threading.local()

class Connection(sqlite3.Connection):
    def execute(self, statement, *rest):
        done = super().execute(statement, *rest)
        if statement in ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"):
            writing.now = statement == "BEGIN IMMEDIATE"
            open({watched!r}, "a").close()
        return done

def watch(event, arguments):
    if event == "import" and getattr(writing, "now", False) and arguments[0].startswith("mlops"):
        with open({told!r}, "a") as file:
            print(arguments[0], file=file)

connect = sqlite3.connect
sqlite3.connect = lambda *rest, **named: connect(*rest, **{{"factory": Connection, **named}})
sys.addaudithook(watch)
"""
"""A sitecustomize: tells which of our modules are loaded while all others wait to write, and that it has watched."""

always, judged = pytest.mark.deeper("kills"), pytest.mark.proof("kills")


@pytest.fixture
def gate() -> Iterator[Path]:
    """What a step may wait for: not below /tmp, which the sandbox hides."""
    parent = next(place for place in (Path("/var/tmp"), Path.home()) if os.access(place, os.W_OK))
    with tempfile.TemporaryDirectory(prefix="mlops-test-", dir=parent) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "gate"


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param("command", marks=always),
        pytest.param("both", marks=judged),
        pytest.param("runner", marks=judged),
        pytest.param("runner and launcher", marks=judged),
    ],
)
def test_killed_at_any_moment(tmp_path: Path, victim: str, gate: Path) -> None:
    project = chain(tmp_path, gate=gate)
    # First while the second step runs; then before, while and after the command uploads, writes and starts, until long
    # after the last step.
    killed_at_moments(project, victim, command=(0.2, 2.0), runner=(0.0, 2.0), steps=STEPS, gate=gate)


@judged
@pytest.mark.parametrize("victim", ["command", "runner", "both"])
def test_example_killed_at_any_moment(tmp_path: Path, victim: str) -> None:
    pytest.importorskip("sklearn")
    killed_at_moments(example(tmp_path), victim, command=(0.2, 14.0), runner=(0.0, 14.0), steps=EXAMPLE_STEPS)


def killed_at_moments(
    project: Project,
    victim: str,
    *,
    command: tuple[float, float],
    runner: tuple[float, float],
    steps: tuple[str, ...],
    gate: Path | None = None,
) -> None:
    moments = random.Random(f"{SEED}-{victim}")
    known: set[str] = set()
    for number in range(KILLS):
        running = project.run(10 + number, "--no-cache")
        if victim == "command":
            if number == 0:
                started_id(running)
            else:
                time.sleep(moments.uniform(*command))
            with suppress(ProcessLookupError):
                kill(running.pid)
            running.communicate()
            if gate is not None:
                gate.touch()
            started = sorted(set(project.executions()) - known)
            known.update(started)
            for execution in started:
                # Its process goes on, unless it was never started; then that is told.
                status = project.ended(execution)
                assert status == "Succeeded" or not project.steps(execution)
        else:
            execution = started_id(running)
            if number == 0:  # something is done, and something left to do
                until_it_runs(project, execution, steps[1])
            else:
                time.sleep(moments.uniform(*runner))
            if victim == "both":
                with suppress(ProcessLookupError):
                    kill(running.pid)
            with suppress(AssertionError, ProcessLookupError):  # it was done before
                owner = runner_with(execution)
                launchers = launchers_of(owner) if victim == "runner and launcher" else []
                for process in (owner, *launchers):
                    kill(process)
            running.communicate(timeout=PATIENCE_SECONDS)
            assert until_gone(project) == [], "a step outlives its runner"
            if gate is not None:
                gate.touch()
            known.add(execution)
        told = project.executions()
        assert set(told.values()) <= {"Succeeded", "Failed"}
        assert violations(project.folder / ".mlops") == []
        for execution in [name for name, status in told.items() if status == "Failed"]:
            goes_on(project, execution, steps)
    assert until_gone(project) == []


def until_it_runs(project: Project, execution: str, step: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while step not in project.steps(execution):
        assert time.monotonic() < deadline, f"{step} does not start"
        time.sleep(0.05)


def goes_on(project: Project, execution: str, steps: tuple[str, ...]) -> None:
    before = project.steps(execution)
    project.told("executions", "retry", execution)
    after = project.steps(execution)
    assert {name: status for name, (status, _) in after.items()} == dict.fromkeys(steps, "Succeeded")
    for name, (status, attempts) in before.items():
        assert after[name][1] == attempts + (status != "Succeeded"), f"{name} was {status} after {attempts}"
    if project.marker:
        last = project.folder / f".mlops/objects/mlops-local/mlops/chain/{execution}/Four/output/text/text.txt"
        assert last.read_text().split() == list(steps)
    assert violations(project.folder / ".mlops") == []
    with pytest.raises(ClientError, match="Succeeded"):
        project.sagemaker.retry_pipeline_execution(PipelineExecutionArn=project.arn(execution))


@pytest.mark.proof("kills")
@always
def test_two_retries_at_once_run_it_once(tmp_path: Path, gate: Path) -> None:
    project = chain(tmp_path, gate=gate)
    command = project.run("0")
    execution = started_id(command)
    until_it_runs(project, execution, "Two")
    kill(runner_with(execution))
    command.communicate(timeout=PATIENCE_SECONDS)
    gate.touch()
    both = [project.command("executions", "retry", execution, "--no-watch") for _ in range(2)]
    codes = sorted(process.wait(timeout=PATIENCE_SECONDS) for process in both)
    for process in both:
        process.communicate()
    assert codes[0] == 0
    assert codes[1] in (1, 3)
    assert project.ended(execution) == "Succeeded"
    assert violations(project.folder / ".mlops") == []


@judged
def test_many_at_once_half_of_them_killed(tmp_path: Path) -> None:
    """On one store, which nobody holds while he does something else."""
    told_file, watched = tmp_path / "loaded", tmp_path / "watched"
    (tmp_path / "watcher").mkdir()
    (tmp_path / "watcher" / "sitecustomize.py").write_text(WATCHER.format(told=str(told_file), watched=str(watched)))
    steps = tuple(f"Step{number}" for number in range(STEPS_AT_ONCE))
    project = replace(chain(tmp_path, steps), modules=f"{tmp_path / 'watcher'}{os.pathsep}{ROOT}")
    moments = random.Random(SEED)
    commands = [project.run(number, "--no-cache") for number in range(AT_ONCE)]
    executions = [started_id(command) for command in commands]
    for number, execution in enumerate(executions[::2]):
        time.sleep(moments.uniform(0.0, 0.3))
        if number % 2:
            kill(commands[2 * number].pid)
        with suppress(AssertionError, ProcessLookupError):
            kill(runner_with(execution))
    for command in commands:
        command.communicate(timeout=PATIENCE_SECONDS)
    told = project.executions()
    assert set(told) == set(executions)
    assert {told[execution] for execution in executions[1::2]} == {"Succeeded"}
    assert {told[execution] for execution in executions[::2]} <= {"Succeeded", "Failed"}
    assert violations(project.folder / ".mlops") == []
    failed = [execution for execution, status in told.items() if status == "Failed"]
    retries = [project.command("executions", "retry", execution) for execution in failed]
    for command in retries:
        out, err = command.communicate(timeout=PATIENCE_SECONDS)
        assert command.returncode == 0, f"{out}\n{err}"
    assert set(project.executions().values()) == {"Succeeded"}
    for execution in executions:
        assert {name: status for name, (status, _) in project.steps(execution).items()} == dict.fromkeys(
            steps, "Succeeded"
        )
    assert until_gone(project) == []
    assert violations(project.folder / ".mlops") == []
    assert watched.exists()
    assert not told_file.exists(), f"loaded while others waited to write: {told_file.read_text()}"
