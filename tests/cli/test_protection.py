"""An environment that wants an approval is changed by no command without one.

All commands that speak of an environment are found by themselves: a new one is either shown to read only, or asks.
"""

from __future__ import annotations

import ast
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, cast

import boto3
import click
import pytest
from command_line import ROOT, Told, in_this_process

from mlops.account import connect
from mlops.account.local import LocalAccount
from mlops.account.protected import Protected, is_change
from mlops.cli import cli
from mlops.deploy.calls import method
from mlops.deploy.declared.wanting import RESOURCE
from mlops.deploy.endpoints import history
from mlops.deploy.resources.monitor import RESOURCE_TYPE as MONITOR
from mlops.ir import Refusal, unheard
from mlops.ir.event_fields import INDEX
from mlops.ir.feedback import Loop
from mlops.observe.search.asking import asking
from mlops.observe.search.embedded import embedded
from mlops.project.environments import read_project
from mlops.use_cases import destroy, endpoints, gc
from mlops.use_cases.approval import NOBODY, Consent, Shared, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.sharing import shared
from tests.observe.search.dashboards_door import opened

TOML = """
[env.prod]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
endpoint_url = "URL"
approval = true
[env.prod.search]
url = "SEARCH"
dashboards = "DASHBOARDS"
auth = "none"
[env.local]
approval = true
"""
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
PIPELINE = f"""\
from mlops import Pipeline, Processing
with Pipeline("churn") as pipeline:
    Processing("One", code="one.py", image="{IMAGE}", instance="ml.m5.large", outputs=["text"])
"""


SERVING = f"""\
from mlops import resources
model = resources.Model("other", image="{IMAGE}")
config = resources.EndpointConfig("other", model=model.model_name)
resources.Endpoint("other", config=config.config_name)
"""
SHORT = """\
from mlops import Fail, Pipeline
with Pipeline("churn") as pipeline:
    Fail("Stop", "no")
"""


WAITS = """\
from mlops import Callback, Pipeline
with Pipeline("churn") as pipeline:
    Callback("Ask", queue="https://sqs.eu-west-1.amazonaws.com/123456789012/q")
"""
FAILS = """\
from mlops import Lambda, Pipeline
with Pipeline("churn") as pipeline:
    Lambda("One", function="arn:aws:lambda:eu-west-1:123456789012:function:nobodys")
"""
PIPELINES = {"executions stop": PIPELINE, "executions answer": WAITS, "executions retry": FAILS}
"""What is to run meanwhile; SHORT elsewhere."""


@dataclass(frozen=True, slots=True)
class Reads:
    """``code`` is how it ends."""

    name: str
    words: tuple[str, ...] = ()
    code: int = 0
    option: str = "--env"
    environment: str = "prod"


@dataclass(frozen=True, slots=True)
class Changes:
    """``doing`` is what it asks for. ``code`` is how it ends with a yes."""

    name: str
    words: tuple[str, ...]
    doing: str
    option: str = "--env"
    code: int = 0
    environment: str = "prod"


