"""Model: make a SageMaker model of trained artefacts, e.g. for a batch transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.containers import Artifact, Container, container
from mlops.declare.members import tags, without_none
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelNameReference, lower
from mlops.declare.steps.base import STEP_FAULTS, Step
from mlops.declare.steps.shared_arguments import Environment, Image, Network, Tagged, Text
from mlops.ir import StepType, Value
from mlops.ir.permissions import ANY_JOB

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Model"]

STEP_TYPE = StepType(
    type="Model",
    request="CreateModelInput",
    omits=frozenset({"ModelName"}),
    response="DescribeModelOutput",
    envelope=frozenset({"RetryPolicies"}),
    states_resource="arn:aws:states:::sagemaker:createModel",
    action="model",
    made="ModelName",
    permissions=("sagemaker:AddTags", "sagemaker:CreateModel", "iam:PassRole", *ANY_JOB),
)


class Model(Step):
    """A model of one container, or of several that a request passes through one after the other (``containers``).

    ``inference_code`` names the handler module that lies in ``code/`` of ``model.tar.gz``, e.g. ``inference.py``.
    ``instance`` only chooses between the CPU and the accelerator image of a framework.
    """

    step_type = STEP_TYPE
    shared_arguments = Tagged
    faults = STEP_FAULTS

    def __init__(
        self,
        name: str,
        *,
        model: Artifact | None = None,
        image: Image | None = None,
        inference_code: str | None = None,
        environment: Environment | None = None,
        containers: Sequence[Container] = (),
        execution: Literal["Serial", "Direct"] | None = None,
        instance: str | None = None,
        role: Text | None = None,
        network: Network | None = None,
        **shared: Unpack[Tagged],
    ) -> None:
        self.share(name, shared)
        self.container = Container(image=image, model=model, inference_code=inference_code, environment=environment)
        self.containers = tuple(containers)
        self.execution = execution
        self.instance = instance
        self.role = role
        self.network = network or Network()
        self.tags = shared.get("tags")
        if not containers and image is None:
            message = f"Model {name}: the argument image is missing"
            misuse("D041", message, help="give image= and model=, or containers=", step=name)
            self.poisoned = True
        elif containers and (image is not None or model is not None):
            message = f"Model {name}: containers= stands for image= and model=, both are given"
            misuse("D064", message, step=name)

    @property
    def model_name(self) -> ModelNameReference:
        """The created model's name, for a Transform."""
        return ModelNameReference(self.name)

    def request(self, lowering: Lowering) -> dict[str, Value]:
        instance = lowering.instance(self.instance)
        containers = tuple(container(lowering, self, item, instance) for item in self.containers)
        return without_none(
            {
                "ExecutionRoleArn": lowering.environment.role if self.role is None else lower(self.role),
                "PrimaryContainer": None if containers else container(lowering, self, self.container, instance),
                "Containers": containers or None,
                "InferenceExecutionConfig": None if self.execution is None else {"Mode": self.execution},
                "VpcConfig": self.network.vpc(lowering),
                "EnableNetworkIsolation": self.network.isolation(lowering),
                "Tags": tags(lowering, self.tags),
            }
        )
