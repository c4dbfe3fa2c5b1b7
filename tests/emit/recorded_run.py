"""A run of an example in the local account, as what the service would have asked for as the pipeline's role: each job,
and each object that is there afterwards. The account's number is the production environment's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.account.local import LocalAccount
from tests.emit.service_needs import ACCOUNT, needs
from tests.emit.simulated import Request
from tests.emit.stacked import EXAMPLES, ROOT

_LOCAL = "000000000000"
_TOLD = {
    "TrainingJob": ("Training", "describe_training_job", "TrainingJobName"),
    "ProcessingJob": ("Processing", "describe_processing_job", "ProcessingJobName"),
    "TransformJob": ("Transform", "describe_transform_job", "TransformJobName"),
    "Model": ("Model", "describe_model", "ModelName"),
    "RegisterModel": ("RegisterModel", "describe_model_package", "ModelPackageName"),
}
"""By what an execution tells of a step: its type, and how the account tells the request."""
_MADE_UP = ("/part-0.csv", "/job/output.tar.gz")
"""What stands for objects below a place where nobody has seen any."""


def ran(there: Path, example: str) -> tuple[Request, ...]:
    toml = there / "mlops.toml"
    own = toml.read_text().partition("[env.production]")[2]
    toml.write_text(
        toml.read_text() + "[env.here]" + own.replace("env.production", "env.here").replace(ACCOUNT, _LOCAL)
    )
    for words in (("upsert", EXAMPLES[example]), ("start", EXAMPLES[example], "--watch")):
        done = subprocess.run(
            [sys.executable, "-m", "mlops", *words, "--env", "here", "--yes"],
            cwd=there, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    account = LocalAccount(there / ".mlops", "us-east-1")
    found = [*_jobs(account.client("sagemaker"))]
    found += _objects(account.client("s3"), found)
    return tuple(dict.fromkeys(replace(item, resource=item.resource.replace(_LOCAL, ACCOUNT)) for item in found))


def _jobs(sagemaker: Any) -> Iterator[Request]:
    (pipeline,) = sagemaker.list_pipelines()["PipelineSummaries"]
    (execution,) = sagemaker.list_pipeline_executions(PipelineName=pipeline["PipelineName"])[
        "PipelineExecutionSummaries"
    ]
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])
    for step in listed["PipelineExecutionSteps"]:
        for kind, told in (step.get("Metadata") or {}).items():
            if kind in _TOLD:
                type_, operation, member = _TOLD[kind]
                arn = told["Arn"]
                name = arn if kind == "RegisterModel" else arn.rpartition("/")[2]
                asked = json.loads(json.dumps(getattr(sagemaker, operation)(**{member: name}), default=str))
                yield from needs(type_, arn.rpartition("/")[2], asked)


def _objects(s3: Any, asked: list[Request]) -> Iterator[Request]:
    """Those that there are below the places that jobs read and wrote."""
    kept: dict[str, list[str]] = {}
    for request in asked:
        if request.action not in ("s3:GetObject", "s3:PutObject"):
            continue
        bucket, _, key = request.resource.removeprefix("arn:aws:s3:::").partition("/")
        if bucket not in kept:
            kept[bucket] = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
            assert kept[bucket]
        for made_up in _MADE_UP:
            if key.endswith(made_up):
                below = key.removesuffix(made_up)
                for name in kept[bucket]:
                    if name.startswith(f"{below}/"):
                        yield replace(request, resource=f"arn:aws:s3:::{bucket}/{name}")
