"""A notebook that runs as a job: a Training step whose image has the notebook scheduler.

The form is the official SDK's (sagemaker/mlops/workflow/notebook_job_step.py); there is no step type of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.members import member, strings, tags
from mlops.declare.references import DataReference, Reference, StringProperty, lower, lower_word
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import ENCRYPTION, ROLE, VOLUME_GB, Count, Environment, Network, Text, network
from mlops.declare.steps.shared_arguments import Job as JobArguments
from mlops.ir import Step as StepRecord
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import (
    COUNT,
    DATA,
    LINK,
    MAP,
    PLAIN,
    REQUIRED,
    SOURCE,
    STRING,
    TAGS,
    TEXT,
    TEXTS,
    By,
    Constructor,
    Field,
    Given,
    Missing,
    Of,
    Spoken,
    Yielded,
    hidden,
    nothing,
    objects,
    said_at,
)
from mlops.knowledge.notebook_jobs import SCHEDULER

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["NotebookJob"]

CHANNEL = "sagemaker_headless_execution_pipelinestep"
MAX_RUNTIME_SECONDS = 2 * 24 * 60 * 60
"""The official SDK's limit where the author says nothing."""


_STUDIO_NAME = "sagemaker:name"


def _has_the_scheduler(step: StepRecord) -> bool:
    return Given(step).at("AlgorithmSpecification.ContainerEntrypoint") == (SCHEDULER,)


def _inputs(step: NotebookJob, lowering: Lowering, _: Step) -> Value:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": step.sources(lowering),
        "S3DataDistributionType": "FullyReplicated",
    }
    return ({"ChannelName": CHANNEL, "DataSource": {"S3DataSource": source}},)


def _variables(step: NotebookJob, lowering: Lowering, _: Step) -> Value:
    own = {key: lower_word(value) for key, value in step.environment.items()}
    script = {} if step.script is None else {"SM_INIT_SCRIPT": PurePosixPath(step.script).name}
    return {**own, "AWS_DEFAULT_REGION": lowering.environment.region, **_set_variables(step), **script}


def _set_variables(step: NotebookJob) -> dict[str, Value]:
    return {
        "SM_JOB_DEF_VERSION": "1.0",
        "SM_ENV_NAME": "sagemaker-default-env",
        "SM_SKIP_EFS_SIMULATION": "true",
        "SM_EXECUTION_INPUT_PATH": f"/opt/ml/input/data/{CHANNEL}",
        "SM_KERNEL_NAME": step.kernel,
        "SM_INPUT_NOTEBOOK_NAME": PurePosixPath(step.notebook).name,
        "SM_OUTPUT_NOTEBOOK_NAME": f"{step.prefix}.ipynb",
    }


_VARIABLES = (
    "AWS_DEFAULT_REGION",
    "SM_JOB_DEF_VERSION",
    "SM_ENV_NAME",
    "SM_SKIP_EFS_SIMULATION",
    "SM_EXECUTION_INPUT_PATH",
    "SM_KERNEL_NAME",
    "SM_INPUT_NOTEBOOK_NAME",
    "SM_OUTPUT_NOTEBOOK_NAME",
    "SM_INIT_SCRIPT",
)


def _said_variables(given: Given) -> Spoken | None:
    listed = given.at("Environment")
    items = listed.items() if isinstance(listed, Mapping) else ()
    own = {key: value for key, value in items if key not in _VARIABLES}
    return Of(MAP, own) if own else None


def _tags(step: NotebookJob, lowering: Lowering, _: Step) -> Value:
    """The author's, and those that Studio finds notebook jobs by."""
    found = tags(lowering, step.tags)
    return (
        *(found if isinstance(found, tuple) else ()),
        *({"Key": key, "Value": value} for key, value in _studio_tags(step).items()),
    )


def _studio_tags(step: NotebookJob) -> dict[str, Value]:
    return {
        _STUDIO_NAME: step.job,
        "sagemaker:notebook-name": PurePosixPath(step.notebook).name,
        "sagemaker:notebook-job-origin": "PIPELINE_STEP",
        "sagemaker:is-studio-archived": "false",
    }


_STUDIO_TAGS = (
    _STUDIO_NAME,
    "sagemaker:notebook-name",
    "sagemaker:notebook-job-origin",
    "sagemaker:is-studio-archived",
)


def _said_tags(given: Given) -> Spoken | None:
    own = tuple(tag for tag in objects(given.at("Tags")) if tag.get("Key") not in _STUDIO_TAGS)
    return Of(TAGS, own) if own else None


