"""What looks like a secret, planted in every field, is in nothing that any command shows or keeps, in any format.

All commands and their formats are found by themselves, so a new one has to be walked too.
"""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import click
import pytest
from command_line import ROOT, Told, in_this_process

from mlops.account import connect
from mlops.account.local import LocalAccount
from mlops.cli import cli
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.journal import Journal
from mlops.ir.feedback import Loop
from mlops.ir.secrecy import is_secret, looks_secret
from mlops.ir.shift import Serving, Variant
from mlops.project.environments import read_project

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
TRACKED = "MLOPS_TRACKED" in os.environ
"""With it all executions are recorded to MLflow too, which takes longer to load than the rest takes to walk."""
FILL = "0"
OTHER = "1"
"""The second run of the pipeline has other secrets."""


def token(place: str) -> str:
    """Told by its form, and by its middle where it stood."""
    return f"ghp_{place}".ljust(42, FILL)


def password(place: str) -> str:
    """Told by the name beside it only."""
    return f"hunter2-{place}-{FILL}"


PIPELINE = f"""\
from mlops import Experiment, Fail, Pipeline, Processing, RegisterModel, when
META = {{"note": "{token("metadata")}"}}
with Pipeline("leaky", metadata=META, experiment=Experiment("AKIAEXPERIMENT000000")LEAKY) as pipeline:
    mode = pipeline.string("Mode", default="good")
    note = pipeline.string("Note", default="{token("default")}")
    pipeline.string("DbPassword", default="{password("default")}")
    work = Processing("Work", code="work.py", image="{IMAGE}", outputs=["text"], display_name="{token("display")}",
        description="{token("described")}", args=[mode, "--api-key", "{password("argument")}", "{token("argument")}"],
        environment={{"API_KEY": "{password("variable")}", "PLAIN": "{token("variable")}"}},
        tags={{"api_key": "{password("tag")}", "owner": "{token("tag")}"}})
    RegisterModel("Register", group="leaky", model="s3://mlops-local/m.tar.gz", image="{IMAGE}", after=[work],
        metadata={{"api_key": "{password("customer")}", "note": "{token("customer")}"}},
        version_description="{token("version")}", environment={{"API_KEY": "{password("container")}"}})
    with when(mode == "stop"):
        Fail("Stop", "{token("message")}")
"""
LEAKY_RESOURCE = f""", description="{token("pipeline")}", tags={{"api_key": "{password("label")}"}}"""
SERVING = f"""\
from mlops import resources
model = resources.Model("served", image="{IMAGE}", model="s3://mlops-local/m.tar.gz",
    environment={{"API_KEY": "{password("serving")}", "PLAIN": "{token("serving")}"}},
    tags={{"owner": "{token("owner")}"}})
resources.EndpointConfig("served", model=model.model_name)
"""
WORK = f"""\
import sys
print("I print", "{token("printed")}")
if sys.argv[1] == "bad":
    sys.exit("DB_PASSWORD={password("reason")} was refused with {token("reason")}")
"""
TOML = f"""\
[check]
ignore = ["X840"]
[env.defaults]
instance = "ml.m5.large"
parameters = {{ Note = "{token("parameter")}" }}
[env.local]
tags = {{ team = "growth" }}
mlflow = {str(TRACKED).lower()}
[env.local.notify]
on = ["failed", "succeeded", "approval", "drift"]
file = "notices.jsonl"
"""
MOTO = f"""
[env.moto]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
endpoint_url = "URL"
tags = {{ api_key = "{password("default-tag")}", owner = "{token("defaulttag")}" }}
[env.moto.notify]
on = ["drift"]
file = "notices.jsonl"
[env.moto.schedules.daily]
pipeline = "leaky"
expression = "rate(1 day)"
description = "{token("schedule")}"
parameters = {{ DbPassword = "{password("schedule")}", Note = "{token("scheduled")}" }}
[env.moto.triggers.arrived]
pipeline = "leaky"
event = {{ source = ["aws.s3"], detail = {{ token = ["{password("pattern")}"], key = ["{token("pattern")}"] }} }}
"""
INFERENCE = """\
def model_fn(folder):
    return "model"
def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()
def predict_fn(text, model):
    if text == "bad":
        raise ValueError("DB_PASSWORD=SERVED is wrong")
    return model + text
def output_fn(answer, accept):
    return answer
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One command. ``keeps`` says what on standard output is the definition itself or a step's own output."""

    name: str
    arguments: tuple[str, ...] = ()
    code: int = 0
    keeps: str = ""
    formats: bool = True
    before: Callable[[Path], None] = field(default=lambda folder: None)


