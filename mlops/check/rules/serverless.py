"""What serverless variants, shadows and asynchronous endpoints do not go with, wherever in a pipeline it is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.instances import family
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.serving import Variant, configurations, containers
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS
from mlops.knowledge.framework_images import is_of_aws
from mlops.knowledge.marketplace import MARKETPLACE

_OF_INSTANCES = (
    "InstancePools", "AcceleratorType", "RoutingConfig", "InferenceAmiVersion", "CoreDumpConfig", "EnableSSMAccess",
    "CapacityReservationConfig", "AcceleratorPartitionLayouts", "VariantInstanceProvisionTimeoutInSeconds",
)  # fmt: skip
_OF_CONFIGURATIONS = {
    "DataCaptureConfig": "data capture",
    "VpcConfig": "a VPC",
    "EnableNetworkIsolation": "network isolation",
    "CrossRegionTrafficConfig": "a cap of cross-Region traffic",
}


def _sold(container: Mapping[str, Value]) -> str | None:
    """The version of AWS Marketplace that a container is made of."""
    package = container.get("ModelPackageName")
    return package if isinstance(package, str) and _account(package) in MARKETPLACE else None


def _account(arn: Value) -> str:
    return arn.split(":")[4] if isinstance(arn, str) and arn.count(":") >= 5 else ""


def _is_on(subject: Subject, name: str, value: Value) -> bool:
    """Whether a member asks for something: a flag that is set, a configuration that is not switched off."""
    if name == "EnableNetworkIsolation":
        return literal(subject, value) is True
    if name == "DataCaptureConfig":
        return isinstance(value, Mapping) and literal(subject, value.get("EnableCapture")) is not False
    return value is not None


def _features(subject: Subject, model: Placed) -> Iterator[str]:
    """What of a model a serverless variant cannot have, in words."""
    arguments, listed = model.step.arguments, containers(model)
    if get(arguments, "VpcConfig") is not None:
        yield "is in a VPC (VpcConfig)"
    if _is_on(subject, "EnableNetworkIsolation", get(arguments, "EnableNetworkIsolation")):
        yield "is isolated from the network (EnableNetworkIsolation)"
    if len(listed) > 1:
        yield f"has {len(listed)} containers"
    settings = [container for _, container in listed]
    if any(literal(subject, item.get("Mode")) == "MultiModel" for item in settings):
        yield "is a multi-model one"
    if any(get(item, "ImageConfig", "RepositoryAccessMode") == "Vpc" for item in settings):
        yield "has its image in a private registry"
    if any(item.get("ModelDataSource") is not None for item in settings):
        yield "takes its data by ModelDataSource"
    if any(map(_sold, settings)):
        yield "is of AWS Marketplace"


@rule(
    "X900",
    "serverless-exclusion",
    Severity.ERROR,
    source="AWS docs: serverless-endpoints, feature exclusions; CreateModel and CreateEndpointConfig API (ex#3102);"
    " amazon-sagemaker-feedback#181: no images of other accounts",
)
def serverless_exclusion(subject: Subject) -> Iterator[Fault]:
    """A serverless variant with what only instances have: another variant beside it, data capture, a VPC, network
    isolation; or with a model that is in a VPC, isolated, multi-model, of several containers, from a private registry,
    fed by ModelDataSource or of AWS Marketplace. An image for GPUs, which a serverless variant has none of, or of
    another account is a warning.

    Bad:  a ServerlessConfig whose model has "VpcConfig"
    Good: the same model without it, or the variant with "InstanceType"
    """
    for configuration in configurations(subject):
        serverless = [variant for variant in configuration.variants if variant.is_serverless]
        if not serverless:
            continue
        first, placed = serverless[0], configuration.placed
        for name, what in _OF_CONFIGURATIONS.items():
            if _is_on(subject, name, configuration.settings.get(name)):
                message = f"{first.name} is serverless, and a serverless variant has no {what.removeprefix('a ')}"
                yield Fault(f"{configuration.at}/{name}", message, f"remove it, or give {first.name} instances", placed)
        count = len(configuration.production)
        if count > 1 and not first.shadow:
            message = f"{first.name} is serverless, and such a variant stands alone: this endpoint has {count}"
            help_text = "give it an endpoint of its own, or instances"
            yield Fault(f"{first.at}/ServerlessConfig", message, help_text, placed)
        for variant in serverless:
            yield from _members(variant)
            yield from _model(subject, variant)


def _members(variant: Variant) -> Iterator[Fault]:
    for name in _OF_INSTANCES:
        if variant.settings.get(name) is not None:
            message = f"{name} is for instances, and {variant.name} is serverless"
            yield Fault(f"{variant.at}/{name}", message, "remove it", variant.placed)


def _model(subject: Subject, variant: Variant) -> Iterator[Fault]:
    if variant.model is None:
        return
    at, name = f"{variant.at}/ModelName", variant.model.step.name
    for feature in _features(subject, variant.model):
        message = f"{variant.name} is serverless, and its model {name!r} {feature}"
        help_text = "change the model, or give the variant an InstanceType and InitialInstanceCount"
        yield Fault(at, message, help_text, variant.placed)
    for _, container in containers(variant.model):
        image = named_image(subject, container.get("Image"))
        if image is not None and image.processor in ("gpu", "neuron"):
            message = (
                f"{variant.name} is serverless, which has CPUs only, and the image of {name!r} is for {image.processor}"
            )
            yield Fault(at, message, "use the image for CPUs", variant.placed, severity=Severity.WARNING)
        role = literal(subject, get(variant.model.step.arguments, "ExecutionRoleArn"))
        own = _account(role)
        if image is not None and own.isdigit() and image.account != own and not _is_amazons(image.account):
            message = f"{variant.name} is serverless, and the image of {name!r} is of account {image.account}"
            help_text = f"copy it into a repository of account {own}"
            yield Fault(at, message, help_text, variant.placed, severity=Severity.WARNING)


def _is_amazons(account: str) -> bool:
    return account in ALGORITHM_ACCOUNTS or is_of_aws(account)


@rule(
    "X901",
    "shadow-exclusion",
    Severity.ERROR,
    source="AWS docs: shadow-tests-exclusions; CreateEndpointConfig API: ShadowProductionVariants",
)
def shadow_exclusion(subject: Subject) -> Iterator[Fault]:
    """A shadow variant of an endpoint that is serverless or asynchronous, or beside a model of several containers or
    many models, in the shadow or in production; or on Inf1 instances.

    Bad:  "ShadowProductionVariants" with "AsyncInferenceConfig"
    Good: one of the two
    """
    for configuration in configurations(subject):
        shadows = [variant for variant in configuration.variants if variant.shadow]
        if not shadows:
            continue
        placed = configuration.placed
        if configuration.settings.get("AsyncInferenceConfig") is not None:
            message = "an asynchronous endpoint has no shadow variants"
            help_text = "leave AsyncInferenceConfig or ShadowProductionVariants out"
            yield Fault(f"{configuration.at}/AsyncInferenceConfig", message, help_text, placed)
        for variant in configuration.variants:
            for member, why in _unshadowed(subject, variant):
                side = "a shadow variant is" if variant.shadow else "an endpoint with a shadow variant is"
                yield Fault(f"{variant.at}/{member}", f"{side} {why}", "leave the shadow out", placed)


def _unshadowed(subject: Subject, variant: Variant) -> Iterator[tuple[str, str]]:
    if variant.is_serverless:
        yield "ServerlessConfig", "never serverless"
    kind = literal(subject, variant.settings.get("InstanceType"))
    if isinstance(kind, str) and family(kind) == "inf1":
        yield "InstanceType", "never on Inf1 instances"
    listed = containers(variant.model) if variant.model is not None else []
    if len(listed) > 1:
        yield "ModelName", f"of one container, and this model has {len(listed)}"
    if any(literal(subject, container.get("Mode")) == "MultiModel" for _, container in listed):
        yield "ModelName", "never multi-model"


@rule(
    "X902",
    "asynchronous-exclusion",
    Severity.ERROR,
    source="CreateEndpointConfig API: CrossRegionTrafficConfig; aws-cdk-rfcs#433: one variant, on instances; sdk#3969:"
    " 'Marketplace images are not supported when specifying an AsyncInferenceConfig'",
)
def asynchronous_exclusion(subject: Subject) -> Iterator[Fault]:
    """An asynchronous endpoint with a cap of cross-Region traffic, with several variants, or with a model of AWS
    Marketplace.

    Bad:  "AsyncInferenceConfig" with two ProductionVariants
    Good: "AsyncInferenceConfig" with one
    """
    for configuration in configurations(subject):
        settings, placed = configuration.settings, configuration.placed
        if settings.get("AsyncInferenceConfig") is None:
            continue
        if settings.get("CrossRegionTrafficConfig") is not None:
            message = "CrossRegionTrafficConfig and AsyncInferenceConfig exclude each other"
            yield Fault(f"{configuration.at}/CrossRegionTrafficConfig", message, "keep one of them", placed)
        count = len(configuration.production)
        if count > 1:
            at, message = (
                f"{configuration.at}/AsyncInferenceConfig",
                f"{count} variants, and an asynchronous endpoint has one",
            )
            yield Fault(at, message, "keep one variant", placed)
        for variant in configuration.variants:
            if variant.model is not None and any(_sold(container) for _, container in containers(variant.model)):
                message = f"{variant.model.step.name!r} is of AWS Marketplace, and an asynchronous endpoint serves none"
                at = f"{variant.at}/ModelName"
                yield Fault(at, message, "leave AsyncInferenceConfig out, or take a model of your own", placed)
