"""The ports of a run over plain files and dicts, and definitions built by hand."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.check import step_types
from mlops.ir import Checked, Definition, Ref, Step
from mlops.ir.definition import Block
from mlops.ir.values import from_json, refs
from mlops.run.execute import execute
from mlops.run.ports import Execution, ObjectMissing, Ports, RequestRefused, StepRecord

ARN = "arn:aws:sagemaker:eu-west-1:000000000000"

STEP_TYPES = step_types()


class FolderObjects:
    """``s3://bucket/key`` is ``folder/bucket/key``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, uri: str) -> Path:
        return self.folder / uri.removeprefix("s3://")

    def write(self, uri: str, content: bytes | str) -> str:
        self.path(uri).parent.mkdir(parents=True, exist_ok=True)
        self.path(uri).write_bytes(content.encode() if isinstance(content, str) else content)
        return uri

    def read(self, uri: str) -> bytes:
        if not self.path(uri).is_file():
            raise ObjectMissing(uri)
        return self.path(uri).read_bytes()

    def keys(self, uri: str) -> tuple[str, ...]:
        every = (
            f"s3://{path.relative_to(self.folder).as_posix()}" for path in self.folder.rglob("*") if path.is_file()
        )
        return tuple(sorted(key for key in every if key.startswith(uri)))

    def fetch(self, uri: str, target: Path) -> None:
        target.write_bytes(self.read(uri))

    def put(self, source: Path, uri: str) -> None:
        self.write(uri, source.read_bytes())

    def delete(self, uri: str) -> None:
        self.path(uri).unlink(missing_ok=True)