def changed(folder: Path) -> None:
    """All secrets are others."""
    for name in ("pipeline.py", "work.py", "mlops.toml"):
        file = folder / name
        file.write_text(file.read_text().replace(FILL * 3, OTHER * 3).replace(f'-{FILL}"', f'-{OTHER}"'))


def begun(folder: Path) -> None:
    """A shift that an older version began, which kept a reason as it was."""
    environment = read_project(folder).environment("local")
    serving = Serving("leaky-1", (Variant("AllTraffic", {"ModelName": "leaky-1"}, 1.0, 1),))
    paused = Journal("leaky", "leaky", 2, "weights", serving, (), 1, "w", "ada", "", wish="pause")
    journals.write(connect(environment), environment, replace(paused, wish_reason=token("paused")), None)


def seen(folder: Path) -> None:
    """A loop for each format, that waits for a person."""
    now = datetime.now(UTC)
    told = {"why": "it drifts", "pipeline": "leaky", "stages": ["ask-start"]}
    for cause in (1, 2):
        loop = Loop("leaky", cause, "ask-start", now, now, told)
        LocalAccount(folder / ".mlops", "us-east-1").loops.begin(loop, {})


def ended(folder: Path) -> None:
    environment = read_project(folder).environment("local")
    connect(environment).client("s3").delete_object(Bucket=environment.bucket, Key=journals.key(environment, "leaky"))


