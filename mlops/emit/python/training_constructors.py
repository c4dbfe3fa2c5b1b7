"""What the constructors of training take, in a job of its own, of a notebook, or of many that a tuning tries."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.python.arguments import (
    Argument,
    Constructor,
    Facts,
    count,
    data,
    objects,
    string_map,
    text,
    word,
)
from mlops.emit.python.expressions import DATA, STRING, literal
from mlops.emit.python.job_arguments import TAGS, network, role
from mlops.emit.python.source import Node
from mlops.ir import Value

_ALGORITHM = "AlgorithmSpecification"
SCHEDULER = "amazon_sagemaker_scheduler"
"""The entry point that makes a notebook job of a training job."""

_NOTEBOOK_VARIABLES = (
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
_STUDIO_TAGS = (
    "sagemaker:name",
    "sagemaker:notebook-name",
    "sagemaker:notebook-job-origin",
    "sagemaker:is-studio-archived",
)


def _own_variables(facts: Facts) -> Node | None:
    given = facts.at("Environment")
    listed: Mapping[str, Value] = given if isinstance(given, Mapping) else {}
    own = {key: value for key, value in listed.items() if key not in _NOTEBOOK_VARIABLES}
    return string_map("environment", "own").writer(facts.inside({"own": own}))


def _studio_name(facts: Facts) -> Node | None:
    """The name that Studio shows, which stands in a tag, or else the job's."""
    for tag in objects(facts.at("Tags")):
        if tag.get("Key") == "sagemaker:name" and isinstance(tag.get("Value"), str):
            return literal(str(tag["Value"]))
    return text("job", "TrainingJobName").writer(facts)


def _own_tags(facts: Facts) -> Node | None:
    own = tuple(tag for tag in objects(facts.at("Tags")) if tag.get("Key") not in _STUDIO_TAGS)
    return TAGS.writer(facts.inside({"Tags": own}))


def _encryption(facts: Facts) -> Node | None:
    """Encrypted is what a notebook job is where nothing is said."""
    given = dict(facts.step.arguments) if isinstance(facts.step.arguments, Mapping) else {}
    if given.get("EnableInterContainerTrafficEncryption") is True:
        del given["EnableInterContainerTrafficEncryption"]
    return network("").writer(facts.inside(given))


NOTEBOOK = Constructor(
    "NotebookJob",
    required=("notebook", "image", "source"),
    arguments=(
        word("notebook", "Environment.SM_INPUT_NOTEBOOK_NAME"),
        text("image", f"{_ALGORITHM}.TrainingImage"),
        word("kernel", "Environment.SM_KERNEL_NAME", "python3"),
        string_map("parameters", "HyperParameters"),
        Argument("environment", _own_variables, ""),
        word("script", "Environment.SM_INIT_SCRIPT"),
        data("source", "InputDataConfig.0.DataSource.S3DataSource.S3Uri"),
        text("to", "OutputDataConfig.S3OutputPath"),
        Argument("job", _studio_name, ""),
        text("instance", "ResourceConfig.InstanceType"),
        count("volume", "ResourceConfig.VolumeSizeInGB", 30),
        count("max_runtime", "StoppingCondition.MaxRuntimeInSeconds", 172800),
        count("attempts", "RetryStrategy.MaximumRetryAttempts", 1),
        role(),
        Argument("network", _encryption, ""),
        text("kms_key", "OutputDataConfig.KmsKeyId"),
        text("volume_kms_key", "ResourceConfig.VolumeKmsKeyId"),
        Argument("tags", _own_tags, ""),
    ),
    properties={"OutputDataConfig.S3OutputPath": ("output", DATA), "TrainingJobName": ("job_name", STRING)},
)
