"""Steps that Amazon Bedrock runs: customize a model, import one, serve one.

What the service reports about such steps is published (PipelineExecutionStepMetadata has BedrockCustomModel and three
more), what a definition holds is not: no SDK has a class for them. So it is an assumption here that ``Type`` is spelled
like the metadata and that ``Arguments`` are Bedrock's own request. The checker takes these types for unknown, says so
in a note, and asks nothing of their arguments; read what they yield with ``property("…")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from typing_extensions import Unpack

from mlops.declare.references import DataReference, ModelReference, lower
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import ARTIFACT, COUNT, JSON_MAP, LINK, REQUIRED, TEXT, Constructor, Field, choice, said_at

_KINDS = choice("FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING")


def _validators(step: BedrockCustomModel, *_: object) -> Value:
    return None if step.validation is None else ({"s3Uri": lower(step.validation)},)


__all__ = [
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
]


class BedrockCustomModel(Step):
    """Makes a model called ``model`` of the foundation model ``base`` and ``data``: CreateModelCustomizationJob.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockCustomModel")
    constructor = Constructor(
        (
            Field("job", "jobName", TEXT, REQUIRED),
            Field("model", "customModelName", TEXT, REQUIRED),
            Field("role", "roleArn", TEXT, otherwise="role"),
            Field("base", "baseModelIdentifier", TEXT, REQUIRED),
            Field("kind", "customizationType", _KINDS),
            Field("data", "trainingDataConfig.s3Uri", LINK, REQUIRED),
            Field(
                "validation",
                "validationDataConfig.validators",
                LINK,
                to=_validators,
                said=said_at("validationDataConfig.validators.0.s3Uri", LINK),
            ),
            Field("to", "outputDataConfig.s3Uri", TEXT, REQUIRED),
            Field("hyperparameters", "hyperParameters", JSON_MAP),
        )
    )

    def __init__(
        self,
        name: str,
        *,
        job: Text,
        model: Text,
        base: Text,
        data: DataReference | Text,
        to: Text,
        kind: Literal["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING"]
        | None = None,
        validation: DataReference | Text | None = None,
        hyperparameters: Mapping[str, object] | None = None,
        role: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.job = job
        self.model = model
        self.base = base
        self.data = data
        self.to = to
        self.kind = kind
        self.validation = validation
        self.hyperparameters = dict(hyperparameters or {})
        self.role = role


class BedrockModelImport(Step):
    """Imports the model files at ``data`` as a model called ``model``: CreateModelImportJob.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockModelImport")
    constructor = Constructor(
        (
            Field("job", "jobName", TEXT, REQUIRED),
            Field("model", "importedModelName", TEXT, REQUIRED),
            Field("role", "roleArn", TEXT, otherwise="role"),
            Field("data", "modelDataSource.s3DataSource.s3Uri", ARTIFACT, REQUIRED),
        )
    )

    def __init__(
        self,
        name: str,
        *,
        job: Text,
        model: Text,
        data: DataReference | ModelReference | Text,
        role: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.job = job
        self.model = model
        self.data = data
        self.role = role


class BedrockCustomModelDeployment(Step):
    """Serves the custom model with ARN ``model`` on demand: CreateCustomModelDeployment.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockCustomModelDeployment")
    constructor = Constructor(
        (
            Field("deployment", "modelDeploymentName", TEXT, REQUIRED),
            Field("model", "modelArn", TEXT, REQUIRED),
        )
    )

    def __init__(self, name: str, *, deployment: Text, model: Text, **shared: Unpack[Shared]) -> None:
        super().__init__(name, **shared)
        self.deployment = deployment
        self.model = model


class BedrockProvisionedModelThroughput(Step):
    """Serves ``model`` (id or ARN) with ``units`` of throughput of its own: CreateProvisionedModelThroughput.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockProvisionedModelThroughput")
    constructor = Constructor(
        (
            Field("units", "modelUnits", COUNT, 1),
            Field("throughput", "provisionedModelName", TEXT, REQUIRED),
            Field("model", "modelId", TEXT, REQUIRED),
            Field("commitment", "commitmentDuration", choice("OneMonth", "SixMonths")),
        )
    )

    def __init__(
        self,
        name: str,
        *,
        throughput: Text,
        model: Text,
        units: Count = 1,
        commitment: Literal["OneMonth", "SixMonths"] | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.throughput = throughput
        self.model = model
        self.units = units
        self.commitment = commitment