def commands(group: click.Command = cli, at: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None, name
            yield from commands(found, f"{at} {name}".strip())
    else:
        yield at, group


EMITTED_WHOLE = {
    "emit definition-json": "the definition",
    "emit python": "the definition as Python",
    "emit states": "its requests, as the definition has them",
}
OF_AN_ACCOUNT = {"emit cloudformation", "emit iam-policy", "emit terraform"}
"""The local one has none: tests/emit has what they write."""
BASELINE = ("--baseline", "baseline.json", "--write-baseline")
CALLS = (
    Call("doctor"),
    Call("bootstrap", code=2),
    Call("lock"),
    Call("init", ("new",)),
    Call("explain", ("X840",)),
    Call("rules"),
    Call("schema"),
    Call("completion", ("bash",)),
    Call("check", ("pipeline.py",)),
    Call("check", ("pipeline.py", "--select", "X840,D,P,E,J")),
    Call("check", ("pipeline.py", "--select", "X840", *BASELINE), formats=False),
    Call("show", ("pipeline.py",)),
    Call("show", ("pipeline.py", "--svg"), formats=False),
    Call("show", ("pipeline.py", "--html"), formats=False),
    Call("compile", ("pipeline.py", "-o", "-"), keeps="the definition"),
    Call("compile", ("pipeline.py", "-o", "leaky.json")),
    Call("compile", ("pipeline.py", "--explain-defaults")),
    Call("cost show", ("pipeline.py",)),
    Call("cost show", ("pipeline.py", "--history")),
    Call("cost import", ("pipeline.py",), code=2),
    Call("import", ("leaky.json",), keeps="the definition as Python"),
    *(
        Call(name, ("pipeline.py",), keeps=EMITTED_WHOLE.get(name, ""), code=2 if name in OF_AN_ACCOUNT else 0)
        for name, _ in commands()
        if name.startswith("emit ")
    ),
    Call("plan", ("pipeline.py", "-o", "plan.json", "--notify", "--preflight")),
    Call("upsert", ("pipeline.py",)),
    Call("check", ("serving.py", "--select", "X840,D,P,E,J")),
    Call("plan", ("serving.py",)),
    Call("upsert", ("serving.py",)),
    Call("plan", ("serving.py",)),
    Call("destroy", ("served", "--resources", "--yes")),
    Call("run", ("pipeline.py",)),
    Call("run", ("pipeline.py", "-p", "Mode=bad"), code=1, formats=False, before=changed),
    Call("run", ("pipeline.py", "-p", "Mode=stop"), code=1, formats=False),
    Call("run", ("pipeline.py", "-p", f"Word={token('given')}"), code=2, formats=False),
    Call("plan", ("pipeline.py",)),
    Call("start", ("leaky", "--watch")),
    Call("start", ("leaky", "--watch", "-p", f"DbPassword={password('started')}"), code=1),
    Call("start", ("leaky", "--watch", "-p", "Mode=bad"), code=1),
    Call("executions list"),
    Call("executions show"),
    Call("executions report"),
    Call("executions logs", ("last",), keeps="what steps printed"),
    Call("executions metrics", ("last",)),
    Call("feedback list"),
    Call("feedback show", ("leaky",), before=seen),
    Call("feedback approve", ("leaky", "--reason", token("feedback"), "--reject")),
    Call("feedback run", ("--once",)),
    Call("feedback on", code=2),
    Call("feedback off"),
    Call("executions record", code=0 if TRACKED else 2),
    Call("executions stop", ("last",), code=1),
    Call("executions retry", ("last",), code=1),
    Call("executions answer", ("Work", "--fail", token("because")), code=1),
    Call("executions diff", ("FIRST", "last")),
    Call("executions open", ("Work", "--", "true")),
    Call("cache explain", ("Work",)),
    Call("models package", ("work.py", "-o", "packed.tar.gz"), code=1),
    Call("models list"),
    Call("models approve", ("leaky", "1", "--reason", token("because"))),
    Call("models reject", ("leaky", "2", "--reason", token("because"))),
    Call("models show", ("leaky", "1")),
    Call("models history", ("leaky", "1")),
    Call("models lineage", ("leaky", "1")),
    Call("models compare", ("leaky", "1", "2")),
    Call("models card", ("leaky", "1")),
    Call("models datasheet", ("leaky", "1")),
    Call("models notes", ("leaky", "1", "2")),
    Call("models package", ("leaky", "1", "--as", "container", "-o", "alone"), formats=False),
    Call("promote", ("leaky", "--to", "local")),
    Call("endpoints list"),
    Call("endpoints show", ("leaky",)),
    Call("endpoints show", ("leaky",), before=begun),
    Call("endpoints watch", ("leaky", "--for", "0")),
    Call("endpoints invoke", ("leaky", "--data", "1"), keeps="what the model answers", before=ended),
    Call("endpoints history", ("leaky",)),
    Call("endpoints shadow", ("leaky",), code=2),
    Call("endpoints forecast", ("leaky", "--metric", "none"), code=2),
    Call("endpoints shadow-start", ("leaky", "leaky", "--plan", "--reason", token("because")), code=1),
    Call("endpoints shadow-stop", ("leaky", "--reason", token("because")), code=1),
    Call("endpoints outcome", ("leaky", "work.py"), code=2),
    Call("verdict explain", ("leaky",), code=2),
    Call("monitor list"),
    Call("monitor show", ("leaky",), code=2),
    Call("monitor run", ("leaky",), code=2),
    Call("streams put", ("leaky", "work.py")),
    Call("streams put", ("leaky", "--events")),
    Call("streams function", ("csv-to-json",)),
    Call("streams list"),
    Call("streams show", ("leaky",)),
    Call("streams replay", ("leaky", "--dry-run")),
    Call("streams replay", ("leaky",)),
    Call("streams tune", ("leaky", "--rate", "5", "--bytes", "100")),
    Call("search query", ("--most", "1000")),
    Call("search query", (f"message:{token('asked')}",), code=2),
    Call("dashboards push", ("pipeline.py",), code=2),
    Call("search setup", code=2),
    Call("search put", code=2),
    Call("search serve", ("--for", "0")),
    Call("endpoints watch", ("leaky", "--for", "0")),
    Call("gc", ("--idle", "1")),
    *(
        Call(f"endpoints {name}", ("leaky", "--reason", token("because")), code=1)
        for name in ("pause", "resume", "promote-now", "abort", "rollback")
    ),
    Call("endpoints invoke", ("leaky", "--data", "bad"), code=1, formats=False),
    Call("endpoints delete", ("leaky", "--reason", token("because")), formats=False),
    Call("promote", ("leaky", "--to", "local"), formats=False),
    Call("endpoints delete", ("leaky", "--reason", token("because"), "--format", "json"), formats=False),
    Call("gc", ("--apply", "--older-than", "0", "--reason", token("because"))),
    Call("assets list"),
    Call("assets prune", ("--older-than", "0")),
    Call("local put", ("pipeline.py", "s3://mlops-local/put.py")),
    Call("local get", ("s3://mlops-local/put.py", "got.py")),
    Call("local ls", ("s3://mlops-local/put",)),
    Call("local mount"),
    Call("local images list", ("pipeline.py",)),
    Call("local images build", ("none.py",), code=2),
    Call("local images remove", ("--all",)),
    Call("local prune", ("--keep", "1")),
    Call("local serve", ("--port", "0", "--for", "0", "--requests")),
    Call("local env", ("--port", "4577")),
    Call("local exec", ("--", "true")),
    Call("selftest"),
    Call("destroy", ("leaky", "--yes")),
)
NOT_WALKED = {
    "lsp": "an editor asks it, of the text that it shows itself",
    "console": "a browser asks it: tests/console/test_console.py",
}


def formats(command: click.Command) -> list[list[str]]:
    """The options for each."""
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice) and "--format" in parameter.opts:
            return [["--format", str(choice)] for choice in parameter.type.choices]
    return [[]]


