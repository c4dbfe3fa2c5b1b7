"""Log lines and captured features in an index: those that somebody asked for, without what looks like a secret."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlops.account.local import LocalAccount
from mlops.cli import cli
from mlops.deploy.executions.following import follow
from mlops.ir import MlopsError
from mlops.observe.search.asking import Ask, asking
from tests.deploy.test_promote import archive
from tests.observe.search.place import At
from tests.search.conftest import emptied
from tests.search.test_search_command import mlops

ROLE = "arn:aws:iam::000000000000:role/r"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ456789"
KEY = ("-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEAgoodkey", "-----END RSA PRIVATE KEY-----")
PRINTED = ("epoch 1 of 2", "ERROR no such column: churned", f"with DB_PASSWORD=hunter2-hunter2 and {TOKEN}", *KEY)
HANDLER = f"print('model is here, {TOKEN}', flush=True)\ndef model_fn(d): return 0\n"
BUCKET = "kept"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose step has printed, and whose endpoint has captured."""
    folder = tmp_path_factory.mktemp("lines")
    account = LocalAccount(folder / ".mlops", "us-east-1")
    account.ensure_bucket(BUCKET)
    sagemaker, s3 = account.client("sagemaker"), account.client("s3")
    script = "; ".join(f"echo '{line}'" for line in PRINTED)
    job = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/sh", "-c", script]},
        "RoleArn": ROLE,
    }
    steps = [{"Name": "Work", "Type": "Processing", "Arguments": job}]
    definition = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})
    sagemaker.create_pipeline(PipelineName="churn", PipelineDefinition=definition, RoleArn=ROLE)
    follow(account, str(sagemaker.start_pipeline_execution(PipelineName="churn")["PipelineExecutionArn"]))
    s3.put_object(Bucket=BUCKET, Key="m.tar.gz", Body=archive("code/inference.py", HANDLER))
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/m.tar.gz"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName="c", ProductionVariants=[variant], DataCaptureConfig=capture
    )  # fmt: skip
    sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="c")
    s3.put_object(
        Bucket=BUCKET, Key=f"captured/churn/A/{NOW - timedelta(minutes=5):%Y/%m/%d/%H}/a.jsonl", Body=captured()
    )
    deadline = time.monotonic() + 120
    while "model is here" not in str(account.client("logs").filter_log_events(logGroupName=ENDPOINT_LOG)["events"]):
        assert time.monotonic() < deadline, sagemaker.describe_endpoint(EndpointName="churn")
        time.sleep(0.1)
    yield folder
    sagemaker.delete_endpoint(EndpointName="churn")


ENDPOINT_LOG = "/aws/sagemaker/Endpoints/churn"
SENT = (
    ("JSON", json.dumps({"place": {"lat": 48.1, "lon": 11.5}, "card": "4111111111111111", "plan": TOKEN})),
    ("JSON", json.dumps({"instances": [{"place": [13.4, 52.5]}, {"place": "nowhere", "plan": "free"}]})),
    ("CSV", "7.5,secret words\n8,more"),
    ("BASE64", "!"),
    ("JSON", "[" * 100_000),
)


def captured() -> bytes:
    at = f"{NOW - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    lines = [
        json.dumps(
            {
                "captureData": {"endpointInput": {"mode": "INPUT", "data": data, "encoding": encoding}},
                "eventMetadata": {"eventId": f"e{number}", "inferenceTime": at},
            }
        )
        for number, (encoding, data) in enumerate(SENT)
    ]
    return "\n".join([*lines, "no line", "{}"]).encode()


