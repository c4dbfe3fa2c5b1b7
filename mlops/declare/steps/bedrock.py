"""Steps that Amazon Bedrock runs: customize a model, import one, serve one.

What the service reports about such steps is published (PipelineExecutionStepMetadata has BedrockCustomModel and three
more), what a definition holds is not: no SDK has a class for them. So it is an assumption here that ``Type`` is spelled
like the metadata and that ``Arguments`` are Bedrock's own request. The checker takes these types for unknown, says so
in a note, and asks nothing of their arguments; read what they yield with ``property("…")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.members import strings
from mlops.declare.references import DataReference, ModelReference, lower
from mlops.declare.steps.base import Shared, Step, without_none
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering


class BedrockCustomModel(Step):
    """Makes a model called ``model`` of the foundation model ``base`` and ``data``: CreateModelCustomizationJob.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockCustomModel")

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        validators = None if self.validation is None else {"validators": ({"s3Uri": lower(self.validation)},)}
        return without_none(
            {
                "jobName": lower(self.job),
                "customModelName": lower(self.model),
                "roleArn": _role(self.role, lowering),
                "baseModelIdentifier": lower(self.base),
                "customizationType": self.kind,
                "trainingDataConfig": {"s3Uri": lower(self.data)},
                "validationDataConfig": validators,
                "outputDataConfig": {"s3Uri": lower(self.to)},
                "hyperParameters": strings(self.hyperparameters) or None,
            }
        )


class BedrockModelImport(Step):
    """Imports the model files at ``data`` as a model called ``model``: CreateModelImportJob.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockModelImport")

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {
            "jobName": lower(self.job),
            "importedModelName": lower(self.model),
            "roleArn": _role(self.role, lowering),
            "modelDataSource": {"s3DataSource": {"s3Uri": lower(self.data)}},
        }


class BedrockCustomModelDeployment(Step):
    """Serves the custom model with ARN ``model`` on demand: CreateCustomModelDeployment.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockCustomModelDeployment")

    def __init__(self, name: str, *, deployment: Text, model: Text, **shared: Unpack[Shared]) -> None:
        super().__init__(name, **shared)
        self.deployment = deployment
        self.model = model

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {"modelDeploymentName": lower(self.deployment), "modelArn": lower(self.model)}


class BedrockProvisionedModelThroughput(Step):
    """Serves ``model`` (id or ARN) with ``units`` of throughput of its own: CreateProvisionedModelThroughput.

    The definition's form is an assumption; see the module.
    """

    step_type = StepType(type="BedrockProvisionedModelThroughput")

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return without_none(
            {
                "modelUnits": lower(self.units),
                "provisionedModelName": lower(self.throughput),
                "modelId": lower(self.model),
                "commitmentDuration": self.commitment,
            }
        )


def _role(given: Text | None, lowering: Lowering) -> Value:
    return lowering.environment.role if given is None else lower(given)