def places() -> list[str]:
    """All that was planted, in both runs."""
    sources = [
        password("served"),
        token("paused"),
        token("prefix"),
        token("errors"),
        PIPELINE,
        SERVING,
        LEAKY_RESOURCE,
        WORK,
        TOML,
        MOTO,
        *(word for call in CALLS for word in call.arguments),
    ]
    words = {word for source in sources for word in source.replace('"', " ").replace("=", " ").split()}
    found = {word for word in words if word.startswith(("ghp_", "hunter2-", "AKIA"))}
    assert len(found) > 20
    assert all(looks_secret(word) or is_secret("password", word) for word in found)
    return sorted(found | {word.replace(FILL * 3, OTHER * 3).replace(f"-{FILL}", f"-{OTHER}") for word in found})


def test_every_command_is_walked() -> None:
    assert {call.name for call in CALLS} | set(NOT_WALKED) == {name for name, _ in commands()}


def test_every_format_is_walked() -> None:
    """A command that is called in one alone says so in its arguments."""
    for name, command in commands():
        walked = [
            choice
            for call in CALLS
            if call.name == name
            for choice in (formats(command) if call.formats else [given(call, command)])
        ]
        missing = [choice for choice in formats(command) if choice not in walked]
        assert name in NOT_WALKED or not missing, f"{name}: {missing}"


