"""``mlops executions`` and ``mlops run --only`` in a project of tiny scripts: stop, retry, diff, open, prune."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from command_line import in_this_process

from mlops.account.local import LocalAccount
from mlops.ir import UsageError
from mlops.run.debugger import debugged as under_debugger

ROOT = Path(__file__).parent.parent.parent
PIPELINE = """\
from mlops import Pipeline, Processing
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
with Pipeline("chain") as pipeline:
    word = pipeline.string("Word", default="good")
    before = None
    for name in ("One", "Two", "Three"):
        inputs = {"before": before.outputs["text"]} if before else {}
        before = Processing(
            name, code="step.py", image=IMAGE, inputs=inputs, outputs=["text"], args=[name, word],
            environment={"STEP_NAME": name},
        )
"""
STEP = """\
import sys, time
from pathlib import Path
before = Path("/opt/ml/processing/input/before/text.txt")
name, word = sys.argv[1:]
print("I am", name, flush=True)
text = (before.read_text() if before.exists() else "") + f"{name} {word}\\n"
Path("/opt/ml/processing/output/text/text.txt").write_text(text)
if name == "Two" and word == "slow":
    time.sleep(60)
if name == "Two" and word == "bad":
    sys.exit("it is bad")
"""


class Project:
    """``mlops`` is the command line in this process, ``start`` one of its own; what runs a pipeline is another one,
    as always."""

    def __init__(self, folder: Path, written: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.written = written

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mlops", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def mlops(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Standard output and standard error."""
        told = in_this_process(self.written)(*arguments, code=code)
        return told.out, told.err

    def executions(self) -> list[str]:
        """Ids, newest first."""
        listed = json.loads(self.mlops("executions", "list", "--format", "json")[0])
        assert all("T" in item["started"] and datetime.fromisoformat(item["started"]).tzinfo for item in listed)
        return [item["id"] for item in listed]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").write_text('[env.defaults]\ninstance = "ml.m5.large"\n')
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "step.py").write_text(STEP)
    return Project(tmp_path, capfd)


@pytest.mark.slow
def test_stopped_and_gone_on_with(project: Project) -> None:
    for command in ("stop", "retry"):
        assert "there is no execution yet" in project.mlops("executions", command, "last", code=2)[1]
    run = project.start("run", "pipeline.py", "-p", "Word=slow")
    until_step_runs(project, "Two")
    assert "still runs" in project.mlops("executions", "retry", "last", "--no-watch", code=1)[1]
    assert "Stopped" in project.mlops("executions", "stop", "last")[0]
    assert run.wait(timeout=20) == 1
    run.communicate()
    assert "nothing to stop" in project.mlops("executions", "stop", "last", code=1)[1]
    (execution,) = project.executions()
    arn = project.mlops("executions", "retry", execution[:4], "--no-watch")[0]
    assert arn.strip().endswith(execution)
    until_step_runs(project, "Two")
    project.mlops("executions", "stop", "last")
    shown = json.loads(project.mlops("executions", "show", "--format", "json")[0])
    assert {step["name"]: step["status"] for step in shown["steps"]} == {"One": "Succeeded", "Two": "Stopped"}
    attempts = project.folder / ".mlops" / "executions" / execution
    assert [len([*(attempts / name).iterdir()]) for name in ("One", "Two")] == [1, 2]


def test_an_interrupt_leaves_what_was_started_and_it_is_followed_again(project: Project) -> None:
    project.mlops("upsert", "pipeline.py")
    watching = project.start("start", "chain", "-p", "Word=slow", "--watch")
    until_step_runs(project, "Two")
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=20)
    (execution,) = project.executions()
    assert (watching.returncode, out) == (130, "")
    assert f"the execution goes on; `mlops executions show {execution} --watch` follows it again" in err
    assert "Executing" in project.mlops("executions", "show")[0]
    again = project.start("executions", "show", "--watch", "--format", "json")
    project.mlops("executions", "stop", execution)
    out, err = again.communicate(timeout=20)
    assert again.returncode == 1
    steps = json.loads(out)["steps"]
    assert [(step["name"], step["type"], step["status"]) for step in steps] == [
        ("One", "ProcessingJob", "Succeeded"),
        ("Two", "ProcessingJob", "Stopped"),
    ]
    # One line of JSON for each change and the error, nothing else.
    told = [line for line in err.splitlines() if not line.startswith("{")]
    assert told == [
        f"error: execution {execution} of chain is Stopped",
        f"  help: `mlops executions retry {execution}` goes on behind what had ended",
    ]


@pytest.mark.proof("deep")
def test_an_interrupted_run_is_stopped_and_gone_on_with(project: Project) -> None:
    run = project.start("run", "pipeline.py", "-p", "Word=slow")
    until_step_runs(project, "Two")
    logs = project.start("executions", "logs", "last", "--follow", "--format", "json")
    assert logs.stdout is not None
    printed = [json.loads(logs.stdout.readline())]
    while printed[-1] != {"step": "Two", "text": "I am Two"}:  # while it runs
        printed.append(json.loads(logs.stdout.readline()))
    assert {"step": "One", "text": "I am One"} in printed
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    (execution,) = project.executions()
    assert run.returncode == 130
    assert f"stopping {execution}" in err
    assert f"execution {execution} of chain is Stopped; `mlops executions retry {execution}` goes on" in err
    rest, _ = logs.communicate(timeout=30)
    assert logs.returncode == 0
    assert not {line for line in rest.splitlines() if json.loads(line) in printed}


