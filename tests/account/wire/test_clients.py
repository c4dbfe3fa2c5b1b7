"""From a pipeline to an endpoint, by clients that know nothing of us: boto3, and the aws command line as a judge."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import boto3
import pytest
from account_definitions import IMAGE, ROLE, document, processing
from botocore.config import Config
from botocore.eventstream import EventStream
from botocore.exceptions import EventStreamError
from botocore.parsers import EventStreamJSONParser
from endpoint_parts import INFERENCE, variant

from mlops.account.local import LocalAccount
from mlops.account.local.shapes import operation
from mlops.account.wire.answers import Answers
from mlops.account.wire.aws_names import suffixes
from mlops.account.wire.client_variables import Proxied, variables
from mlops.account.wire.event_streams import written
from mlops.account.wire.proxy.gate import Gate
from mlops.account.wire.proxy.issuers import Terms, issuer
from mlops.account.wire.proxy.tunnel import Tunnel
from mlops.account.wire.server import Server

AWS = Path(sys.executable).parent / "aws"


class Hand(Protocol):
    def do(self, service: str, operation: str, **given: Any) -> dict[str, Any]:
        """``operation`` in boto3's words."""

    def put(self, file: Path, uri: str) -> None: ...

    def invoke(self, endpoint: str, text: str) -> str: ...

    def close(self) -> None: ...


class ByBoto3:
    def __init__(self, url: str, folder: Path) -> None:
        make: Any = boto3.client
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        self.client: Callable[[str], Any] = lambda service: make(service, endpoint_url=url, **keys)

    def do(self, service: str, operation: str, **given: Any) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self.client(service), operation)(**given)
        return found

    def put(self, file: Path, uri: str) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.client("s3").upload_file(str(file), bucket, key)

    def invoke(self, endpoint: str, text: str) -> str:
        reply = self.do(
            "sagemaker-runtime", "invoke_endpoint", EndpointName=endpoint, Body=text, ContentType="text/plain"
        )
        return str(reply["Body"].read().decode())

    def close(self) -> None:
        """Nothing is open."""


class ByCommandLine:
    """The first command by the program itself, the others by what that loads, loaded once."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        self._environment = variables(url, "us-east-1", os.environ).of(os.environ)
        self._loaded: subprocess.Popen[str] | None = None

    def aws(self, *words: str) -> str:
        words = ("--output", "json", *words)
        if self._loaded is None:
            given: dict[str, Any] = {"text": True, "env": self._environment, "cwd": self._folder}
            told = subprocess.run([str(AWS), *words], capture_output=True, **given)
            assert told.returncode == 0, (words, told.stderr)
            program = [sys.executable, str(Path(__file__).with_name("loaded_command_line.py"))]
            self._loaded = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **given)
            return told.stdout
        out, err = self._folder / "told.out", self._folder / "told.err"
        assert self._loaded.stdin is not None and self._loaded.stdout is not None
        self._loaded.stdin.write(json.dumps({"words": words, "out": str(out), "err": str(err)}) + "\n")
        self._loaded.stdin.flush()
        assert self._loaded.stdout.readline() == "0\n", (words, err.read_text())
        return out.read_text()

    def close(self) -> None:
        if self._loaded is not None:
            self._loaded.communicate()

    def do(self, service: str, operation: str, **given: Any) -> dict[str, Any]:
        service = "s3api" if service == "s3" else service  # whose other name is for copying
        out = self.aws(service, operation.replace("_", "-"), "--cli-input-json", json.dumps(given))
        found: dict[str, Any] = json.loads(out) if out.strip() else {}
        return found

    def put(self, file: Path, uri: str) -> None:
        self.aws("s3", "cp", str(file), uri)

    def invoke(self, endpoint: str, text: str) -> str:
        (self._folder / "body").write_text(text)
        words = ("--body", "fileb://body", "--content-type", "text/plain", "answer")
        self.aws("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", endpoint, *words)
        return (self._folder / "answer").read_text()


class AtAwsNames(ByBoto3):
    """No address of ours is told it, as where one stands in the code."""

    def __init__(self, url: str, folder: Path) -> None:
        make: Any = boto3.client
        proxied = the_proxy(folder)
        config = Config(proxies={"https": proxied.url})
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        self.client = lambda service: make(service, config=config, verify=proxied.bundle, **keys)


class ByCommandLineAtAwsNames(ByCommandLine):
    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        given = variables(url, "us-east-1", os.environ, the_proxy(folder)).of(os.environ)
        self._environment = {name: value for name, value in given.items() if name != "AWS_ENDPOINT_URL"}


def the_proxy(folder: Path) -> Proxied:
    """That of the test's account, for as long as the tests run."""
    authority = issuer(Terms.at(datetime.now(UTC), suffixes()))
    gate = Gate(authority)
    (folder / "authority.pem").write_bytes(authority.authority)
    answers = Answers(folder / ".mlops", "us-east-1")
    server = Server(answers, meet=lambda taken, limits: Tunnel(taken, limits, gate))
    server.start()
    return Proxied(gate.url(server.port), str(folder / "authority.pem"))


