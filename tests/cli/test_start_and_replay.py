"""``mlops start`` of files and names, and the command that replays a failed step: it is run here."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import ROOT, Told, in_this_process

from mlops.account import connect
from mlops.account.local import LocalAccount
from mlops.check import check
from mlops.cli import main
from mlops.cli.listening import hear
from mlops.deploy.executions.following import describe, find, follow, start
from mlops.deploy.executions.replay import copy, inputs, past
from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import AccountError
from mlops.ir.reader import read
from mlops.project.environments import read_project
from mlops.use_cases.connecting import Connected
from mlops.use_cases.executions import replay_commands
from mlops.use_cases.replaying import PastStep, brought_here

PIPELINE = """\
from mlops import Pipeline, Processing
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
with Pipeline("chain") as pipeline:
    word = pipeline.string("Word", default="good")
    one = Processing("One", code="step.py", image=IMAGE, inputs={"data": "s3://acme-ml/data/day"}, outputs=["text"],
        args=["one", word], reports={"quality": "text/text.json"})
    Processing("Two", code="step.py", image=IMAGE, inputs={"before": one.outputs["text"]}, outputs=["text"],
        args=["two", word, one.reports["quality"]["said"]])
"""
STEP = """\
import json, sys
from pathlib import Path
name, word = sys.argv[1:3]
read = sorted(file.read_text() for file in Path("/opt/ml/processing/input").glob("[bd]*/*"))
Path("/opt/ml/processing/output/text/text.json").write_text(json.dumps({"said": f"{name} {word}", "read": read}))
print("I am", sys.argv[1:], read)
if (name, word) == ("two", "bad"):
    sys.exit("it is bad")
