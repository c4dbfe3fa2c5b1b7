"""Runs in the shipped local account, in this process, of definitions built by hand."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.account.local.answering import answer_fitting
from mlops.account.local.images.shelf import Shelf
from mlops.account.local.process.ports import LocalCallbacks, LocalFunctions, LocalJournal, LocalObjects, LocalRegistry
from mlops.account.local.state import State, now
from mlops.check import step_types
from mlops.ir import Checked, Definition, Ref, Step
from mlops.ir.definition import Block
from mlops.ir.values import from_json, refs
from mlops.run.execute import execute
from mlops.run.pace import Pace
from mlops.run.ports import Execution, Ports, StepRecord

REGION, EXECUTION = "eu-west-1", "abc123def456"
ARN = f"arn:aws:sagemaker:{REGION}:000000000000"
ROLE = "arn:aws:iam::000000000000:role/r"
PACE = Pace(grace=2.0, uploads=0.1, server_grace=0.5, asking=0.02)
"""Nobody here waits as long as the service does."""

SPECIFICATION = {
    "Containers": [{"Image": "i"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
"""The InferenceSpecification of a model package of which a test wants to know nothing."""

STEP_TYPES = step_types()


class Objects(LocalObjects):
    """The shipped ones, and a word for what a test puts there."""

    def write(self, uri: str, content: bytes | str) -> str:
        self.put([content.encode() if isinstance(content, str) else content], uri)
        return uri


class Registry(LocalRegistry):
    """The shipped one, which remembers what it was told of jobs."""

    def __init__(self, state: State, execution_arn: str, journal: LocalJournal | None = None) -> None:
        super().__init__(state, execution_arn, journal)
        self.state = state
        self.history: list[tuple[str, str]] = []
        self.jobs: dict[str, Mapping[str, Any]] = {}
        self.when_told: Callable[[Mapping[str, Any]], None] = lambda description: None

    def record_job(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        super().record_job(kind, name, description)
        self.jobs[name] = description
        self.history.append((kind, description[f"{kind}Status"]))
        self.when_told(description)

    def models(self) -> list[str]:
        listed = answer_fitting(self.state, "sagemaker", "ListModels", {})["Models"]
        return [str(model["ModelName"]) for model in listed]

    def model(self, name: str, **members: Any) -> None:
        self.create("CreateModel", {"ModelName": name, "ExecutionRoleArn": ROLE, **members})

    def package(self, arn: str) -> Mapping[str, Any]:
        return self.describe("DescribeModelPackage", {"ModelPackageName": arn})


class Journal(LocalJournal):
    """The shipped one, which remembers all it was told; somebody stops the execution when ``stop_when`` says so."""

    def __init__(self, state: State, execution: str) -> None:
        super().__init__(state, execution)
        self.records: list[StepRecord] = []
        self.statuses: list[tuple[str, str | None]] = []
        self.stop_when: Callable[[], bool] | None = None
        self._stop = ("UPDATE execution SET stop_requested = 1 WHERE id = ?", execution)
        self._store = state.store

    def steps(self, records: Sequence[StepRecord]) -> None:
        super().steps(records)
        self.records += records

    def execution(self, status: str, failure: str | None = None) -> None:
        super().execution(status, failure)
        self.statuses.append((status, failure))

    def stop_requested(self) -> bool:
        if self.stop_when is not None and self.stop_when():
            self._store.write(*self._stop)
        return super().stop_requested()

    def last(self, name: str) -> StepRecord:
        return next(record for record in reversed(self.records) if record.name == name)

    def ended(self) -> dict[str, str]:
        return {record.name: record.status for record in self.records}

    def log(self, name: str) -> str:
        log = self.last(name).log
        assert log is not None
        return log.read_text(encoding="utf-8", errors="replace")


class Account:
    """The local account below ``folder``, and everything that one test needs to run pipelines in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = State(folder / ".mlops", REGION)
        self.state.store.write(
            "INSERT INTO execution (id, pipeline, version, status, stop_requested, created, modified, body) "
            "VALUES (?, 'churn', 1, 'Executing', 0, ?, ?, '{}')",
            EXECUTION, now(), now(),
        )  # fmt: skip
        self.objects = Objects(self.state)
        self.journal = Journal(self.state, EXECUTION)
        self.registry = Registry(self.state, f"{ARN}:pipeline/churn/execution/{EXECUTION}", self.journal)

    @property
    def ports(self) -> Ports:
        arn = f"{ARN}:pipeline/churn/execution/{EXECUTION}"
        functions, callbacks = LocalFunctions(self.state), LocalCallbacks(self.state, arn)
        images = Shelf(self.state.folder)
        return Ports(self.objects, self.registry, self.journal, functions=functions, callbacks=callbacks, images=images)

    def attempt(self, step: str, number: int = 1) -> Path:
        return self.state.execution_folder(EXECUTION) / step / str(number)

    def execution(self, **changes: Any) -> Execution:
        given: dict[str, Any] = {
            "pipeline_name": "churn",
            "pipeline_arn": f"{ARN}:pipeline/churn",
            "execution_id": EXECUTION,
            "execution_arn": f"{ARN}:pipeline/churn/execution/{EXECUTION}",
            "started": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "region": REGION,
            "account": "000000000000",
            "parameters": {},
            "folder": self.state.execution_folder(EXECUTION),
            **changes,
        }
        return Execution(**given)

    def run(self, *steps: Step, pace: Pace = PACE, **changes: Any) -> str:
        return execute(checked(*steps), self.execution(**changes), self.ports, pace=pace)


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
        "RoleArn": ROLE,
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
        "RoleArn": ROLE,
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