@pytest.fixture
def server(local: LocalAccount) -> Iterator[Server]:
    found = Server(Answers(local.state.folder, local.region))
    found.start()
    yield found
    for item in local.client("sagemaker").list_endpoints()["Endpoints"]:
        local.client("sagemaker").delete_endpoint(EndpointName=item["EndpointName"])
    found.stop()


def archive(folder: Path, name: str) -> Path:
    text = INFERENCE.format(name=name).encode()
    with tarfile.open(folder / f"{name}.tar.gz", mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    return folder / f"{name}.tar.gz"


def until(look: Callable[[], str], *ends: str) -> None:
    deadline = time.monotonic() + 60
    while (found := look()) not in ends:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


@pytest.fixture
def hand(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Hand]:
    with closing(request.param(server.url, tmp_path)) as found:
        yield found


@pytest.mark.parametrize(
    "hand",
    [
        ByBoto3,
        *(
            pytest.param(by, marks=pytest.mark.proof("wire"))
            for by in (ByCommandLine, AtAwsNames, ByCommandLineAtAwsNames)
        ),
    ],
    ids=["boto3", "aws", "boto3 at the names of AWS", "aws at the names of AWS"],
    indirect=True,
)
def test_from_a_pipeline_to_an_endpoint(local: LocalAccount, server: Server, tmp_path: Path, hand: Hand) -> None:
    do = hand.do
    look = ByBoto3(server.url, tmp_path).do  # as often as it takes
    assert do("sts", "get_caller_identity")["Account"] == "000000000000"
    do("s3", "create_bucket", Bucket="team")
    for name in ("one", "two"):
        hand.put(archive(tmp_path, name), f"s3://team/{name}.tar.gz")
    definition = document([processing("Work", "echo worked")])
    do("sagemaker", "create_pipeline", PipelineName="p", PipelineDefinition=definition, RoleArn=ROLE)
    arn = do("sagemaker", "start_pipeline_execution", PipelineName="p")["PipelineExecutionArn"]
    until(
        lambda: look("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)["PipelineExecutionStatus"],
        "Succeeded",
    )
    assert do("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)["PipelineArn"].endswith("/p")
    (step,) = do("sagemaker", "list_pipeline_execution_steps", PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert (step["StepName"], step["StepStatus"]) == ("Work", "Succeeded")
    events = do("logs", "filter_log_events", logGroupName="/aws/sagemaker/ProcessingJobs")["events"]
    assert [event["message"] for event in events] == ["worked"]

    do("sagemaker", "create_model_package_group", ModelPackageGroupName="g")
    versions = []
    for name in ("one", "two"):
        container = {
            "Image": IMAGE,
            "ModelDataUrl": f"s3://team/{name}.tar.gz",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        }
        inference = {
            "Containers": [container],
            "SupportedContentTypes": ["text/plain"],
            "SupportedResponseMIMETypes": ["text/plain"],
        }
        made = do(
            "sagemaker",
            "create_model_package",
            ModelPackageGroupName="g",
            InferenceSpecification=inference,
            ModelApprovalStatus="PendingManualApproval",
        )
        versions.append(made["ModelPackageArn"])
        do("sagemaker", "update_model_package", ModelPackageArn=versions[-1], ModelApprovalStatus="Approved")
        do(
            "sagemaker",
            "create_model",
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"ModelPackageName": versions[-1]},
        )
        config = {"EndpointConfigName": name, "ProductionVariants": [variant("A", name, 1.0)]}
        do("sagemaker", "create_endpoint_config", **config)
    listed = do("sagemaker", "list_model_packages", ModelPackageGroupName="g", ModelApprovalStatus="Approved")
    assert [item["ModelPackageArn"] for item in listed["ModelPackageSummaryList"]] == versions

    def status() -> str:
        return str(look("sagemaker", "describe_endpoint", EndpointName="e")["EndpointStatus"])

    do("sagemaker", "create_endpoint", EndpointName="e", EndpointConfigName="one")
    until(status, "InService")
    assert do("sagemaker", "describe_endpoint", EndpointName="e")["EndpointStatus"] == "InService"
    assert hand.invoke("e", "hello") == "one: hello"
    do("sagemaker", "update_endpoint", EndpointName="e", EndpointConfigName="two")
    until(status, "InService")
    assert hand.invoke("e", "hello") == "two: hello"
    if isinstance(hand, ByBoto3):  # the aws command line of this version has no streams
        asked = {"EndpointName": "e", "ContentType": "text/plain"}
        for runtime in (hand.client("sagemaker-runtime"), local.client("sagemaker-runtime")):
            told = runtime.invoke_endpoint_with_response_stream(
                EndpointName="e", Body=b"hello", ContentType="text/plain"
            )
            assert told["InvokedProductionVariant"] == "A"
            assert b"".join(event["PayloadPart"]["Bytes"] for event in told["Body"]) == b"two: hello"
            with pytest.raises(runtime.exceptions.ModelError):
                runtime.invoke_endpoint_with_response_stream(**asked, Body=b"boom")
    do("sagemaker", "delete_endpoint", EndpointName="e")
    until(lambda: str(len(look("sagemaker", "list_endpoints")["Endpoints"])), "0")
    do("sagemaker", "delete_pipeline", PipelineName="p", ClientRequestToken="t" * 32)
    assert do("sagemaker", "list_pipelines")["PipelineSummaries"] == []


@pytest.mark.proof("wire")
@pytest.mark.parametrize("hand", [ByCommandLine], indirect=True)
def test_the_aws_command_line_copies_lists_and_removes(hand: ByCommandLine, tmp_path: Path) -> None:
    (tmp_path / "data" / "in").mkdir(parents=True)
    large, small = tmp_path / "data" / "large", tmp_path / "data" / "in" / "a b+c.csv"
    large.write_bytes(os.urandom(1024 * 1024) * 20)
    small.write_text("1,2\n")
    hand.aws("s3", "mb", "s3://team")
    hand.aws("s3", "sync", "data", "s3://team/data")
    assert "data/large" in hand.aws("s3", "ls", "--recursive", "s3://team/")
    hand.aws("s3", "cp", "s3://team/data/large", "s3://team/copy")
    hand.aws("s3", "sync", "s3://team/data", "back")
    assert (tmp_path / "back" / "large").read_bytes() == large.read_bytes()
    assert (tmp_path / "back" / "in" / "a b+c.csv").read_text() == "1,2\n"
    hand.aws("s3", "mv", "s3://team/copy", "moved")
    assert (tmp_path / "moved").read_bytes() == large.read_bytes()
    url = hand.aws("s3", "presign", "s3://team/data/in/a b+c.csv").strip()
    assert urllib.request.urlopen(url).read() == b"1,2\n"
    hand.aws("s3", "rm", "--recursive", "s3://team/")
    hand.aws("s3", "rb", "s3://team")
    assert [item["Name"] for item in hand.do("s3", "list_buckets")["Buckets"]] == ["mlops-tests"]


def test_an_answer_that_breaks_off_is_told_in_its_place() -> None:
    """By botocore's reader."""
    shape = operation("sagemaker-runtime", "InvokeEndpointWithResponseStream").output_shape.members["Body"]
    told = {"Code": "ModelStreamError", "Message": "no more", "ErrorCode": "StreamBroken"}

    def events() -> Iterator[dict[str, Any]]:
        yield {"PayloadPart": {"Bytes": b"one"}}
        raise EventStreamError({"Error": told}, "InvokeEndpointWithResponseStream")

    raw: Any = SimpleNamespace(stream=lambda: written(shape, events()), close=lambda: None)
    heard = EventStream(raw, shape, EventStreamJSONParser(), "InvokeEndpointWithResponseStream")
    parts = iter(heard)
    assert next(parts) == {"PayloadPart": {"Bytes": b"one"}}
    with pytest.raises(EventStreamError, match=r"\(ModelStreamError\).*no more"):
        next(parts)
