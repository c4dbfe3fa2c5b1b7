"""InferenceComponent: a model on an endpoint that holds several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.members import tags
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelNameReference, ModelReference, StringProperty, lower
from mlops.declare.steps.base import Shared, Step, without_none
from mlops.declare.steps.shared_arguments import Count, Environment, Image, Number, Text
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="InferenceComponent",
    request="CreateInferenceComponentInput",
    omits=frozenset({"InferenceComponentName"}),
    response="DescribeInferenceComponentOutput",
    permissions=(
        "sagemaker:AddTags",
        "sagemaker:CreateInferenceComponent",
        "sagemaker:DescribeInferenceComponent",
    ),
)


class InferenceComponent(Step):
    """``copies`` of a model on the machines of ``endpoint``'s ``variant``. The model is one that was created
    (``model``), or ``image`` with ``data``; ``base`` is the name of the component that this one adapts, and has
    the machines then.

    ``memory`` and ``max_memory`` are in MB for one copy, ``cpus`` and ``accelerators`` likewise. ``component`` is the
    component's own name.
    """

    step_type = STEP_TYPE

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        image = (
            None
            if self.image is None
            else lowering.image(self.image, scope="inference", instance=lowering.instance(None), step=self)
        )
        return without_none(
            {
                "InferenceComponentName": lower(self.component),
                "EndpointName": lower(self.endpoint),
                "VariantName": lower(self.variant),
                "Specification": without_none(
                    {
                        "ModelName": lower(self.model),
                        "Container": without_none(
                            {
                                "Image": image,
                                "ArtifactUrl": lower(self.data),
                                "Environment": {key: lower(value) for key, value in self.environment.items()} or None,
                            }
                        )
                        or None,
                        "BaseInferenceComponentName": lower(self.base),
                        "ComputeResourceRequirements": without_none(
                            {
                                "MinMemoryRequiredInMb": lower(self.memory),
                                "MaxMemoryRequiredInMb": lower(self.max_memory),
                                "NumberOfCpuCoresRequired": lower(self.cpus),
                                "NumberOfAcceleratorDevicesRequired": lower(self.accelerators),
                            }
                        )
                        or None,
                    }
                ),
                "RuntimeConfig": None if self.copies is None else {"CopyCount": lower(self.copies)},
                "Tags": tags(lowering),
            }
        )
