"""EndpointConfig: which models an endpoint serves, on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Unpack

from mlops.declare.members import tags
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import ModelNameReference, StringProperty, lower
from mlops.declare.steps.base import Shared, Step, merge, without_none
from mlops.declare.steps.shared_arguments import Count, Number, Text
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="EndpointConfig",
    request="CreateEndpointConfigInput",
    omits=frozenset({"EndpointConfigName"}),
    response="DescribeEndpointConfigOutput",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    states_resource="arn:aws:states:::sagemaker:createEndpointConfig",
    permissions=("sagemaker:CreateEndpointConfig",),
)

VARIANT = "AllTraffic"
"""The name of a lone variant, as the official SDK writes it."""


@record
class Serverless:
    """``memory`` is in MB, a multiple of 1024; ``concurrency`` is how many requests are served at once."""

    memory: Count
    concurrency: Count
    provisioned: Count | None = None


@record
class Variant:
    """One model behind an endpoint: on ``count`` machines, or ``serverless``. ``weight`` is its share of the traffic.
    Without ``model`` it is for inference components. ``arguments`` is merged into the ProductionVariant."""

    model: ModelNameReference | Text | None = None
    instance: Text | None = None
    count: Count = 1
    weight: Number | None = None
    serverless: Serverless | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def request(self, name: str, lowering: Lowering) -> dict[str, Value]:
        machines: dict[str, Value]
        if self.serverless is None:
            machines = {"InstanceType": lowering.instance(self.instance), "InitialInstanceCount": lower(self.count)}
        else:
            machines = {
                "ServerlessConfig": without_none(
                    {
                        "MemorySizeInMB": lower(self.serverless.memory),
                        "MaxConcurrency": lower(self.serverless.concurrency),
                        "ProvisionedConcurrency": lower(self.serverless.provisioned),
                    }
                )
            }
        named = {"VariantName": name, "ModelName": lower(self.model)}
        return merge(without_none({**named, **machines, "InitialVariantWeight": lower(self.weight)}), self.arguments)


@record
class Capture:
    """Requests and answers are kept below ``to``: ``percent`` of them."""

    to: Text
    percent: Count = 100
    modes: Sequence[Literal["Input", "Output", "InputAndOutput"]] = ("Input", "Output")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return without_none(
            {
                "EnableCapture": True,
                "InitialSamplingPercentage": lower(self.percent),
                "DestinationS3Uri": lower(self.to),
                "KmsKeyId": lowering.environment.kms_key,
                "CaptureOptions": tuple({"CaptureMode": mode} for mode in self.modes),
            }
        )


class EndpointConfig(Step):
    """One ``model`` on ``count`` machines (or ``serverless``), or several ``variants`` by name.

    ``config`` is the configuration's own name; without it the service makes one up. ``shadow`` variants get a copy of
    the traffic and nobody their answers. ``role`` is for variants without a model, which take inference components.
    """

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        model: ModelNameReference | Text | None = None,
        instance: Text | None = None,
        count: Count = 1,
        serverless: Serverless | None = None,
        variants: Mapping[str, Variant] | None = None,
        shadow: Mapping[str, Variant] | None = None,
        capture: Capture | None = None,
        config: Text | None = None,
        role: Text | None = None,
        kms_key: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        if (model is None) == (variants is None):
            found = "neither" if model is None else "both"
            misuse(
                "D064",
                f"{name}: an endpoint serves one model or several variants; here is {found}",
                help='give model=… or variants={"blue": Variant(…), "green": Variant(…)}',
                step=name,
            )
            self.poisoned = True
        elif variants is not None and not (
            instance is None and isinstance(count, int) and count == 1 and serverless is None
        ):
            message = f"{name}: instance, count and serverless go with model; each variant has its own"
            misuse("D064", message, help="put them into the Variant", step=name)
            self.poisoned = True
        elif any(item.serverless is not None and item.instance is not None for item in (variants or {}).values()) or (
            serverless is not None and instance is not None
        ):
            message = f"{name}: a serverless variant has no instance"
            misuse("D064", message, help="keep serverless=… or instance=…", step=name)
            self.poisoned = True
        lone = Variant(model, instance, count, serverless=serverless)
        self.variants = {VARIANT: lone} if variants is None else dict(variants)
        self.shadow = dict(shadow or {})
        self.capture = capture
        self.config = config
        self.role = role
        self.kms_key = kms_key

    @property
    def config_name(self) -> StringProperty:
        """The configuration's name, for an Endpoint."""
        return StringProperty(self.name, "EndpointConfigName")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        def listed(variants: Mapping[str, Variant]) -> Value:
            return tuple(variant.request(name, lowering) for name, variant in variants.items()) or None

        return without_none(
            {
                "EndpointConfigName": lower(self.config),
                "ProductionVariants": listed(self.variants),
                "ShadowProductionVariants": listed(self.shadow),
                "DataCaptureConfig": None if self.capture is None else self.capture.request(lowering),
                "ExecutionRoleArn": lower(self.role),
                "KmsKeyId": lower(self.kms_key),
                "Tags": tags(lowering),
            }
        )