def test_a_retry_tells_only_what_it_does(project: Project) -> None:
    project.mlops("run", "pipeline.py", "-p", "Word=bad", code=1)
    told = project.mlops("executions", "retry", "last", code=1)[1].splitlines()
    assert not [line for line in told if line.startswith("One:")]
    assert len([line for line in told if line.startswith("Two: Failed")]) == 1
    table = project.mlops("executions", "show")[0].splitlines()
    assert table[1].endswith("REASON") and table[3].endswith("exit code 1: it is bad")
    need_whole_report(project)


def need_whole_report(project: Project) -> None:
    """One page that loads nothing, runs nothing, and tells why the execution failed and what runs the step again."""
    project.mlops("executions", "report", "-o", "report.html")
    page = (project.folder / "report.html").read_text()
    assert page == project.mlops("executions", "report", "last")[0]
    (execution,) = project.executions()
    for told in (f"mlops run --only Two --from {execution}", "it is bad", "there is no earlier success"):
        assert told in page, told
    assert "default-src 'none'" in page and "<script" not in page
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?![\"'#])""", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert page.count('class="mlops-graph"') == page.count('class="mlops-gantt"') == 1
    assert (
        'aria-label="Two: Processing, Failed, after One"' in page
        and 'aria-label="Three: Processing, after Two"' in page
    )


ASKS = """\
from mlops import EMR, Pipeline
with Pipeline("asks"):
    EMR("Ask", cluster="j-1ABCDEFGHIJKL", jar="s3://acme/job.jar")
"""


def test_what_a_fail_step_ended_is_not_gone_on_with(project: Project) -> None:
    (project.folder / "fails.py").write_text(
        'from mlops import Fail, Pipeline\nwith Pipeline("f"):\n    Fail("No", "no")\n'
    )
    project.mlops("run", "fails.py", code=1)
    told = project.mlops("executions", "retry", "last", code=1)[1]
    assert "was ended by its Fail step No, and cannot be gone on with" in told and "Conflict" not in told


def test_no_replay_is_offered_of_what_cannot_run_here(project: Project) -> None:
    (project.folder / "asks.py").write_text(ASKS)
    assert "type EMR cannot run on this machine" in project.mlops("run", "asks.py", code=1)[1]
    project.mlops("upsert", "asks.py")
    told = project.mlops("start", "asks", "--watch", code=1)[1]
    assert "type EMR cannot run on this machine" in told and "replay" not in told
    (step,) = json.loads(project.mlops("executions", "show", "--format", "json")[0])["steps"]
    assert (step["status"], step["replay"]) == ("Failed", None)


def test_a_step_is_named_behind_its_execution_everywhere(project: Project) -> None:
    project.mlops("run", "pipeline.py")
    (execution,) = project.executions()
    for place in (["One"], ["last", "One"], [execution, "One"], ["--execution", execution, "One"]):
        assert project.mlops("executions", "open", *place, "--", "sh", "-c", "echo $STEP_NAME")[0] == "One\n"
        assert "One was run" in project.mlops("cache", "explain", *place)[0]
    assert "give [EXECUTION] STEP" in project.mlops("executions", "open", execution, "One", "sh", code=2)[1]
    elsewhere = project.mlops("executions", "open", "last", "One", "--env", "staging", code=2)[1]
    assert "only those of the local account" in elsewhere and "--from-env staging" in elsewhere
    assert (
        "no step 'Nine'; it has One, Two, Three" in project.mlops("executions", "logs", "last", "Nine", "-f", code=2)[1]
    )


@pytest.mark.proof("deep")
@pytest.mark.slow
def test_what_differs_what_is_run_alone_and_where_it_ran(project: Project) -> None:
    no_past = project.mlops("run", "pipeline.py", "--only", "Three", code=2)[1]
    assert "chain has no past execution" in no_past
    project.mlops("run", "pipeline.py")
    (first,) = project.executions()
    assert "nothing to retry" in project.mlops("executions", "retry", first, code=1)[1]

    # Alone
    project.mlops("run", "pipeline.py", "--only", "Three", "-p", "Word=better")
    alone = project.executions()[0]
    shown = json.loads(project.mlops("executions", "show", alone, "--format", "json")[0])
    assert [step["name"] for step in shown["steps"]] == ["Three"]
    assert "did you mean 'Three'?" in project.mlops("run", "pipeline.py", "--only", "Thre", code=2)[1]
    apart = project.mlops("run", "pipeline.py", "--only", "One", "--only", "Three", code=2)[1]
    assert "Two lies between them" in apart
    assert "--only One --only Two --only Three" in apart

    # Differs
    script = project.folder / "step.py"
    script.write_text(f"{script.read_text()}# another\n")
    project.mlops("run", "pipeline.py", "-p", "Word=bad", code=1)
    found = json.loads(project.mlops("executions", "diff", first, "last", "--format", "json")[0])
    told = {(item["topic"], item["step"], item["at"]): (item["old"], item["new"]) for item in found["differences"]}
    assert told["parameter", None, "Word"] == ("good", "bad")
    assert told["outcome", "Two", "status"] == ("Succeeded", "Failed")
    assert told["outcome", "Three", "status"] == ("Succeeded", None)
    assert {step for topic, step, _ in told if topic == "code"} == {"One", "Two", "Three"}
    assert ("data", "Two", "before: text.txt") in told
    assert not [place for place in told if place[0] == "definition"]
    text = project.mlops("executions", "diff", first, "last")[0]
    assert "parameter Word: good -> bad" in text
    same = json.loads(project.mlops("executions", "diff", first, first, "--format", "json")[0])
    assert same["differences"] == []

    # Where it ran: the failed one as it was left, the other one made anew
    look = ("--", "sh", "-c", "pwd; cat /opt/ml/processing/*/*/text.txt; echo $STEP_NAME; exit 7")
    out, err = project.mlops("executions", "open", "Two", *look, code=7)
    assert out.split() == ["/tmp", "One", "bad", "One", "bad", "Two", "bad", "Two"]
    assert "left it" in err
    out, err = project.mlops("executions", "open", "Two", "--execution", first, *look, code=7)
    assert out.split() == ["/tmp", "One", "good", "Two"]
    assert "found it" in err
    left = project.folder / ".mlops" / "executions" / first / "Two" / "1"
    assert [path.name for path in left.iterdir()] == ["log.txt"]
    assert "ran no step 'Nine'" in project.mlops("executions", "open", "Nine", code=2)[1]

    # Forgotten
    dry = json.loads(project.mlops("local", "prune", "--keep", "1", "--format", "json")[0])
    assert (dry["done"], sorted(dry["executions"])) == (False, sorted([first, alone]))
    assert len(project.executions()) == 3
    done = json.loads(project.mlops("local", "prune", "--keep", "1", "--yes", "--format", "json")[0])
    assert (done["done"], done["bytes"]) == (True, dry["bytes"])
    assert len(project.executions()) == 1
    assert not left.exists()
    project.mlops("executions", "diff", "last", "last")


@pytest.mark.proof("deep")
def test_a_shell_on_a_terminal(project: Project) -> None:
    project.mlops("run", "pipeline.py")
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project.folder)
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "mlops", "executions", "open", "One", "--", "sh"])
    os.write(terminal, b"test -t 0 && ls /opt/ml/processing; exit 5\n")
    told = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        told += piece
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 5, told.decode()
    assert b"input" in told and b"output" in told