"""
MENDED = STEP.replace('sys.exit("it is bad")', 'print("mended")')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlops.toml").write_text('[env.defaults]\ninstance = "ml.m5.large"\n[env.local]\nbucket = "acme-ml"\n')
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "step.py").write_text(STEP)
    account = LocalAccount(folder / ".mlops", "us-east-1")
    account.ensure_bucket("acme-ml")
    account.client("s3").put_object(Bucket="acme-ml", Key="data/day/1.txt", Body=b"the data")
    return folder


Mlops = Callable[..., Told]


@pytest.fixture
def mlops(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    """The command line in this process; what runs a pipeline is another one, as always."""
    monkeypatch.chdir(project)
    return in_this_process(capfd)


def replay_of(told: str) -> list[str]:
    (command,) = re.findall(r"replay it here: mlops (.*)", told)
    return shlex.split(command)


@pytest.mark.parametrize("names_a_file", [True, False], ids=["the file is known", "only the execution is known"])
def test_a_failed_step_tells_the_command_that_replays_it(project: Path, mlops: Mlops, names_a_file: bool) -> None:
    told = mlops("run", "pipeline.py", "-p", "Word=bad", code=1).err
    shown = mlops("executions", "show").err
    for text in (told, shown):
        assert "Two failed: exit code 1: it is bad\n" in text and "| it is bad" in text
    command = replay_of(told if names_a_file else shown)
    assert command[:4] == (
        ["run", "pipeline.py", "--only", "Two"] if names_a_file else ["run", "--only", "Two", "--from"]
    )
    listed = json.loads(mlops("executions", "show", "--format", "json").out)
    assert [step["replay"] and shlex.split(step["replay"])[1:] for step in listed["steps"]] == [None, replay_of(shown)]

    again = mlops(*command, code=1)
    assert "| I am ['two', 'bad', 'one bad'] ['{\"said\": \"one bad\", \"read\": [\"the data\"]}']" in again.err
    assert "One" not in again.out
    # A replay has its own, and that goes back to the results of the first.
    assert replay_of(again.err)[-1] != command[-1]
    (project / "step.py").write_text(MENDED)
    last = mlops(*replay_of(again.err), code=0 if names_a_file else 1)
    assert ("Two   ProcessingJob  Succeeded" in last.out) == names_a_file


def test_what_a_step_of_another_account_was_given_is_brought_here(project: Path, mlops: Mlops, tmp_path: Path) -> None:
    mlops("run", "pipeline.py", "-p", "Word=bad", code=1)
    far = LocalAccount(project / ".mlops", "us-east-1")
    state = describe(far, find(far, None))
    failed = state.steps[1]
    here = tmp_path / "here"
    here.mkdir()
    # The account that it ran in stands for AWS: it is only asked through the API.
    prod = replace(read_project(project).environment("local"), name="prod", state=None)
    command = replay_commands(Connected(prod, far, here), state)
    assert command == {"Two": f"mlops run --only Two --from {state.arn} --from-env prod"}
    ran = past(far, state)
    replay = brought_here(Connected(prod, far, here), PastStep(ran.checked, state, "Two", ran.values), hear)
    account, environment = replay.connected.account, replay.connected.environment
    assert replay.checked.definition.name == "chain-replay"
    assert [step.name for step in replay.checked.definition.steps] == ["Two"]
    done = upsert(account, environment, replay.checked, force=True)
    ended = follow(account, start(account, environment, done.name, replay.values))
    (step,) = ended.steps
    assert (step.status, step.failure) == ("Failed", failed.failure)
    # With the source as it is now.
    (project / "step.py").write_text(MENDED)
    from mlops.check.sources import open_one

    mended = open_one(str(project / "pipeline.py"), "local").pipelines[0]
    replay = brought_here(Connected(prod, far, here), PastStep(mended, state, "Two", ran.values), hear)
    done = upsert(account, environment, replay.checked, force=True)
    ended = follow(account, start(account, environment, done.name, replay.values))
    assert ended.status == "Succeeded"


def test_what_cannot_be_copied_is_told_and_the_rest_is(
    project: Path, mlops: Mlops, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mlops("run", "pipeline.py", "-p", "Word=bad", code=1)
    far = LocalAccount(project / ".mlops", "us-east-1")
    state = describe(far, find(far, None))
    prod = replace(read_project(project).environment("local"), name="prod", state=None)
    ran = past(far, state)
    steps = tuple(
        replace(step, arguments=_with_input(step.arguments, "s3://not-ours/data")) if step.name == "Two" else step
        for step in ran.checked.definition.steps
    )
    checked = replace(ran.checked, definition=replace(ran.checked.definition, steps=steps))
    brought_here(Connected(prod, far, tmp_path), PastStep(checked, state, "Two", ran.values), hear)
    told = capfd.readouterr().err
    assert "s3://not-ours/data could not be copied" in told and "NoSuchBucket" in told
    assert re.search(r"/step\.py: 1 object, \d+ bytes copied", told)
    # What is here already is not copied again.
    brought_here(Connected(prod, far, tmp_path), PastStep(checked, state, "Two", ran.values), hear)
    assert "copied, the step" in (told := capfd.readouterr().err) and "bytes copied" not in told


def _with_input(arguments: object, uri: str) -> object:
    assert isinstance(arguments, dict)
    source = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/input/more", "S3DataType": "S3Prefix"}
    more = {"InputName": "more", "S3Input": source}
    return {**arguments, "ProcessingInputs": (*arguments["ProcessingInputs"], more)}


@pytest.mark.proof("deep")
def test_the_end_of_the_log_is_shown_while_a_step_runs(project: Path) -> None:
    slow = "import time\nfor number in range(9):\n    print('[red]epoch', number, flush=True)\n    time.sleep(0.5)\n"
    (project / "step.py").write_text(slow)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project)
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "mlops", "run", "pipeline.py"])
    seen = b""
    with contextlib.suppress(OSError):  # the terminal's end
        while piece := os.read(terminal, 4096):
            seen += piece
    os.waitpid(process, 0)
    shown = seen.decode().partition("Succeeded")[0]
    assert re.search(r"\[red\]epoch [3-8]", shown), shown[-2000:]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "which is not there"),
        (["run", "--from", "last"], "--from goes with --only STEP"),
        (["run", "pipeline.py", "--from-env", "prod"], "--from-env goes with --from"),
        (["run", "--only", "Two", "--from", "nowhere"], "there is no execution nowhere"),
        (["run", "--only", "Tow", "--from", "last"], "did you mean 'Two'?"),
        (["run", "--only", "Two", "--from", "last", "-p", "Wort=x"], "did you mean 'Word'?"),
        (["run", "--only", "Two", "--from", "last", "--from-env", "prod"], "there is no environment 'prod'"),
        (["start", "nowhere"], "there is no pipeline 'nowhere'; there are: chain"),
        (["start", "nowhere.py"], "there is no 'nowhere.py'"),
        (["start", "pipeline.py", "-p", "Wort=x"], "did you mean 'Word'?"),
        (["start", "chain", "-p", "Word="], "Word is empty"),
        (["start", "chain", "--only", "Tow"], "did you mean 'Two'?"),
        (["start", "chain", "--only", "Two", "--from", "nowhere"], "there is no execution nowhere"),
        (["start", "chain", "--from", "last"], "--from goes with --only STEP"),
        (["start", "chain", "--alias", "live"], "no version with the alias 'live'"),
        (["start", "chain", "--version", "99"], "no version with the number 99"),
        (["start", "chain", "--version", "1", "--alias", "live"], "exclude each other"),
        (["start", "chain", "--suffix", "ada"], "there is no pipeline 'chain-ada'"),
        (["start", "chain", "--suffix", "a_b"], "is no suffix"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_before_anything_starts(
    ran: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


@pytest.fixture
def ran(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An execution was started, and nobody waits for it."""
    monkeypatch.chdir(project)
    assert main(["upsert", "pipeline.py"]) == 0
    account = LocalAccount(project / ".mlops", "us-east-1")
    account.state.store.write(
        "INSERT INTO execution VALUES ('abcdefghijkl', 'chain', 1, 'Stopped', 0, ?, ?, NULL, ?)",
        *["2026-01-01T00:00:00.000000+00:00"] * 2,
        '{"Parameters": {"Word": "good"}}',
    )
    return project