def _said_job(given: Given) -> Spoken | None:
    """The name that Studio shows, which stands in a tag, or else the job's."""
    for tag in objects(given.at("Tags")):
        if tag.get("Key") == _STUDIO_NAME and isinstance(tag.get("Value"), str):
            return Of(PLAIN, tag["Value"])
    name = given.at("TrainingJobName")
    return None if isinstance(name, Missing) else Of(PLAIN, name)


_NETWORK = network()


def _network(step: NotebookJob, lowering: Lowering, _: Step) -> Value:
    """As the official SDK, which encrypts unless told otherwise."""
    found = member(step, _NETWORK, lowering, step)
    own = step.network.encrypted if step.network is not None else None
    return {**(found if isinstance(found, Mapping) else {}), ENCRYPTION: True if own is None else lower(own)}


def _said_network(given: Given) -> Spoken | None:
    whole = dict(given.step.arguments) if isinstance(given.step.arguments, Mapping) else {}
    if whole.get(ENCRYPTION) is True:
        del whole[ENCRYPTION]
    return By(_NETWORK, whole)


_ALGORITHM, _MACHINES, _SET = "AlgorithmSpecification", "ResourceConfig", "Environment"

FIELDS = (
    # The official SDK leaves the name in for notebook jobs only; the service takes it as a prefix.
    Field("job", "TrainingJobName", PLAIN, to=lambda step, *_: step.prefix, said=_said_job, owns=""),
    Field("image", f"{_ALGORITHM}.TrainingImage", TEXT, REQUIRED),
    Field("", f"{_ALGORITHM}.TrainingInputMode", PLAIN, "File"),
    Field("", f"{_ALGORITHM}.ContainerEntrypoint", TEXTS, (SCHEDULER,)),
    ROLE,
    Field(
        "source",
        "InputDataConfig",
        LINK,
        to=_inputs,
        said=said_at("InputDataConfig.0.DataSource.S3DataSource.S3Uri", SOURCE),
        owns="InputDataConfig.0.DataSource.S3DataSource.S3Uri",
    ),
    hidden("files", TEXTS, ()),
    Field("to", "OutputDataConfig.S3OutputPath", TEXT, otherwise="execution folder"),
    Field("kms_key", "OutputDataConfig.KmsKeyId", TEXT, otherwise="kms_key"),
    Field("instance", f"{_MACHINES}.InstanceType", TEXT, otherwise="instance"),
    Field("", f"{_MACHINES}.InstanceCount", COUNT, 1),
    Field("volume", f"{_MACHINES}.VolumeSizeInGB", COUNT, VOLUME_GB, sdk=("volume_size",)),
    Field("volume_kms_key", f"{_MACHINES}.VolumeKmsKeyId", TEXT, otherwise="kms_key"),
    Field("max_runtime", "StoppingCondition.MaxRuntimeInSeconds", COUNT, MAX_RUNTIME_SECONDS),
    Field("attempts", "RetryStrategy.MaximumRetryAttempts", COUNT, 1),
    Field("parameters", "HyperParameters", MAP, to=lambda step, *_: strings(step.parameters) or None),
    Field("environment", _SET, MAP, to=_variables, said=_said_variables, owns=""),
    Field("notebook", f"{_SET}.SM_INPUT_NOTEBOOK_NAME", PLAIN, REQUIRED, to=nothing),
    Field("kernel", f"{_SET}.SM_KERNEL_NAME", PLAIN, "python3", to=nothing),
    Field("script", f"{_SET}.SM_INIT_SCRIPT", PLAIN, to=nothing),
    Field("tags", "Tags", TAGS, to=_tags, said=_said_tags, owns=""),
    _NETWORK._replace(to=_network, said=_said_network),
)


class NotebookJob(Step):
    """Runs ``notebook`` with the ``kernel`` of ``image``, a SageMaker Distribution image or one that has what notebook
    jobs need. ``parameters`` are put into the notebook; ``script`` is sourced before it; ``files`` and folders travel
    beside it; where all of them lie in S3 already, ``source`` is their folder there and the others only name them.
    ``to`` is where the executed notebook goes. ``job`` is the name that Studio shows. ``volume`` is in GB,
    ``max_runtime`` in seconds, ``attempts`` how often SageMaker's own failures are tried again.
    """

    step_type = StepType(type="Training")
    shared_arguments = JobArguments
    constructor = Constructor(
        FIELDS,
        yields={
            "OutputDataConfig.S3OutputPath": Yielded("output", DATA),
            "TrainingJobName": Yielded("job_name", STRING),
        },
        says=_has_the_scheduler,
        needs=("source",),
    )

    network: Network | None
    tags: Mapping[str, Text] | None

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
    def prefix(self) -> str:
        """What the service makes the job's name of."""
        return self.job.replace("_", "-")

    def sources(self, lowering: Lowering) -> Value:
        """The folder with the notebook and all that travels beside it."""
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
