"""Executions of one pipeline after the other in the embedded account, in this process."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ports_for_tests import PACE, checked, step

from mlops.account.local.images.shelf import Shelf
from mlops.account.local.process.ports import LocalCache, LocalJournal, LocalObjects, LocalRegistry
from mlops.account.local.state import State, dump, now
from mlops.account.local.step_records import of_step
from mlops.check import step_types
from mlops.ir import Step
from mlops.run.execute import execute
from mlops.run.ports import Execution, Ports, StepRecord

RAN, SERVED = "ran", "served"


class Pipeline:
    def __init__(self, folder: Path) -> None:
        self.state = State(folder / ".mlops", "us-east-1")
        self.objects = LocalObjects(self.state)
        self.last = ""

    def write(self, uri: str, text: str) -> str:
        self.objects.put([text.encode()], uri)
        return uri

    def run(self, *steps: Step, use_cache: bool = True, name: str = "churn", registry: Any = None) -> dict[str, str]:
        """How each step came to its end: ran, served, or its status where that is not Succeeded."""
        self.last = execution = "".join(secrets.choice("abcdef") for _ in range(12))
        self.state.store.write(
            "INSERT INTO execution VALUES (?, ?, 1, 'Executing', 0, ?, ?, NULL, ?)",
            execution, name, now(), now(), dump({}),
        )  # fmt: skip
        arn = self.state.arn(f"pipeline/{name}/execution/{execution}")
        plan = dataclasses.replace(checked(*steps), step_types=step_types())
        given = Execution(
            pipeline_name=name,
            pipeline_arn=self.state.arn(f"pipeline/{name}"),
            execution_id=execution,
            execution_arn=arn,
            started=datetime.now(UTC),
            region="us-east-1",
            account="000000000000",
            parameters={},
            folder=self.state.execution_folder(execution),
            use_cache=use_cache,
        )
        ports = Ports(
            self.objects,
            registry or LocalRegistry(self.state, arn),
            LocalJournal(self.state, execution),
            LocalCache(self.state, name),
            images=Shelf(self.state.folder),
        )
        self.status = execute(plan, given, ports, pace=PACE)
        return {item.name: self._told(item.name) for item in steps if of_step(self.state, execution, item.name)}

    def record(self, name: str) -> StepRecord:
        found = of_step(self.state, self.last, name)
        assert found is not None
        return found

    def _told(self, name: str) -> str:
        record = self.record(name)
        return record.status if record.status != "Succeeded" else SERVED if record.cache_source else RAN


def job(
    name: str,
    command: str = "date +%N > /opt/ml/processing/output/out/stamp",
    *,
    inputs: Mapping[str, Any] | None = None,
    to: Any = None,
    request: Mapping[str, Any] | None = None,
    **members: Any,
) -> Step:
    """A Processing step that runs ``command`` in a shell; its output ``out`` goes to a place of its execution."""
    place = to or {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": "Execution.PipelineExecutionId"}, name]}}
    arguments = {
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["/bin/sh", "-c", command]},
        "ProcessingInputs": [
            {"InputName": key, "S3Input": {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/input/{key}"}}
            for key, uri in (inputs or {}).items()
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": place,
                        "LocalPath": "/opt/ml/processing/output/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}},
        "RoleArn": "arn:aws:iam::000000000000:role/r",
        **(request or {}),
    }
    return step("Processing", name, arguments, **members)


def output_of(name: str) -> dict[str, str]:
    return {"Get": f"Steps.{name}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