def test_a_step_that_failed_before_it_had_a_job_has_no_log(ran: Path, mlops: Mlops) -> None:
    LocalAccount(ran / ".mlops", "us-east-1").state.store.write(
        "INSERT INTO step (execution, name, attempt, type, status, started, ended, failure, metadata, response) "
        "VALUES ('abcdefghijkl', 'Train', 1, 'Training', 'Failed', ?, ?, 'OSError: of ours', '{}', '{}')",
        *["2026-01-01T00:00:00.000000+00:00"] * 2,
    )
    told = mlops("executions", "logs", "last")
    assert (told.out, told.err) == ("", "nothing was printed: Train failed before a job was started\n")


def test_a_program_that_watches_reads_nothing_but_json(mlops: Mlops) -> None:
    mlops("upsert", "pipeline.py")
    for command in (["run", "pipeline.py"], ["start", "chain", "--watch"]):
        told = mlops(*command, "--format", "json")
        assert json.loads(told.out)["status"] == "Succeeded"
        assert [json.loads(line)["event"] for line in told.err.splitlines()][-1] == "execution"


def test_what_there_is_nothing_of_is_said(project: Path, mlops: Mlops) -> None:
    fails = 'from mlops import Fail, Pipeline\nwith Pipeline("stop"):\n    Fail("Stop", "as wanted")\n'
    (project / "stop.py").write_text(fails)
    mlops("run", "stop.py", code=1)
    told = mlops("executions", "logs", "last", "Stop")
    assert (told.out, told.err) == ("", "nothing was printed: only steps that are jobs or call functions have a log\n")
    assert "a folder" in mlops("start", ".", code=2).err
    assert mlops("executions", "list", "--limit", "1").err == "the newest 1; --limit 0 shows all\n"
    assert mlops("executions", "list").err == ""


