"""Names that there are not are told with the one that was meant, and what this machine cannot run before it begins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Told, in_this_process

from mlops.account.local import LocalAccount
from mlops.ir.choices import instead

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
PIPELINE = f"""\
from mlops import Lambda, Pipeline, Processing
with Pipeline("chain") as pipeline:
    word = pipeline.string("Word", default="good")
    one = Processing("Prepare", code="steps", entry="step.py", image="{IMAGE}", outputs=["text"], args=[word])
"""
ASKS = """\
    Lambda("Ask", function="arn:aws:lambda:us-east-1:123456789012:function:f", outputs=["answer"], after=[one])
"""
TABLES = """\
[env.staging]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/r"
bucket = "acme-ml"
parameters = { Word = "staged", OfAnother = 3 }
[env.staging.promote]
strategy = "cannary"
"""
Mlops = Callable[..., Told]


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    (tmp_path / "mlops.toml").write_text(TABLES)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "asks.py").write_text(PIPELINE.replace("chain", "asks") + ASKS)
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "step.py").write_text("import sys\nprint('the word is', sys.argv[1])\n")
    (tmp_path / "steps" / "other.py").touch()
    monkeypatch.chdir(tmp_path)
    return in_this_process(capfd)


def test_what_cannot_run_here_is_refused_before_anything_starts(mlops: Mlops, tmp_path: Path) -> None:
    """The first step ran, and was paid for in time, before the second one failed."""
    told = mlops("run", "asks.py", code=1).err
    assert "asks.py:5: error A030 [Ask] there is no function f here: name its source in mlops.toml" in told
    assert "run stopped: 1 error" in told
    assert json.loads(mlops("executions", "list", "--format", "json").out) == []
    assert (
        LocalAccount(tmp_path / ".mlops", "us-east-1").client("sagemaker").list_pipelines()["PipelineSummaries"] == []
    )
    assert "Prepare: Succeeded" in mlops("run", "asks.py", "--only", "Prepare").err


@pytest.mark.parametrize("command", [("run", "pipeline.py"), ("local", "exec", "--", "true")])
def test_a_way_to_keep_steps_apart_that_there_is_not(
    mlops: Mlops, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each execution failed by it, after it had begun."""
    monkeypatch.setenv("MLOPS_SANDBOX", "docker")
    assert "MLOPS_SANDBOX is 'docker'" in mlops(*command, code=2).err
    monkeypatch.setenv("MLOPS_SANDBOX", "folders")
    assert json.loads(mlops("executions", "list", "--format", "json").out) == []
    assert "MLOPS_SANDBOX" not in mlops("local", "exec", "--", "true").err


def test_what_a_branch_holds_is_told_at_the_start(mlops: Mlops, tmp_path: Path) -> None:
    """And the pipeline is run: another branch may be taken."""
    branch = '    with when(word == "bad"):\n    '
    (tmp_path / "asks.py").write_text(
        PIPELINE.replace("chain", "asks").replace("Lambda,", "Lambda, when,") + branch + ASKS
    )
    told = mlops("run", "asks.py").err
    assert "warning A030 [Ask] there is no function f here" in told
    assert "the execution fails there if it comes to this step" in told
    assert told.index("A030") < told.index("Prepare: ")


def test_check_tells_it_to_whom_it_concerns(mlops: Mlops) -> None:
    Path("mlops.toml").write_text(TABLES.replace("cannary", "canary"))
    assert "A030" not in mlops("check", "asks.py").out
    told = mlops("check", "asks.py", "--env", "local").out
    assert "asks.py:5: warning A030 [Ask] there is no function f here: name its source in mlops.toml" in told
    assert "A030" not in mlops("check", "pipeline.py", "--env", "local").out
    assert not Path(".mlops").exists()
    assert "A030" not in mlops("check", "asks.py", "--env", "local", "--ignore", "A030").out


def test_a_start_by_name_tells_it_and_the_step_fails_with_the_same_words(mlops: Mlops) -> None:
    mlops("upsert", "asks.py")
    told = mlops("start", "asks", "--watch", code=1).err
    assert "warning A030 [Ask] there is no function f here: name its source in mlops.toml" in told
    assert told.index("A030") < told.index("Prepare: ")
    assert told.count("there is no function f here: name its source") > 1


def steps_of(folder: Path) -> list[dict[str, Any]]:
    """Of the newest execution."""
    sagemaker = LocalAccount(folder / ".mlops", "us-east-1").client("sagemaker")
    newest = sagemaker.list_pipeline_executions(PipelineName="asks")["PipelineExecutionSummaries"][0]
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=newest["PipelineExecutionArn"])
    return [*listed["PipelineExecutionSteps"]]


