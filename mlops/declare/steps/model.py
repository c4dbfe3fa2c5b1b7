"""Model: make a SageMaker model of trained artefacts, e.g. for a batch transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.references import ModelNameReference, ModelReference, StringReference, lower
from mlops.declare.steps.base import Shared, Step, without_none
from mlops.declare.steps.shared_arguments import Environment, Image, inference_environment, tags, vpc
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="Model",
    request="CreateModelInput",
    omits=frozenset({"ModelName"}),
    response="DescribeModelOutput",
    envelope=frozenset({"RetryPolicies"}),
    states_resource="arn:aws:states:::sagemaker:createModel",
    action="model",
)


class Model(Step):
    """``inference_code`` names the handler module that lies in ``code/`` of ``model.tar.gz``, e.g. ``inference.py``.

    ``instance`` only chooses between the CPU and the accelerator image of a framework."""

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        model: ModelReference | StringReference | str,
        image: Image,
        inference_code: str | None = None,
        environment: Environment | None = None,
        instance: str | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.model = model
        self.image = image
        self.inference_code = inference_code
        self.environment = dict(environment or {})
        self.instance = instance

    @property
    def model_name(self) -> ModelNameReference:
        """The created model's name, for a Transform."""
        return ModelNameReference(self.name)

    def request(self, lowering: Lowering) -> dict[str, Value]:
        instance = lowering.instance(self.instance)
        environment = inference_environment(lowering, self.inference_code, self.environment)
        return without_none(
            {
                "ExecutionRoleArn": lowering.environment.role,
                "PrimaryContainer": without_none(
                    {
                        "Image": lowering.image(self.image, scope="inference", instance=instance, step=self),
                        "Environment": environment or None,
                        "ModelDataUrl": lower(self.model),
                    }
                ),
                "VpcConfig": vpc(lowering),
                "Tags": tags(lowering),
            }
        )