@pytest.fixture
def project(ran: Path, osmem: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    emptied(asking(At(osmem), "us-east-1", lambda: None))
    monkeypatch.chdir(ran)
    return ran


def declared(project: Path, url: str, more: str = "") -> Ask:
    (project / "mlops.toml").write_text(f'[env.local.search]\nurl = "{url}"\nauth = "none"\n{more}')
    return asking(At(url), "us-east-1", lambda: None)


def whole(ask: Ask) -> str:
    return json.dumps(ask("POST", "/mlops-*/_search", {"size": 10_000, "query": {"match_all": {}}}))


def refused(*words: str) -> str:
    with pytest.raises(MlopsError) as raised:
        CliRunner().invoke(cli, words, catch_exceptions=False)
    return f"{raised.value}\n{raised.value.hint}"


def test_none_of_it_is_there_unless_somebody_asks(project: Path, osmem: str) -> None:
    ask = declared(project, osmem)
    mlops("search", "setup")
    assert mlops("search", "put", "--format", "json")["created"] > 0
    assert "epoch 1 of 2" not in whole(ask) and "model is here" not in whole(ask) and '"lat"' not in whole(ask)
    told = refused("search", "query", "--of", "logs")
    assert "no log lines of local go into an OpenSearch" in told and 'write logs = ["steps", "endpoints"]' in told


def test_lines_are_found_without_secrets_and_put_once(project: Path, osmem: str) -> None:
    ask = declared(project, osmem, 'logs = ["steps", "endpoints"]\n')
    assert len(mlops("search", "setup", "--format", "json")["changes"]) == 4
    before = mlops("search", "put", "--format", "json")
    assert (before["rejected"], mlops("search", "put", "--format", "json")["created"]) == (0, 0)
    found = mlops("search", "query", "step:Work", "--of", "logs", "--format", "json")["events"]
    assert [line["line"] for line in sorted(found, key=lambda line: int(line["number"]))] == [
        *PRINTED[:2], "with DB_PASSWORD=(hidden) and (hidden)", *["(hidden)"] * 3,
    ]  # fmt: skip
    (error,) = mlops("search", "query", "level:ERROR pipeline:churn", "--of", "logs", "--format", "json")["events"]
    assert error["ids"]["job"].startswith("pipelines-") and error["level"] == "ERROR"
    assert "model is here, (hidden)" in mlops("search", "query", "endpoint:churn variant:A", "--of", "logs")
    assert not any(word in whole(ask) for word in (TOKEN, "hunter2", "goodkey"))


def test_a_laptop_asks_for_its_lines_without_any_table(project: Path) -> None:
    (project / "mlops.toml").write_text("")
    assert "no such column" in mlops("search", "query", "churned", "--of", "logs")
    assert "no captured requests of local" in refused("search", "query", "--of", "captured")


def test_only_features_that_are_named_are_there(project: Path, osmem: str) -> None:
    ask = declared(
        project,
        osmem,
        'captured = { churn = { place = "geo_point", plan = "keyword", 0 = "double" }, gone = { a = "long" } }\n',
    )
    mlops("search", "setup")
    put = mlops("search", "put", "--format", "json")
    assert (put["rejected"], put["unknown"]) == (0, {"feature.place": 1})
    assert mlops("search", "put", "--format", "json")["created"] == 0
    found = mlops("search", "query", "--of", "captured", "--format", "json")["events"]
    told = sorted((row["inference"], row["row"], json.dumps(row.get("feature"))) for row in found)
    assert told == [
        ("e0", 0, '{"place": {"lat": 48.1, "lon": 11.5}, "plan": "(hidden)"}'),
        ("e1", 0, '{"place": {"lat": 52.5, "lon": 13.4}}'),
        ("e1", 1, '{"plan": "free"}'),
        ("e2", 0, '{"0": 7.5}'),
        ("e2", 1, '{"0": 8.0}'),
    ]
    assert not any(word in whole(ask) for word in (TOKEN, "4111", "secret words"))


MISTAKES: list[tuple[str, str]] = [
    ('logs = ["lines"]\n', "'steps' or 'endpoints'"),
    ('captured = { a = { x = "long" }, b = { x = "double" } }\n', "x of b is double, and long of another endpoint"),
    ('captured = { a = { x = "text" } }\n', "'keyword', 'long', 'double' or 'geo_point'"),
    ('captured = { a = { "x.y" = "long" } }\n', "x.y"),
    ("captured = { a = { " + ", ".join(f'f{number} = "long"' for number in range(501)) + " } }\n", "501 features: 500"),
]


@pytest.mark.parametrize(("more", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes_in_the_table_are_told(project: Path, osmem: str, more: str, said: str) -> None:
    declared(project, osmem, more)
    assert said in refused("search", "setup", "--dry-run")