def test_a_watch_that_the_account_ends_says_that_the_execution_goes_on(
    project: Path, mlops: Mlops, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto takes a start and fails when it is asked for the steps."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr("mlops.account.aws.ATTEMPTS", 1)
    role = "arn:aws:iam::123456789012:role/pipelines"
    with (project / "mlops.toml").open("a") as file:
        file.write(f'[env.moto]\nregion = "us-east-1"\nrole = "{role}"\nbucket = "acme"\nendpoint_url = "{moto_url}"\n')
    environment = read_project(project).environment("moto")
    connect(environment).client("s3").create_bucket(Bucket="acme")
    mlops("upsert", "pipeline.py", "--env", "moto")
    told = mlops("start", "chain", "--env", "moto", "--watch", code=3).err
    execution = re.findall(r"^chain: execution (\w+)$", told, re.MULTILINE)[0]
    assert f"`mlops executions show {execution} --env moto --watch` follows it again" in told


def test_a_file_a_name_a_version_an_alias_and_a_selection_are_started(project: Path, mlops: Mlops) -> None:
    mlops("upsert", "pipeline.py", "--alias", "live")
    (project / "foreign.json").write_text(
        '{"Version": "2020-12-01", "Metadata": {}, "Steps": '
        '[{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "as said"}}]}'
    )
    mlops("upsert", "foreign.json")
    told = mlops("start", "foreign.json", "--watch", code=1).err
    assert "A failed: as said" in told and "replay it here" not in told
    assert "Succeeded" in mlops("start", "pipeline.py", "--watch").out
    (project / "pipeline.py").write_text(PIPELINE.replace('default="good"', 'default="better"'))
    told = mlops("start", "pipeline.py", code=1).err
    assert "chain in local is not what pipeline.py says: another definition; nothing was started" in told
    mlops("upsert", "pipeline.py")
    for words, word in (
        (["chain"], "better"),
        (["pipeline.py:chain", "--version", "1"], "good"),
        (["chain", "--alias", "live"], "good"),
        (["chain", "--alias", "live", "-p", "Word=best"], "best"),
    ):
        arn = mlops("start", *words).out.strip()
        account = LocalAccount(project / ".mlops", "us-east-1")
        follow(account, arn)
        parameters = account.client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        assert parameters["PipelineParameters"] == [{"Name": "Word", "Value": word}]
    selected = mlops("start", "chain", "--only", "Two", "--from", arn.rpartition("/")[2], "--watch")
    assert "Two" in selected.out and "One" not in selected.out


@pytest.mark.parametrize(
    ("manifest", "comes"),
    [
        ('[{"prefix": "s3://acme-ml/far/"}, "b.txt", "deep/a.txt"]', ["b.txt", "deep/a.txt"]),
        ('[{"prefix": "s3://acme-ml/far/"}]', []),
        ('[{"prefix": "s3://acme-ml/far/"}, "gone.txt"]', None),
        ("{}", None),
        ("no JSON", None),
    ],
    ids=["two objects", "nothing", "an object that is gone", "no list", "no JSON"],
)
def test_what_a_manifest_lists_is_copied_too(tmp_path: Path, manifest: str, comes: list[str] | None) -> None:
    far, here = LocalAccount(tmp_path / "far", "us-east-1"), LocalAccount(tmp_path / "here", "us-east-1")
    far.ensure_bucket("acme-ml")
    for name in ("b.txt", "deep/a.txt", "other.txt"):
        far.client("s3").put_object(Bucket="acme-ml", Key=f"far/{name}", Body=name.encode())
    far.client("s3").put_object(Bucket="acme-ml", Key="list.json", Body=manifest.encode())
    if comes is None:
        with pytest.raises(AccountError):
            copy(far, here, "s3://acme-ml/list.json", manifest=True)
        return
    assert copy(far, here, "s3://acme-ml/list.json", manifest=True)[0] == 1 + len(comes)
    listed = here.client("s3").list_objects_v2(Bucket="acme-ml", Prefix="far/").get("Contents", [])
    assert [item["Key"].removeprefix("far/") for item in listed] == comes
    assert copy(far, here, "s3://acme-ml/list.json", manifest=True) == (0, 0)


def test_the_manifests_of_a_request_are_known() -> None:
    source = {"S3DataType": "ManifestFile", "S3Uri": "s3://acme-ml/list.json"}
    processing = {"ProcessingInputs": [{"S3Input": source}, {"S3Input": {"S3Uri": "s3://acme-ml/x"}}]}
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [
        {"Name": "One", "Type": "Processing", "Arguments": processing}]}))  # fmt: skip
    assert definition is not None
    found = inputs(check(definition))
    assert found.manifests == ("s3://acme-ml/list.json",)
    assert set(found.uris) == {"s3://acme-ml/list.json", "s3://acme-ml/x"}
