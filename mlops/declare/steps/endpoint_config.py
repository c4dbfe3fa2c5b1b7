"""EndpointConfig: which models an endpoint serves, on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Unpack

from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import ModelNameReference, Poison, StringProperty, lower
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Count, Number, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import (
    COUNT,
    FLAG,
    NUMBER,
    REQUIRED,
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
    Record,
    Said,
    Spoken,
    Yielded,
    by_name,
    made,
    nothing,
    objects,
)

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Capture", "EndpointConfig", "Serverless", "Variant"]

STEP_TYPE = StepType(
    type="EndpointConfig",
    request="CreateEndpointConfigInput",
    omits=frozenset({"EndpointConfigName"}),
    response="DescribeEndpointConfigOutput",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    # The optimised integration takes fewer members (guide: connect-sagemaker).
    states_resource="arn:aws:states:::aws-sdk:sagemaker:createEndpointConfig",
    action="endpoint_config",
    permissions=("sagemaker:CreateEndpointConfig", "iam:PassRole", "s3:PutObject"),
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


@record
class Capture:
    """Requests and answers are kept below ``to``: ``percent`` of them."""

    to: Text
    percent: Count = 100
    modes: Sequence[Literal["Input", "Output", "InputAndOutput"]] = ("Input", "Output")


SERVERLESS = Record(
    Serverless,
    (
        Field("memory", "MemorySizeInMB", COUNT, REQUIRED),
        Field("concurrency", "MaxConcurrency", COUNT, REQUIRED),
        Field("provisioned", "ProvisionedConcurrency", COUNT),
    ),
)


def _instance(variant: Variant, lowering: Lowering, _: Step) -> Value:
    return lowering.instance(variant.instance) if variant.serverless is None else None


def _count(variant: Variant, *_: object) -> Value:
    return lower(variant.count) if variant.serverless is None else None


_MODEL = Field("model", "ModelName", TEXT)
_MACHINES = (
    Field("instance", "InstanceType", TEXT, otherwise="instance", to=_instance),
    Field("count", "InitialInstanceCount", COUNT, 1, to=_count),
    Field("serverless", "ServerlessConfig", made(SERVERLESS)),
)
VARIANT_RECORD = Record(Variant, (_MODEL, *_MACHINES, Field("weight", "InitialVariantWeight", NUMBER)), rest=True)
_VARIANTS = by_name("VariantName", VARIANT_RECORD)


def _modes(capture: Capture, *_: object) -> Value:
    return tuple({"CaptureMode": mode} for mode in capture.modes)


def _said_modes(given: Given) -> Spoken | None:
    modes = [item.get("CaptureMode") for item in objects(given.at("CaptureOptions"))]
    if modes == ["Input", "Output"] or not all(isinstance(mode, str) for mode in modes):
        return None
    return [Said(mode) for mode in modes]


CAPTURE = Record(
    Capture,
    (
        Field("", "EnableCapture", FLAG, True),
        Field("percent", "InitialSamplingPercentage", COUNT, 100),
        Field("to", "DestinationS3Uri", TEXT, REQUIRED),
        Field("", "KmsKeyId", TEXT, otherwise="kms_key"),
        Field("modes", "CaptureOptions", TEXTS, ("Input", "Output"), to=_modes, said=_said_modes),
    ),
)


def _lone(given: Given) -> Mapping[str, Value] | None:
    """The variant, where there is one under the name that a lone one has, without a weight."""
    listed = given.at("ProductionVariants")
    variants = objects(listed)
    if len(variants) != 1 or listed != tuple(variants) or variants[0].get("VariantName") != VARIANT:
        return None
    known = {"VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "ServerlessConfig"}
    return variants[0] if "ModelName" in variants[0] and set(variants[0]) <= known else None


def _of_the_lone(field: Field) -> Field:
    def said(given: Given) -> Spoken | None:
        variant = _lone(given)
        return None if variant is None else By(field, variant)

    return field._replace(path=f"ProductionVariants.0.{field.path}", to=nothing, said=said, owns="ProductionVariants")


def _said_variants(given: Given) -> Spoken | None:
    listed = given.at("ProductionVariants")
    return None if isinstance(listed, Missing) or _lone(given) is not None else Of(_VARIANTS, listed)


FIELDS = (
    Field("config", "EndpointConfigName", TEXT),
    *map(_of_the_lone, (_MODEL, *_MACHINES)),
    Field("variants", "ProductionVariants", _VARIANTS, said=_said_variants),
    Field("shadow", "ShadowProductionVariants", _VARIANTS),
    Field("capture", "DataCaptureConfig", made(CAPTURE)),
    Field("role", "ExecutionRoleArn", TEXT),
    Field("kms_key", "KmsKeyId", TEXT),
    Field("", "Tags", TAGS),
)


class EndpointConfig(Step):
    """One ``model`` on ``count`` machines (or ``serverless``), or several ``variants`` by name.

    ``config`` is the configuration's own name; without it the service makes one up. ``shadow`` variants get a copy of
    the traffic and nobody their answers. ``role`` is for variants without a model, which take inference components.
    """

    step_type = STEP_TYPE
    constructor = Constructor(FIELDS, yields={"EndpointConfigName": Yielded("config_name", STRING)})

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
        self.variants = variants_of(self, model, instance, count, serverless, variants)
        self.shadow = dict(shadow or {})
        self.capture = capture
        self.config = config
        self.role = role
        self.kms_key = kms_key

    @property
    def config_name(self) -> StringProperty:
        """The configuration's name, for an Endpoint."""
        return StringProperty(self.name, "EndpointConfigName")


def variants_of(
    step: Step,
    model: ModelNameReference | Text | None,
    instance: Text | None,
    count: Count,
    serverless: Serverless | None,
    variants: Mapping[str, Variant] | None,
) -> dict[str, Variant]:
    """Those that are given, or the one that is made of the rest; what excludes each other is told."""
    name = step.name
    if (model is None) == (variants is None):
        found = "neither" if model is None else "both"
        misuse(
            "D064",
            f"{name}: an endpoint serves one model or several variants; here is {found}",
            help='give model=… or variants={"blue": Variant(…), "green": Variant(…)}',
            step=name,
        )
        step.poisoned = True
    elif variants is not None and not (
        instance is None and isinstance(count, int) and count == 1 and serverless is None
    ):
        message = f"{name}: instance, count and serverless go with model; each variant has its own"
        misuse("D064", message, help="put them into the Variant", step=name)
        step.poisoned = True
    elif any(_is_torn(item.serverless, item.instance) for item in (variants or {}).values()) or _is_torn(
        serverless, instance
    ):
        message = f"{name}: a serverless variant has no instance"
        misuse("D064", message, help="keep serverless=… or instance=…", step=name)
        step.poisoned = True
    lone = Variant(model, instance, count, serverless=serverless)
    return {VARIANT: lone} if variants is None else dict(variants)


def _is_torn(serverless: object, instance: object) -> bool:
    """Both are given, and neither is a mistake that is told."""
    return all(given is not None and not isinstance(given, Poison) for given in (serverless, instance))
