"""InferenceComponent: a model on an endpoint that holds several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.misuse import misuse
from mlops.declare.references import ModelNameReference, ModelReference, StringProperty
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Count, Environment, Image, Number, Text
from mlops.ir import Awaited, StepType, Value
from mlops.ir.fields import (
    ANY_MAP,
    ARTIFACT,
    COUNT,
    MAP,
    NUMBER,
    REQUIRED,
    STRING,
    TAGS,
    TEXT,
    Constructor,
    Field,
    Yielded,
)

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["InferenceComponent"]

STEP_TYPE = StepType(
    type="InferenceComponent",
    request="CreateInferenceComponentInput",
    omits=frozenset({"InferenceComponentName"}),
    response="DescribeInferenceComponentOutput",
    states_resource="arn:aws:states:::aws-sdk:sagemaker:createInferenceComponent",
    awaited=Awaited(
        "describeInferenceComponent",
        "InferenceComponentName",
        "InferenceComponentStatus",
        ("InService",),
        ("Creating", "Updating"),
    ),
    action="inference_component",
    permissions=(
        "sagemaker:AddTags",
        "sagemaker:CreateInferenceComponent",
        "sagemaker:DescribeInferenceComponent",
    ),
)


_CONTAINER = "Specification.Container"
_NEEDS = "Specification.ComputeResourceRequirements"


def _image(step: InferenceComponent, lowering: Lowering, _: Step) -> Value:
    if step.image is None:
        return None
    return lowering.image(step.image, scope="inference", instance=lowering.instance(None), step=step)


FIELDS = (
    Field("component", "InferenceComponentName", TEXT),
    Field("endpoint", "EndpointName", TEXT, REQUIRED),
    Field("variant", "VariantName", TEXT),
    # It is there also where there is nothing in it.
    Field("", "Specification", ANY_MAP, to=lambda *_: {}),
    Field("model", "Specification.ModelName", TEXT),
    Field("image", f"{_CONTAINER}.Image", TEXT, to=_image),
    Field("data", f"{_CONTAINER}.ArtifactUrl", ARTIFACT),
    Field("environment", f"{_CONTAINER}.Environment", MAP),
    Field("base", "Specification.BaseInferenceComponentName", TEXT),
    Field("memory", f"{_NEEDS}.MinMemoryRequiredInMb", COUNT),
    Field("max_memory", f"{_NEEDS}.MaxMemoryRequiredInMb", COUNT),
    Field("cpus", f"{_NEEDS}.NumberOfCpuCoresRequired", NUMBER),
    Field("accelerators", f"{_NEEDS}.NumberOfAcceleratorDevicesRequired", NUMBER),
    Field("copies", "RuntimeConfig.CopyCount", COUNT),
    Field("", "Tags", TAGS),
)


class InferenceComponent(Step):
    """``copies`` of a model on the machines of ``endpoint``'s ``variant``. The model is one that was created
    (``model``), or ``image`` with ``data``; ``base`` is the name of the component that this one adapts, and has
    the machines then.

    ``memory`` and ``max_memory`` are in MB for one copy, ``cpus`` and ``accelerators`` likewise. ``component`` is the
    component's own name.
    """

    step_type = STEP_TYPE
    constructor = Constructor(FIELDS, yields={"InferenceComponentName": Yielded("component_name", STRING)})

    def __init__(
        self,
        name: str,
        *,
        endpoint: Text,
        model: ModelNameReference | Text | None = None,
        image: Image | None = None,
        data: ModelReference | Text | None = None,
        environment: Environment | None = None,
        base: Text | None = None,
        memory: Count | None = None,
        max_memory: Count | None = None,
        cpus: Number | None = None,
        accelerators: Number | None = None,
        copies: Count | None = None,
        variant: Text | None = None,
        component: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.endpoint = endpoint
        self.model = model
        self.image = image
        self.data = data
        self.environment = dict(environment or {})
        self.base = base
        self.memory = memory
        self.max_memory = max_memory
        self.cpus = cpus
        self.accelerators = accelerators
        self.copies = copies
        self.variant = variant
        self.component = component
        if model is not None and not (image is None and data is None and environment is None):
            message = f"{name}: image, data and environment are those of the created model"
            misuse("D064", message, help="keep model=…, or image=… and data=…", step=name)
            self.poisoned = True
        if memory is None and not (max_memory is None and cpus is None and accelerators is None):
            message = f"{name}: max_memory, cpus and accelerators go with memory, which the service wants"
            misuse("D064", message, help="add memory=…, in MB", step=name)
            self.poisoned = True

    @property
    def component_name(self) -> StringProperty:
        """The component's name, for whoever calls it."""
        return StringProperty(self.name, "InferenceComponentName")
