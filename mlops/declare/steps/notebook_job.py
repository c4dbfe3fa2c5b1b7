"""A notebook that runs as a job: a Training step whose image has the notebook scheduler.

The form is the official SDK's (sagemaker/mlops/workflow/notebook_job_step.py); there is no step type of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.members import execution_folder, strings, without_none
from mlops.declare.references import DataReference, Reference, StringProperty, lower
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import VOLUME_GB, Count, Environment, JobSettings, Text
from mlops.declare.steps.shared_arguments import Job as JobArguments
from mlops.ir import StepType, Unknown, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["NotebookJob"]

CHANNEL = "sagemaker_headless_execution_pipelinestep"
MAX_RUNTIME_SECONDS = 2 * 24 * 60 * 60
"""The official SDK's limit where the author says nothing."""


class NotebookJob(Step):
    """Runs ``notebook`` with the ``kernel`` of ``image``, a SageMaker Distribution image or one that has what notebook
    jobs need. ``parameters`` are put into the notebook; ``script`` is sourced before it; ``files`` and folders travel
    beside it; where all of them lie in S3 already, ``source`` is their folder there and the others only name them.
    ``to`` is where the executed notebook goes. ``job`` is the name that Studio shows. ``volume`` is in GB,
    ``max_runtime`` in seconds, ``attempts`` how often SageMaker's own failures are tried again.
    """

    step_type = StepType(type="Training")
    shared_arguments = JobArguments

    def __init__(
        self,
        name: str,
        *,
        notebook: str,
        image: Text,
        kernel: str = "python3",
        parameters: Mapping[str, str | int | float | bool | Reference] | None = None,
        environment: Environment | None = None,
        script: str | None = None,
        files: Sequence[str] = (),
        source: Text | None = None,
        to: Text | None = None,
        job: str | None = None,
        instance: Text | None = None,
        volume: Count = VOLUME_GB,
        max_runtime: Count = MAX_RUNTIME_SECONDS,
        attempts: Count = 1,
        **shared: Unpack[JobArguments],
    ) -> None:
        self.share(name, shared)
        self.settings = JobSettings.of(shared)
        self.notebook = notebook
        self.image = image
        self.kernel = kernel
        self.parameters = dict(parameters or {})
        self.environment = dict(environment or {})
        self.script = script
        self.files = tuple(files)
        self.source = source
        self.to = to
        self.job = job or re.sub(r"[^a-zA-Z0-9_-]", "-", PurePosixPath(notebook).stem).lstrip("-_0123456789") or name
        self.instance = instance
        self.volume = volume
        self.max_runtime = max_runtime
        self.attempts = attempts

    @property
    def output(self) -> DataReference:
        """The S3 URI below which the executed notebook lies, in ``<job name>/output/output.tar.gz``."""
        return DataReference(self.name, "OutputDataConfig.S3OutputPath")

    @property
    def job_name(self) -> StringProperty:
        """The name of the training job that runs the notebook."""
        return StringProperty(self.name, "TrainingJobName")

    @property
    def _prefix(self) -> str:
        return self.job.replace("_", "-")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        tags = self.settings.tags(lowering)
        return without_none(
            {
                # The official SDK leaves the name in for notebook jobs only; the service takes it as a prefix.
                "TrainingJobName": self._prefix,
                "AlgorithmSpecification": {
                    "TrainingImage": lower(self.image),
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ("amazon_sagemaker_scheduler",),
                },
                "RoleArn": self.settings.role(lowering),
                "InputDataConfig": (
                    {
                        "ChannelName": CHANNEL,
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": "S3Prefix",
                                "S3Uri": self._sources(lowering),
                                "S3DataDistributionType": "FullyReplicated",
                            }
                        },
                    },
                ),
                "OutputDataConfig": without_none(
                    {
                        "S3OutputPath": execution_folder(lowering, self.name) if self.to is None else lower(self.to),
                        "KmsKeyId": self.settings.kms_key(lowering),
                    }
                ),
                "ResourceConfig": without_none(
                    {
                        "InstanceType": lowering.instance(self.instance),
                        "InstanceCount": 1,
                        "VolumeSizeInGB": lower(self.volume),
                        "VolumeKmsKeyId": self.settings.volume_kms_key(lowering),
                    }
                ),
                "StoppingCondition": {"MaxRuntimeInSeconds": lower(self.max_runtime)},
                "RetryStrategy": {"MaximumRetryAttempts": lower(self.attempts)},
                "HyperParameters": strings(self.parameters) or None,
                "Environment": self._variables(lowering),
                "Tags": (*(tags if isinstance(tags, tuple) else ()), *self._studio_tags()),
                **self.settings.security(lowering),
                # The official SDK encrypts unless told otherwise.
                "EnableInterContainerTrafficEncryption": (
                    True if self.settings.network.encrypted is None else lower(self.settings.network.encrypted)
                ),
            }
        )

    def _sources(self, lowering: Lowering) -> Value:
        if self.source is not None:
            return lower(self.source)
        found: list[Path] = []
        named = [("notebook", self.notebook), ("script", self.script), *(("file", file) for file in self.files)]
        for what, given in named:
            if given is not None:
                source = lowering.source(given, step=self, what=what)
                if source is None:
                    return Unknown()
                found.append(source)
        asset = lowering.bundle(found, step=self)
        return f"{asset.uri}/" if asset is not None else Unknown()

    def _variables(self, lowering: Lowering) -> dict[str, Value]:
        own = {key: lower(value) for key, value in self.environment.items()}
        script = {} if self.script is None else {"SM_INIT_SCRIPT": PurePosixPath(self.script).name}
        return {
            **own,
            "AWS_DEFAULT_REGION": lowering.environment.region,
            "SM_JOB_DEF_VERSION": "1.0",
            "SM_ENV_NAME": "sagemaker-default-env",
            "SM_SKIP_EFS_SIMULATION": "true",
            "SM_EXECUTION_INPUT_PATH": f"/opt/ml/input/data/{CHANNEL}",
            "SM_KERNEL_NAME": self.kernel,
            "SM_INPUT_NOTEBOOK_NAME": PurePosixPath(self.notebook).name,
            "SM_OUTPUT_NOTEBOOK_NAME": f"{self._prefix}.ipynb",
            **script,
        }

    def _studio_tags(self) -> tuple[Value, ...]:
        """What Studio finds notebook jobs by."""
        tags = {
            "sagemaker:name": self.job,
            "sagemaker:notebook-name": PurePosixPath(self.notebook).name,
            "sagemaker:notebook-job-origin": "PIPELINE_STEP",
            "sagemaker:is-studio-archived": "false",
        }
        return tuple({"Key": key, "Value": value} for key, value in tags.items())