class DictRegistry:
    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.packages: list[dict[str, Any]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[str, str]] = []

    def create(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "CreateModel":
            name = request["ModelName"]
            self.models[name] = {**request, "ModelArn": f"{ARN}:model/{name}"}
            return self.models[name]
        if request.get("ModelPackageGroupName") == "forbidden":
            raise RequestRefused("ValidationException: no such group")
        version = len(self.packages) + 1
        reply = {**request, "ModelPackageArn": f"{ARN}:model-package/group/{version}", "ModelPackageVersion": version}
        self.packages.append(reply)
        return reply

    def describe(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        assert operation == "DescribeModel"
        if request["ModelName"] not in self.models:
            raise RequestRefused(f"Could not find model {request['ModelName']}")
        return self.models[request["ModelName"]]

    def record_job(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        self.jobs[name] = dict(description)
        self.history.append((kind, description[f"{kind}Status"]))


class ListJournal:
    def __init__(self) -> None:
        self.records: list[StepRecord] = []
        self.statuses: list[tuple[str, str | None]] = []
        self.stop_when: Any = None

    def steps(self, records: Sequence[StepRecord]) -> None:
        self.records += records

    def execution(self, status: str, failure: str | None = None) -> None:
        self.statuses.append((status, failure))

    def stop_requested(self) -> bool:
        return bool(self.stop_when and self.stop_when())

    def last(self, name: str) -> StepRecord:
        return next(record for record in reversed(self.records) if record.name == name)

    def ended(self) -> dict[str, str]:
        return {record.name: record.status for record in self.records}

    def log(self, name: str) -> str:
        log = self.last(name).log
        assert log is not None
        return log.read_text(encoding="utf-8", errors="replace")


class Account:
    """Everything that one test needs to run pipelines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = FolderObjects(folder / "s3")
        self.objects.folder.mkdir()
        self.registry = DictRegistry()
        self.journal = ListJournal()

    @property
    def ports(self) -> Ports:
        return Ports(self.objects, self.registry, self.journal)

    def execution(self, **changes: Any) -> Execution:
        given: dict[str, Any] = {
            "pipeline_name": "churn",
            "pipeline_arn": f"{ARN}:pipeline/churn",
            "execution_id": "abc123def456",
            "execution_arn": f"{ARN}:pipeline/churn/execution/abc123def456",
            "started": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "region": "eu-west-1",
            "account": "000000000000",
            "parameters": {},
            "folder": self.folder / "runs" / "abc123def456",
            **changes,
        }
        return Execution(**given)

    def run(self, *steps: Step, grace_seconds: float = 2.0, **changes: Any) -> str:
        return execute(checked(*steps), self.execution(**changes), self.ports, grace_seconds=grace_seconds)


def checked(*steps: Step, members: Mapping[str, Any] | None = None) -> Checked:
    """Edges as the checker makes them: DependsOn, references, the Condition around a step."""
    definition = Definition("churn", steps=steps, members=members or {})
    edges: dict[str, frozenset[str]] = {}
    for placed in definition.placed():
        step = placed.step
        named = {
            path.name
            for _, ref in refs(step.arguments)
            if isinstance(ref, Ref) and (path := ref.path) is not None and path.root == "Steps"
        }
        around = {placed.branches[-1][0]} if placed.branches else set()
        edges[step.name] = frozenset({*named, *step.depends_on, *around})
    order: list[str] = []
    while len(order) < len(edges):
        order.append(next(name for name in edges if name not in order and edges[name] <= set(order)))
    return Checked(definition, (), STEP_TYPES, edges, tuple(order))


def step(kind: str, name: str, arguments: Any, **members: Any) -> Step:
    return Step(name, kind, from_json(arguments), {key: from_json(value) for key, value in members.items()})


def condition(name: str, conditions: Any, then: tuple[Step, ...] = (), otherwise: tuple[Step, ...] = ()) -> Step:
    blocks = (Block("IfSteps", then), Block("ElseSteps", otherwise))
    return Step(name, "Condition", from_json({"Conditions": conditions}), blocks=blocks)


def processing(
    account: Account,
    name: str,
    script: str,
    *,
    inputs: Mapping[str, Any] | None = None,
    outputs: tuple[str, ...] = (),
    arguments: tuple[Any, ...] = (),
    depends_on: tuple[Any, ...] = (),
    property_files: tuple[Any, ...] = (),
    **extra: Any,
) -> Step:
    """A script as the SDK's script processors send it."""
    code = account.objects.write(f"s3://bucket/code/{name}/main.py", script)
    sources = {"code": code, **(inputs or {})}
    request = {
        "AppSpecification": {
            "ImageUri": "image",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/main.py"],
            **({"ContainerArguments": list(arguments)} if arguments else {}),
        },
        "ProcessingInputs": [
            {"InputName": key, "S3Input": {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/input/{key}"}}
            for key, uri in sources.items()
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": key,
                    "S3Output": {
                        "S3Uri": f"s3://bucket/out/{name}/{key}",
                        "LocalPath": f"/opt/ml/processing/output/{key}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for key in outputs
            ]
        },
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}},
        "RoleArn": "arn:aws:iam::000000000000:role/r",
        **extra,
    }
    members: dict[str, Any] = {}
    if depends_on:
        members["DependsOn"] = list(depends_on)
    if property_files:
        members["PropertyFiles"] = list(property_files)
    return step("Processing", name, request, **members)


def training(
    account: Account,
    name: str,
    files: Mapping[str, str],
    *,
    program: str = "train.py",
    hyperparameters: Mapping[str, Any] | None = None,
    channels: Mapping[str, Any] | None = None,
    algorithm: Mapping[str, Any] | None = None,
    **extra: Any,
) -> Step:
    code = account.objects.write(f"s3://bucket/code/{name}/sourcedir.tar.gz", tar_gz(files))
    request = {
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File", **(algorithm or {})},
        "HyperParameters": {
            "sagemaker_program": program,
            "sagemaker_submit_directory": code,
            **(hyperparameters or {}),
        },
        "InputDataConfig": [
            {"ChannelName": key, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
            for key, uri in (channels or {}).items()
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "RoleArn": "arn:aws:iam::000000000000:role/r",
        **extra,
    }
    return step("Training", name, request)


def tar_gz(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