def test_a_function_whose_source_the_project_names_is_brought_and_called(mlops: Mlops, tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text('[env.local.functions]\nf = "steps/asked.py:handler"\n')
    told = mlops("run", "asks.py", code=2).err
    assert "functions of the local environment: f is steps/asked.py:handler, and there is no steps/asked.py" in told
    asked = tmp_path / "steps" / "asked.py"
    asked.write_text("import other\ndef handler(event, context):\n    return {'answer': 'first'}\n")
    assert "A030" not in mlops("check", "asks.py", "--env", "local").out
    said = mlops("run", "asks.py").err
    assert "function f of the local account is steps/asked.py:handler" in said and "Ask: Succeeded" in said
    assert "the log group" not in mlops("executions", "logs", "last").err
    asked.write_text(asked.read_text().replace("first", "second"))
    assert "steps/asked.py:handler as it is now" in mlops("run", "asks.py").err
    (step,) = [one for one in steps_of(tmp_path) if one["StepName"] == "Ask"]
    assert step["Metadata"]["Lambda"]["OutputParameters"] == [{"Name": "answer", "Value": "second"}]
    assert "function f" not in mlops("run", "asks.py").err


def test_what_a_function_prints_is_in_the_log(mlops: Mlops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlops.toml").write_text('[env.local.functions]\nf = "steps/asked.py:handler"\n')
    asked = tmp_path / "steps" / "asked.py"
    asked.write_text("def handler(event, context):\n    print('hello', context.log_stream_name)\n    return {}\n")
    said = mlops("run", "asks.py", code=1).err
    assert "hello pipelines-" in said
    printed = mlops("executions", "logs", "last", "Ask").out
    assert printed.startswith("hello pipelines-") and mlops("executions", "logs", "last", "Ask", "-f").out == printed
    assert f"Ask | {printed}" in mlops("executions", "logs", "last").out
    logs = LocalAccount(tmp_path / ".mlops", "us-east-1").client("logs")
    assert "/aws/lambda/f" in [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    (stream,) = logs.describe_log_streams(logGroupName="/aws/lambda/f")["logStreams"]
    assert stream["logStreamName"] == printed.split()[1]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(logGroupName="/aws/lambda/g")
    monkeypatch.setattr(LocalAccount, "here", None)  # on the service nobody knows which stream is the step's
    told = mlops("executions", "logs", "last", "Ask")
    assert (told.out, told.err) == ("", "Ask called a function, which prints to the log group /aws/lambda/f\n")
    assert "Prepare | the word is good" in mlops("executions", "logs", "last").out
    assert "the log group" not in mlops("executions", "logs", "last", "Prepare").err


def test_functions_are_of_the_local_environment_alone(mlops: Mlops, tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text(
        TABLES.partition("[env.staging.promote]")[0] + 'functions = { f = "a.py:g" }\n'
    )
    told = mlops("check", "pipeline.py", code=2).err
    assert "mlops.toml:7: functions are for the account inside .mlops/" in told


def test_a_run_with_the_parameters_of_an_environment(mlops: Mlops) -> None:
    mlops("run", "pipeline.py", "--env", "staging")
    assert "the word is staged" in mlops("executions", "logs", "last", "Prepare").out
    mlops("run", "pipeline.py", "--env", "staging", "-p", "Word=own")
    assert "the word is own" in mlops("executions", "logs", "last", "Prepare").out
    told = mlops("run", "--only", "Prepare", "--from", "last", "--env", "staging", code=2).err
    assert "--from takes the parameters of that execution" in told


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("check pipeline.py --env stagng", "staging"),
        ("check pipeline.py --format jsn", "json"),
        ("check pipeline.py:chian", "chain"),
        ("chek pipeline.py", "check"),
        ("emit diagrm pipeline.py", "diagram"),
        ("plan pipeline.py --env local --format txt", "text"),
        ("run pipeline.py --only Prepre", "Prepare"),
        ("run pipeline.py --env stagng", "staging"),
        ("run pipeline.py -p Wrd=x", "Word"),
        ("run pipeline.py --interrupt-spot Prepre", "Prepare"),
        ("promote chain --to stagng", "staging"),
        ("promote chain --to staging", "canary"),
        ("endpoints shwo chain", "show"),
        ("rules --format markdwn", "markdown"),
    ],
)
def test_a_misspelt_name_is_told_with_the_one_that_was_meant(mlops: Mlops, words: str, meant: str) -> None:
    told = mlops(*words.split(), code=2).err
    assert "id you mean" in told and meant in told.partition("id you mean")[2].splitlines()[0]


def test_a_misspelt_entry(mlops: Mlops, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.py"
    file.write_text(file.read_text().replace('entry="step.py"', 'entry="stp.py"'))
    assert "did you mean 'step.py'?" in mlops("check", "pipeline.py", code=1).out


@pytest.mark.parametrize(
    ("name", "known", "end"),
    [("x", [], "; there are: none"), ("one", ["one-a"], "; there are: one-a; did you mean 'one-a'?")],
)
def test_the_end_of_such_a_sentence(name: str, known: list[str], end: str) -> None:
    assert instead(name, known) == end


def test_a_definition_goes_by_the_name_of_its_file_and_a_model_that_nobody_made_is_told(mlops: Mlops) -> None:
    """No pipeline may be called by what its file may."""
    request = {
        "ModelName": "new",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://acme/rows.csv"}}},
        "TransformOutput": {"S3OutputPath": "s3://acme/scored"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    steps = [{"Name": "Score", "Type": "Transform", "Arguments": request}]
    Path("score_all.v2.json").write_text(json.dumps({"Version": "2020-12-01", "Steps": steps}))
    Path("rows.csv").write_text("1\n")
    mlops("local", "put", "rows.csv", "s3://acme/rows.csv")
    told = mlops("run", "score_all.v2.json", code=1).err
    assert "error A033 [Score] there is no model new here, and no step before this one makes it" in told
    mlops("upsert", "score_all.v2.json", "--env", "local")
    client = LocalAccount(Path(".mlops"), "us-east-1").client("sagemaker")
    assert [item["PipelineName"] for item in client.list_pipelines()["PipelineSummaries"]] == ["score-all-v2"]
    role = "arn:aws:iam::000000000000:role/r"
    client.create_model(ModelName="new", ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
    assert "A033" not in mlops("run", "score_all.v2.json", code=1).err