@pytest.mark.proof("deep")
def test_a_step_under_the_debugger(project: Project) -> None:
    """Where it raised, with what it had; one that was served from the cache too."""
    script = project.folder / "step.py"
    script.write_text(STEP.replace('sys.exit("it is bad")', "raise ValueError(word)"))
    ended = debugged(project, "p name + ' is ' + word\nq\n", "run", "pipeline.py", "-p", "Word=bad", "--debug", "Two")
    assert "'Two is bad'" in ended.stdout and ended.returncode == 1, ended.stderr
    ended = debugged(project, "q\n", "run", "pipeline.py", "-p", "Word=bad", "--debug", "One")
    assert "One: Succeeded (cached)" in ended.stderr
    assert "I am One" in ended.stdout, ended.stderr
    words = project.mlops("executions", "open", "last", "One", "--debug", "--", "sh", code=2)[1]
    assert "--debug runs the step's own command" in words


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python3 a.py -c 3", "python3 -m pdb -c continue a.py -c 3"),
        ("/usr/bin/python3.11 -u -X dev -m train --x", "/usr/bin/python3.11 -u -X dev -m pdb -c continue -m train --x"),
        ("python -c pass", None),
        ("python", None),
        ("python -", None),
        ("python -m", None),
        ("bash run.sh", None),
        ("pythonista a.py", None),
        (f"python -P {ROOT}/mlops/run/algorithms/entry.py xgboost", None),
    ],
)
def test_what_the_debugger_is_for(command: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(UsageError, match="for a Python program of yours that stands in a file"):
            under_debugger("Train", command.split())
    else:
        assert under_debugger("Train", command.split()) == expected.split()


def debugged(project: Project, typed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlops", *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
    )


def until_step_runs(project: Project, name: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (project.folder / ".mlops" / "account.sqlite").exists():
            account = LocalAccount(project.folder / ".mlops", "us-east-1")
            found = account.state.store.one("SELECT 1 FROM step WHERE name = ? AND status = 'Executing'", name)
            if found is not None:
                return
        time.sleep(0.05)
    raise AssertionError(f"{name} does not start")
