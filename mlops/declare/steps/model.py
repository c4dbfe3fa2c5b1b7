"""Model: make a SageMaker model of trained artefacts, e.g. for a batch transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.containers import ARCHIVE, CONTAINER, ENVIRONMENT, FILES, IMAGE, Artifact, Container, container
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelNameReference
from mlops.declare.steps.base import STEP_FAULTS, Step
from mlops.declare.steps.shared_arguments import ISOLATION, OWN_TAGS, VPC, Environment, Image, Network, Tagged, Text
from mlops.declare.steps.shared_arguments import network as network_field
from mlops.ir import StepType, Value
from mlops.ir.fields import STRING, TEXT, Constructor, Field, Yielded, choice, each, hidden, made, nothing
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
    # The optimised integration takes fewer members (guide: connect-sagemaker).
    states_resource="arn:aws:states:::aws-sdk:sagemaker:createModel",
    action="model",
    made="ModelName",
    permissions=("sagemaker:AddTags", "sagemaker:CreateModel", "iam:PassRole", *ANY_JOB),
)


def _primary(step: Model, lowering: Lowering, _: Step) -> Value:
    return None if step.containers else container(lowering, step, step.container, lowering.instance(step.instance))


def _containers(step: Model, lowering: Lowering, _: Step) -> Value:
    return tuple(container(lowering, step, item, lowering.instance(step.instance)) for item in step.containers) or None


def _of_the_primary(field: Field) -> Field:
    return field._replace(path=f"PrimaryContainer.{field.path}", to=nothing)


FIELDS = (
    Field("role", "ExecutionRoleArn", TEXT, otherwise="role"),
    Field("", "PrimaryContainer", made(CONTAINER), to=_primary),
    *map(_of_the_primary, (IMAGE, ENVIRONMENT, ARCHIVE, FILES)),
    hidden("inference_code"),
    hidden("instance"),
    Field("containers", "Containers", each(CONTAINER), (), to=_containers),
    Field("execution", "InferenceExecutionConfig.Mode", choice("Serial", "Direct")),
    network_field("", VPC, ISOLATION),
    OWN_TAGS,
)


class Model(Step):
    """A model of one container, or of several that a request passes through one after the other (``containers``).

    ``inference_code`` names the handler module that lies in ``code/`` of ``model.tar.gz``, e.g. ``inference.py``.
    ``instance`` only chooses between the CPU and the accelerator image of a framework.
    """

    step_type = STEP_TYPE
    constructor = Constructor(FIELDS, yields={"ModelName": Yielded("model_name", STRING)})
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
        self.network = network
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