def commands(group: click.Command = cli, at: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None, name
            yield from commands(found, f"{at} {name}".strip())
    else:
        yield at, group


def options(command: click.Command) -> set[str]:
    """Those that name an environment."""
    return {
        opt for parameter in command.params for opt in parameter.opts if parameter.metavar == "ENV" or opt == "--env"
    }


ALL = dict(commands())
ROWS: tuple[Reads | Changes, ...] = (
    Reads("check", ("pipeline.py",)),
    Reads("show", ("pipeline.py",)),
    Reads("compile", ("pipeline.py", "-o", "-")),
    Reads("cost show", ("pipeline.py", "--history")),
    *(Reads(name, ("pipeline.py",)) for name in ALL if name.startswith("emit ")),
    Reads("plan", ("pipeline.py", "--preflight"), code=1),
    Reads("import", ("--from-account", "churn")),
    Reads("executions list"),
    Reads("executions show", ("last",), environment="local"),
    Reads("executions report", ("last",), environment="local"),
    Reads("executions logs", ("last",), environment="local"),
    Reads("executions metrics", ("last",), environment="local"),
    Reads("executions record", ("last",), code=2, environment="local"),
    Reads("executions diff", ("last", "last"), environment="local"),
    Reads("models list"),
    Reads("models show", ("churn", "1")),
    Reads("models history", ("churn", "1")),
    Reads("models lineage", ("churn", "1")),
    Reads("models package", ("churn", "1", "--as", "archive", "-o", "packed.tar.gz"), code=1),
    Reads("models compare", ("churn", "1", "1")),
    Reads("models card", ("churn", "1")),
    Reads("models datasheet", ("churn", "1")),
    Reads("models notes", ("churn", "1", "2")),
    Reads("endpoints list"),
    Reads("endpoints show", ("churn",)),
    Reads("endpoints invoke", ("churn", "--data", "1")),
    Reads("endpoints history", ("churn",)),
    Reads("endpoints shadow", ("churn",), code=2),
    Reads("endpoints forecast", ("churn", "--metric", "none"), code=2),
    Reads("verdict explain", ("churn",), code=2),
    Reads("monitor list"),
    Reads("monitor show", ("watch",)),
    Reads("endpoints watch", ("churn", "--for", "0")),
    Reads("streams list"),
    Reads("streams show", ("clicks",)),
    Reads("streams tune", ("clicks", "--rate", "5", "--bytes", "100")),
    Reads("search query"),
    Reads("feedback list"),
    Reads("feedback show", ("drift",), code=2, environment="local"),
    Changes("feedback on", (), "let the clock run feedback", code=2, environment="local"),
    Changes("feedback off", (), "keep the clock from feedback", environment="local"),
    Changes("feedback approve", ("drift",), "train churn anew, because", environment="local"),
    Reads("gc", ("--older-than", "0")),
    Reads("assets list"),
    Reads("assets prune", ("--older-than", "0")),
    Changes("bootstrap", ("--force",), "make or change bucket acme-ml, role pipelines"),
    Changes("upsert", ("pipeline.py", "--force"), "upsert churn"),
    Changes("start", ("churn",), "start churn"),
    Changes("executions answer", ("Ask", "--fail", "no"), "answer Ask of the execution", environment="local"),
    Changes("executions stop", ("last", "--no-watch"), "stop the execution", environment="local"),
    Changes("executions retry", ("last", "--no-watch"), "go on with the execution", environment="local"),
    Changes("models approve", ("churn", "2"), "approve version 2 of churn"),
    Changes("models reject", ("churn", "1"), "reject version 1 of churn"),
    Changes("promote", ("churn", "--endpoint", "other"), "take version 1 of churn to the endpoint other", "--to"),
    Changes("monitor run", ("watch",), "run the monitor watch", code=1),
    Changes("endpoints outcome", ("churn", "labels.csv"), "publish 1 outcome of churn"),
    Changes("streams put", ("clicks", "labels.csv"), "put records into the stream clicks"),
    Changes("streams put", ("clicks", "--events"), "put events into the stream clicks"),
    Changes("streams replay", ("clicks",), "put again what 1 object of the stream clicks hold"),
    Changes("dashboards push", ("serving.py",), "bring "),
    Changes("search setup", (), "set up http://127.0.0.1:"),
    Changes("search put", (), "put events into http://127.0.0.1:"),
    Changes("endpoints delete", ("churn",), "delete the endpoint churn"),
    Changes("gc", ("--older-than", "0", "--apply"), "remove 1 model"),
    Changes("assets prune", ("--older-than", "0", "--delete"), "delete 1 object"),
    Changes("selftest", (), "run mlops-selftest-", code=1),
    Changes("destroy", ("churn", "--force"), "remove pipeline churn"),
    Reads("plan", ("serving.py",)),
    Changes("upsert", ("serving.py",), "upsert serving.py"),
    Changes("destroy", ("served", "--resources"), "remove endpoint served"),
)
STEERED = "it asks before it changes what is under way: tests/deploy/shifting/test_control.py"
SHADOWED = "moto has no inference experiments: tests/deploy/shifting/test_shadow_tests.py"
ELSEWHERE = {
    **{(f"endpoints {name}", "--env"): STEERED for name in ("pause", "resume", "abort", "promote-now", "rollback")},
    **{(f"endpoints shadow-{name}", "--env"): SHADOWED for name in ("start", "stop")},
    (
        "feedback run",
        "--env",
    ): "it waits for `feedback approve` where that is protected: tests/cli/test_feedback_commands.py",
    ("executions open", "--env"): "it opens a step on this machine, and refuses any other account",
    ("init", "--env"): "it writes the name into a workflow",
    (
        "console",
        "--env",
    ): "its pages see a protected account, a button says yes: tests/console/test_console.py",
    ("lsp", "--env"): "it checks what an editor shows, and connects to nothing",
    ("promote", "--registry"): "it reads there, and changes what --to names; no consent is asked for that account",
    ("run", "--env"): "it takes parameters of that environment and runs here, asking nothing of its account",
    ("run", "--from-env"): "it copies from there into the local account: tests/cli/test_start_and_replay.py",
}


def test_every_command_that_speaks_of_an_environment_is_walked() -> None:
    there = {(name, option) for name, command in ALL.items() for option in options(command)}
    assert {(row.name, row.option) for row in ROWS} | set(ELSEWHERE) == there


def test_yes_is_said_in_the_same_words_everywhere() -> None:
    told = {
        name: parameter.help
        for name, command in ALL.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and "--yes" in parameter.opts
    }
    assert {row.name for row in ROWS if isinstance(row, Changes)} <= told.keys()
    assert set(told.values()) == {"Do it without asking."}


@cache
def boto(service: str, url: str) -> Any:
    return boto3.client(service, endpoint_url=url, region_name="us-east-1")


@pytest.fixture(scope="module")
def searched() -> Iterator[str]:
    """An OpenSearch that has an index for events, and nothing else that setting up makes."""
    with embedded() as place:
        asking(place, "us-east-1", lambda: None)("PUT", f"/{INDEX}-000001", {"aliases": {INDEX: {}}})
        yield place.url


@pytest.fixture(scope="module")
def boards() -> Iterator[str]:
    with opened() as (url, _):
        yield url


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_url: str, searched: str, boards: str) -> Path:
    """A project whose account has a bucket."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    (tmp_path / "mlops.toml").write_text(
        TOML.replace("URL", moto_url).replace("SEARCH", searched).replace("DASHBOARDS", boards)
    )
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "one.py").write_text("print(1)\n")
    (tmp_path / "serving.py").write_text(SERVING)
    (tmp_path / "labels.csv").write_text("inference_id,label\na,1\n")
    monkeypatch.chdir(tmp_path)
    boto("s3", moto_url).create_bucket(Bucket="acme-ml")
    return tmp_path


@pytest.fixture
def project(bare: Path, moto_url: str) -> Path:
    """With everything in its account that there can be."""
    s3, sagemaker, role = boto("s3", moto_url), boto("sagemaker", moto_url), "arn:aws:iam::123456789012:role/pipelines"
    s3.put_object(Bucket="acme-ml", Key=f"mlops/assets/{'0' * 64}/old.py", Body=b"old")
    steps = [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps})
    sagemaker.create_pipeline(
        PipelineName="churn", RoleArn=role, PipelineDefinition=definition, ClientRequestToken="0" * 32
    )
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    for approval in ("Approved", "PendingManualApproval"):
        sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://acme-ml/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    for name in ("m", "superseded"):
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
    s3.put_object(Bucket="acme-ml", Key="mlops/made/models/superseded.json", Body=b"{}")
    variant = {"VariantName": "All", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="c")
    place = {"RoleARN": role, "BucketARN": "arn:aws:s3:::acme-ml", "ErrorOutputPrefix": "failed/"}
    boto("firehose", moto_url).create_delivery_stream(
        DeliveryStreamName="clicks", ExtendedS3DestinationConfiguration=place
    )
    s3.put_object(
        Bucket="acme-ml", Key="failed/clicks-1-2026-11-29-09-00-00-a", Body=b'{"attemptsMade": 1, "rawData": "YQ=="}'
    )
    watched = {"endpoint": "churn", "code": "s3://acme-ml/code", "role": role, "instance": "ml.m5.large", "drift": {}}
    scheduler = boto("scheduler", moto_url)
    for call in MONITOR.create("watch", watched):
        getattr(scheduler, method(call.operation))(**call.request)
    ours = [{"Key": RESOURCE, "Value": "endpoint served"}]
    sagemaker.create_endpoint(EndpointName="served", EndpointConfigName="c", Tags=ours)
    return bare


FEW = 8


def words(row: Reads | Changes) -> list[str]:
    return [*row.name.split(), *row.words, row.option, row.environment]


def state(url: str) -> list[object]:
    """Everything that a change could be of."""
    s3, sagemaker = boto("s3", url), boto("sagemaker", url)
    executions = sagemaker.list_pipeline_executions(PipelineName="churn")["PipelineExecutionSummaries"]
    here = LocalAccount(Path(".mlops"), "us-east-1").state.store.all("SELECT id, status FROM execution")
    return [
        sorted(item["Key"] for item in s3.list_objects_v2(Bucket="acme-ml")["Contents"]),
        sagemaker.describe_pipeline(PipelineName="churn")["PipelineDefinition"],
        sorted((item["PipelineExecutionArn"], item["PipelineExecutionStatus"]) for item in executions),
        sorted(item["ModelName"] for item in sagemaker.list_models()["Models"]),
        [item["ModelApprovalStatus"] for item in versions(sagemaker)],
        sorted(item["EndpointName"] for item in sagemaker.list_endpoints()["Endpoints"]),
        [tuple(row) for row in here],
    ]


def versions(sagemaker: Any) -> list[dict[str, Any]]:
    listed = sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"]
    return sorted(listed, key=lambda item: str(item["ModelPackageArn"]))


@pytest.mark.parametrize("environment", ["prod", "local"])
def test_it_reads_only(environment: str, project: Path, capfd: pytest.CaptureFixture[str], moto_url: str) -> None:
    """All of them, one after the other, with a look at the account after every few: to look takes as long as most of
    them."""
    mlops = in_this_process(capfd)
    if environment == "local":
        executed(project, mlops, SHORT)
    before = state(moto_url)
    rows = [row for row in ROWS if isinstance(row, Reads) and row.environment == environment]
    for start in range(0, len(rows), FEW):
        some = rows[start : start + FEW]
        for row in some:
            told = mlops(*words(row), code=row.code)
            assert "wants an approval" not in told.err, row
        assert state(moto_url) == before, some


def executed(project: Path, mlops: Callable[..., Told], pipeline: str) -> None:
    (project / "pipeline.py").write_text(pipeline)
    (project / "one.py").write_text("import time\ntime.sleep(600)\n")
    mlops("upsert", "pipeline.py", "--yes")
    if pipeline in (SHORT, FAILS):
        mlops("start", "churn", "--yes", "--watch", code=1)
    else:
        mlops("start", "churn", "--yes")
    while pipeline == WAITS and not waits(mlops):
        time.sleep(0.05)


def waits(mlops: Callable[..., Told]) -> bool:
    shown = json.loads(mlops("executions", "show", "last", "--format", "json").out)
    return [step["status"] for step in shown["steps"]] == ["Executing"]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if isinstance(row, Changes)], ids=lambda row: f"{row.name} {row.option}"
)
def test_it_asks(row: Changes, project: Path, capfd: pytest.CaptureFixture[str], moto_url: str) -> None:
    mlops = in_this_process(capfd)
    if row.name in ("feedback on", "feedback off"):
        pass  # it is about no execution
    elif row.name == "feedback approve":
        now = datetime.now(UTC)
        told = {"why": "drift", "pipeline": "churn", "stages": ["ask-start", "start"]}
        LocalAccount(project / ".mlops", "us-east-1").loops.begin(Loop("drift", 1, "ask-start", now, now, told), {})
    elif row.environment == "local":
        executed(project, mlops, PIPELINES.get(row.name, SHORT))
    given = words(row)
    before = state(moto_url)
    said = mlops(*given, code=1)
    assert f"the environment {row.environment} wants an approval to {row.doing}" in said.err
    assert "nothing was changed" in said.err and "--yes" in said.err
    assert state(moto_url) == before
    said = mlops(*given, "--yes", code=row.code)
    assert "wants an approval" not in said.err


def test_a_question_is_asked_where_somebody_sits(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str
) -> None:
    found = read_project(project).environment("prod")
    asked: list[str] = []

    def person(answer: bool) -> Consent:
        return Consent(ask=lambda question: bool(asked.append(question)) or answer)

    account = Protected(connect(found), "prod")
    connected = Connected(found, account, project)
    sagemaker = account.client("sagemaker")
    with pytest.raises(Refusal, match="not approved; nothing was changed"):
        need_consent(connected, "delete the endpoint churn", person(False))
    with pytest.raises(Refusal, match="DeleteEndpoint was about to go without"):
        sagemaker.delete_endpoint(EndpointName="churn")
    need_consent(connected, "delete the endpoint churn", person(True))
    sagemaker.delete_endpoint(EndpointName="churn")
    assert asked == ["Delete the endpoint churn in prod?"] * 2


def test_what_cannot_be_undone_is_asked_for_in_any_account(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str
) -> None:
    toml = project / "mlops.toml"
    toml.write_text(toml.read_text().replace("approval = true\n", ""))
    mlops = in_this_process(capfd)
    told = mlops("endpoints", "delete", "churn", "--env", "prod", code=1)
    assert (
        "delete the endpoint churn in prod is for good, and nobody can be asked here; nothing was changed" in told.err
    )
    mlops("endpoints", "delete", "churn", "--env", "prod", "--yes")
    assert "there is no endpoint 'churn'" in mlops("endpoints", "delete", "churn", "--env", "prod", code=2).err


BESIDE = """
[env.staging]
inherits = "prod"
approval = false
prefix = "staging"
[env.staging.promote]
endpoint = "{group}-staging"
[env.same-bucket]
inherits = "prod"
approval = false
[env.elsewhere]
inherits = "staging"
region = "eu-west-1"
"""
OF_PROD = "the environment prod, which has the endpoint {} too, wants an approval to {}"


def test_what_a_protected_environment_serves_is_changed_by_no_other_one_without_a_yes(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str
) -> None:
    with (project / "mlops.toml").open("a") as file:
        file.write(BESIDE)
    mlops = in_this_process(capfd)
    mlops("promote", "churn", "--to", "prod", "--endpoint", "score", "--yes")
    before = state(moto_url)
    for given, endpoint, doing in (
        (("promote", "churn", "--to", "staging", "--endpoint", "churn"), "churn", "take version 1 of churn to"),
        (("endpoints", "delete", "score", "--env", "staging"), "score", "delete the endpoint score"),
        (("endpoints", "delete", "score", "--env", "same-bucket"), "score", "delete the endpoint score"),
    ):
        told = mlops(*given, code=1)
        assert OF_PROD.format(endpoint, doing) in told.err and "nothing was changed" in told.err
        assert state(moto_url) == before
    steering = endpoints._steering(connect_here("staging"), "score", unheard, NOBODY)
    with pytest.raises(Refusal, match="the environment prod, which has the endpoint score too"):
        steering.permit("pause it")
    told = mlops("endpoints", "delete", "churn", "--env", "staging", code=1)
    assert "delete the endpoint churn in staging is for good" in told.err, "nobody knows it for prod's"
    mlops("promote", "churn", "--to", "staging")
    told = mlops("endpoints", "delete", "churn-staging", "--env", "staging", code=1)
    assert "prod" not in told.err
    mlops("endpoints", "delete", "score", "--env", "staging", "--yes")


@pytest.mark.parametrize(
    ("environment", "endpoint", "group", "promoted", "its"),
    [
        ("staging", "p", "p", None, True),
        ("staging", "p", None, None, False),
        ("staging", "p-staging", "p", None, False),
        ("elsewhere", "p", "p", None, False),
        ("prod", "p", "p", None, False),
        ("staging", "p", None, "prod", True),
        ("staging", "p-staging", "p", "staging", False),
        ("staging", "p", None, "staging", True),
        ("same-bucket", "q", None, "prod", True),
        ("same-bucket", "q", None, "same-bucket", False),
        ("same-bucket", "p", None, "same-bucket", True),
        ("elsewhere", "p", None, "prod", False),
    ],
)
def test_whose_an_endpoint_is_tells_its_name_or_a_history(
    environment: str, endpoint: str, group: str | None, promoted: str | None, its: bool, bare: Path
) -> None:
    with (bare / "mlops.toml").open("a") as file:
        file.write(BESIDE)
    if promoted is not None:
        of = read_project(bare).environment(promoted)
        history.append(connect(of), of, endpoint, history.Entry("created", "p", 1, "c", None, "ada", serves=1))
    assert shared(connect_here(environment), [endpoint], group) == (Shared("prod", endpoint) if its else None)


def test_the_endpoint_of_a_deleted_promotion_is_nobodys(bare: Path) -> None:
    with (bare / "mlops.toml").open("a") as file:
        file.write(BESIDE)
    of = read_project(bare).environment("prod")
    for verb in ("created", "deleted"):
        history.append(connect(of), of, "q", history.Entry(verb, "p", 1, "c", None, "ada", serves=1))  # type: ignore[arg-type]
    assert shared(connect_here("staging"), ["q"]) is None


class Tomorrow(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Tomorrow:
        found: Any = super().now(tz) + timedelta(days=1)
        return cast(Tomorrow, found)


def test_what_is_upserted_collected_and_destroyed_is_looked_at_too(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (project / "mlops.toml").open("a") as file:
        file.write(BESIDE)
    of = read_project(project).environment("prod")
    history.append(connect(of), of, "served", history.Entry("created", "served", 0, "c", None, "ada", serves=0))
    removals = destroy.plan_resources("staging", ["served"])
    with pytest.raises(Refusal) as refused:
        destroy.destroy_resources(removals, unheard)
    assert OF_PROD.format("served", "remove endpoint served") in refused.value.message
    history.append(connect(of), of, "other", history.Entry("created", "other", 0, "c", None, "ada", serves=0))
    told = in_this_process(capfd)("upsert", "serving.py", "--env", "staging", code=1)
    assert OF_PROD.format("other", "upsert serving.py") in told.err
    mine = read_project(project).environment("staging")
    history.append(connect(mine), mine, "served", history.Entry("created", "served", 1, "c", None, "ada", serves=1))
    monkeypatch.setattr(gc, "datetime", Tomorrow)
    told = in_this_process(capfd)("gc", "--idle", "0.5", "--apply", "--env", "staging", code=1)
    assert OF_PROD.format("served", "remove 1 endpoint") in told.err


def test_no_use_case_connects_past_the_protection() -> None:
    """`connect` gives an account whose changes nobody asks for; tests have one in a folder of their own."""
    found = []
    for file in sorted((ROOT / "mlops").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        # Few name it at all, and to parse all takes its time.
        for node in ast.walk(ast.parse(text)) if "connect" in text and "mlops.account" in text else ():
            if isinstance(node, ast.ImportFrom) and node.module == "mlops.account":
                found += [file.relative_to(ROOT).as_posix() for name in node.names if name.name == "connect"]
    assert found == ["mlops/testing/execution.py", "mlops/use_cases/connecting.py"]


def test_what_asks_and_what_changes_is_told_by_the_name_of_an_operation() -> None:
    asks = {"DescribeModel", "ListTags", "GetObject", "HeadBucket", "SimulatePrincipalPolicy", "InvokeEndpoint"}
    changes = {"CreateModel", "PutRule", "AddTags", "DeleteObjects", "RetryPipelineExecution", "UploadPart", "SendX"}
    assert {name for name in asks | changes if is_change(name)} == changes


def test_who_rejects_what_serves_is_told(project: Path, capfd: pytest.CaptureFixture[str], moto_url: str) -> None:
    mlops = in_this_process(capfd)
    mlops("promote", "churn", "--to", "prod", "--endpoint", "score", "--yes")
    told = mlops("models", "reject", "churn", "2", "--env", "prod", "--yes")
    assert "still serves" not in told.err
    told = mlops("models", "reject", "churn", "1", "--env", "prod", "--yes")
    assert "the endpoint score still serves version 1: `mlops promote churn --to prod --endpoint score`" in told.err
    assert "the endpoint churn " not in told.err