def given(call: Call, command: click.Command) -> list[str]:
    """The format among its arguments, or the first, which it has without."""
    at = call.arguments.index("--format") if "--format" in call.arguments else None
    return formats(command)[0] if at is None else [*call.arguments[at : at + 2]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlops.toml").write_text(TOML)
    (folder / "pipeline.py").write_text(PIPELINE.replace("LEAKY", ""))
    (folder / "work.py").write_text(WORK)
    (folder / "serving.py").write_text(SERVING)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        inference = INFERENCE.replace("SERVED", password("served"))
        member.size = len(inference)
        tar.addfile(member, io.BytesIO(inference.encode()))
    account = LocalAccount(folder / ".mlops", "us-east-1")
    account.ensure_bucket("mlops-local")
    account.client("s3").put_object(Bucket="mlops-local", Key="m.tar.gz", Body=packed.getvalue())
    place = {"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::mlops-local"}
    account.client("firehose").create_delivery_stream(
        DeliveryStreamName="leaky",
        ExtendedS3DestinationConfiguration={
            **place,
            "Prefix": f"{token('prefix')}/",
            "ErrorOutputPrefix": f"{token('errors')}/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
        },
    )
    monkeypatch.chdir(folder)
    return folder


def shown(told: Told, call: Call) -> str:
    """Without the end of a step's log, which is its own output."""
    talk = "\n".join(line for line in told.err.splitlines() if not line.startswith("  | "))
    return talk if call.keeps else f"{told.out}\n{talk}"


RECORDS = (
    ".mlops/objects/**/pipelines/*.json",
    ".mlops/objects/**/lineage/*/*.json",
    ".mlops/objects/**/promotions/*/history/*.json",
)


def kept(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything that we write and that is neither the definition nor a step's output."""
    for pattern in ("plan.json", "baseline.json", "notices.jsonl", "mlops.lock", *RECORDS):
        found = sorted(folder.glob(pattern))
        assert found, pattern
        for file in found:
            yield pattern, file.read_text()
    with sqlite3.connect(folder / ".mlops" / "account.sqlite") as store:
        rows = store.execute("SELECT kind, about, ids, detail FROM event").fetchall()
        assert rows
        yield "events", json.dumps(rows)
    if not TRACKED:
        return
    with sqlite3.connect(folder / ".mlops" / "mlflow" / "mlflow.db") as tracking:
        for table in ("params", "tags", "runs", "metrics", "experiment_tags"):
            yield f"MLflow's {table}", json.dumps(tracking.execute(f"SELECT * FROM {table}").fetchall())


@pytest.mark.slow
@pytest.mark.deeper("sdk")
def test_a_planted_secret_is_in_no_view_and_no_record(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mlops, known = in_this_process(capfd), dict(commands())
    planted, leaks, odd = places(), [], []
    for call in CALLS:
        call.before(project)
        for options in formats(known[call.name]) if call.formats else [[]]:
            arguments = [first(project) if word == "FIRST" else word for word in call.arguments]
            words = [*call.name.split(), *options, *arguments]
            told = mlops(*words, code=call.code)
            leaks += [(" ".join(words), word) for word in planted if word in shown(told, call)]
            if "json" in words and "-" not in words:
                odd += [(" ".join(words), key) for key in keys_in_another_case(told.out)]
            if call.name == "destroy":
                break
        if call.name == "selftest":
            leaks += [(place, word) for place, text in kept(project) for word in planted if word in text]
    assert not leaks, "\n".join(f"{place}: {word}" for place, word in leaks)
    assert not odd, "\n".join(f"{place}: {key}" for place, key in odd)


def test_what_an_older_version_wrote_down_is_hidden_where_it_is_shown(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = read_project(project).environment("local")
    entry = Entry("taken back", "leaky", 2, "leaky-1", None, "ada", f"DB_PASSWORD={password('older')}")
    history.append(connect(environment), environment, "leaky", entry)
    mlops, command = in_this_process(capfd), dict(commands())["endpoints history"]
    for options in formats(command):
        told = mlops("endpoints", "history", *options, "leaky")
        assert password("older") not in told.out and "(hidden)" in told.out


FOREIGN = {
    "metadata": "what the service says of a step, and a version's own properties",
    "described": "the service's whole reply, in its words",
    "metrics": "names of the author's",
    "custom_details": "names of the author's, and of steps",
    "old": "what the service is told",
    "new": "what the service is told",
}
"""Members below which the keys are not ours."""


def keys_in_another_case(text: str) -> Iterator[str]:
    """Of one document, or of one a line."""
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines()]
    waiting: list[Any] = documents
    while waiting:
        match waiting.pop():
            case dict() as found:
                for key, value in found.items():
                    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", key):
                        yield key
                    # What a plan does by step has the steps' names.
                    if key not in FOREIGN and not (key == "steps" and isinstance(value, dict)):
                        waiting.append(value)
            case list() as found:
                waiting += found


WITHOUT_JSON = {
    "lsp": "it speaks JSON-RPC",
    "console": "it speaks HTML",
    "schema": "it is JSON",
    "completion": "a shell reads it",
    "cost import": "it writes what `cost show` reads",
    "executions open": "another program speaks",
    "executions report": "it is a page, of which `executions show` tells programs",
    "local exec": "another program speaks",
    **{name: "it writes what its name says" for name, _ in commands() if name.startswith("emit ")},
}


def test_every_command_that_shows_something_has_json() -> None:
    told = {name for name, command in commands() if any("json" in options for options in formats(command))}
    assert told | set(WITHOUT_JSON) == {name for name, _ in commands()}
    assert not told & set(WITHOUT_JSON)


def test_a_key_in_another_case_is_seen() -> None:
    odd = '{"arn": 1, "StepName": 2, "steps": [{"Sub": 3}], "metadata": {"Arn": 4}, "old": {"A": 1}, "two_words": 5}'
    assert sorted(keys_in_another_case(odd)) == ["StepName", "Sub"]


def first(folder: Path) -> str:
    with sqlite3.connect(folder / ".mlops" / "account.sqlite") as store:
        return str(store.execute("SELECT id FROM execution ORDER BY created LIMIT 1").fetchone()[0])


@pytest.mark.proof("deep")
def test_a_planted_secret_is_shown_nowhere_of_an_account_that_takes_it(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, moto_url: str
) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with (project / "mlops.toml").open("a") as file:
        file.write(MOTO.replace("URL", moto_url))
    # What is of the local account has no place in another.
    there = PIPELINE.replace("LEAKY", LEAKY_RESOURCE).replace("s3://mlops-local/", "s3://acme-ml/")
    (project / "pipeline.py").write_text(there)
    s3 = boto("s3", moto_url)
    s3.create_bucket(Bucket="acme-ml")
    mlops, planted, leaks = in_this_process(capfd), places(), []

    def call(*words: str, code: int = 0, keeps: bool = False) -> None:
        told = mlops(*words, "--env", "moto", code=code)
        text = told.err if keeps else told.out + told.err
        leaks.extend((" ".join(words), word) for word in planted if word in text)

    def plans() -> None:
        for format_ in ("text", "json", "markdown"):
            call("plan", "pipeline.py", "--format", format_, "--notify")
            call("plan", "pipeline.py", "--format", format_, "--preflight", code=1)

    plans()
    call("upsert", "pipeline.py", "--format", "json")
    changed(project)
    plans()
    boto("sagemaker", moto_url).update_pipeline(PipelineName="leaky", PipelineDescription=token("behind"))
    plans()
    call("upsert", "pipeline.py", code=1)
    call("upsert", "pipeline.py", "--force")
    call("import", "--from-account", "leaky", keeps=True)
    call("start", "leaky", "-p", f"Mode={token('given')}", "--format", "json")
    (record,) = [item["Key"] for item in s3.list_objects_v2(Bucket="acme-ml", Prefix="mlops/pipelines/")["Contents"]]
    kept_there = s3.get_object(Bucket="acme-ml", Key=record)["Body"].read().decode()
    call("destroy", "leaky", "--format", "json")
    for place, text in (("the record", kept_there), ("notices", (project / "notices.jsonl").read_text())):
        leaks += [(place, word) for word in planted if word in text]
    assert not leaks, "\n".join(f"{place}: {word}" for place, word in leaks)


def boto(service: str, url: str) -> Any:
    return boto3.client(service, endpoint_url=url, region_name="us-east-1")


NAMES = ("Name", "Type", "Get", "Version", "PropertyFileName", "OutputName", "InputName", "ChannelName", "DependsOn")
"""Members that say what something is called, or of what kind it is: these are no secrets."""


def planted_in(value: Any, key: str = "", *, count: Iterator[int]) -> Any:
    """Every text of a definition is another token."""
    match value:
        case dict():
            return {name: planted_in(item, name, count=count) for name, item in value.items()}
        case list():
            return [planted_in(item, key, count=count) for item in value]
        case str() if key not in NAMES:
            return token(f"leaf{next(count)}x")
    return value


@pytest.mark.parametrize("example", ["breast_cancer", "diabetes", "wine"])
def test_no_report_quotes_a_secret_of_a_definition(
    example: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "planted.json"
    monkeypatch.chdir(tmp_path)
    counted = count()
    definition = json.loads((ROOT / "pipelines" / example / "pipeline.json").read_text())
    file.write_text(json.dumps(planted_in(definition, count=counted), indent=1))
    assert next(counted) > 10
    mlops, check = in_this_process(capfd), dict(commands())["check"]
    for options in formats(check):
        for more in ([], ["--ignore", "X840"]):
            told = mlops("check", *options, *more, file.name, code=1)
            assert "ghp_" not in told.out + told.err, (options, more)
            assert "(hidden)" in told.out
