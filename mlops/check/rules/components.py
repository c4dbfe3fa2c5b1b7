"""Inference components and the variants that they are put on; what is for endpoints of components alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.instances import accelerators, cores_and_memory, has_local_storage
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.serving import Configuration, Variant, configurations, endpoints, made
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get


@rule(
    "X907",
    "component-on-model-endpoint",
    Severity.ERROR,
    source="'Inference Components are not supported in this Endpoint' (pulumi-aws#4940); CreateInferenceComponent API",
)
def component_on_model_endpoint(subject: Subject) -> Iterator[Fault]:
    """An inference component is put on a variant that serves a model by itself, or is serverless; or it wants more
    memory, cores or accelerators, or parts of these, than one of the variant's instances has.

    Bad:  a component on a variant with "ModelName"
    Good: a component on a variant without, of a configuration with "ExecutionRoleArn"
    """
    for placed, arguments in subject.of_type("InferenceComponent"):
        at = f"{placed.pointer}/Arguments"
        specifications = [("/Specification", arguments.get("Specification")), *entries(arguments, "Specifications")]
        if len(specifications) > 2:
            for where, item in specifications[1:]:
                if isinstance(item, Mapping) and item.get("InstanceType") is None:
                    message = "one of several Specifications says not for which instances it is"
                    yield Fault(f"{at}{where}/InstanceType", message, "add InstanceType", placed)
        for where, item in specifications:
            needs = get(item, "ComputeResourceRequirements")
            count = get(needs, "NumberOfAcceleratorDevicesRequired")
            if (
                get(needs, "AcceleratorPartitionType") is not None
                and count is not None
                and literal(subject, count) != 1
            ):
                place = f"{at}{where}/ComputeResourceRequirements/NumberOfAcceleratorDevicesRequired"
                yield Fault(place, "a component on a part of an accelerator takes 1 of them", "write 1", placed)
        variant = _variant(subject, arguments)
        if variant is None:
            continue
        if variant.settings.get("ModelName") is not None:
            message = f"{variant.name} serves a model by itself, so no component can be put on it"
            help_text = f"leave ModelName out of the variant, in {variant.placed.step.name!r}"
            yield Fault(f"{at}/VariantName", message, help_text, placed)
        elif variant.is_serverless:
            message = f"{variant.name} is serverless, and a component wants instances"
            yield Fault(f"{at}/VariantName", message, "give the variant an InstanceType", placed)
        for where, item in specifications:
            yield from _accelerators(subject, f"{at}{where}", item, variant, placed)
            yield from _room(subject, f"{at}{where}/ComputeResourceRequirements", item, variant, placed)


def _variant(subject: Subject, component: Mapping[str, Value]) -> Variant | None:
    endpoint = made(subject, component.get("EndpointName"), "Endpoint", "EndpointName")
    known = {item.placed.pointer: item.configuration for item in endpoints(subject)}
    configuration = known.get(endpoint.pointer) if endpoint is not None else None
    wanted = literal(subject, component.get("VariantName"))
    listed = configuration.production if configuration is not None else ()
    return next((item for item in listed if literal(subject, item.settings.get("VariantName")) == wanted), None)


def _room(subject: Subject, at: str, item: Value, variant: Variant, placed: Placed) -> Iterator[Fault]:
    """One copy of a component stands on one instance."""
    kind = literal(subject, get(item, "InstanceType") or variant.settings.get("InstanceType"))
    has = cores_and_memory(kind) if isinstance(kind, str) else None
    if has is None:
        return
    cores, gib = has
    for name, there, unit in (
        ("MinMemoryRequiredInMb", gib * 1024, "MB"),
        ("NumberOfCpuCoresRequired", cores, "cores"),
    ):
        wanted = literal(subject, get(item, "ComputeResourceRequirements", name))
        if isinstance(wanted, int | float) and not isinstance(wanted, bool) and wanted > there:
            message = f"one copy wants {wanted:g} {unit}, and {kind} has {there}"
            yield Fault(f"{at}/{name}", message, "lower it, or use larger instances", placed)


def _accelerators(subject: Subject, at: str, item: Value, variant: Variant, placed: Placed) -> Iterator[Fault]:
    needs = get(item, "ComputeResourceRequirements")
    if not isinstance(needs, Mapping):
        return
    here, kind = f"{at}/ComputeResourceRequirements", literal(subject, variant.settings.get("InstanceType"))
    count = literal(subject, needs.get("NumberOfAcceleratorDevicesRequired"))
    wants = isinstance(count, int | float) and count > 0
    has = accelerators(kind) if isinstance(kind, str) else None
    if wants and isinstance(count, int | float) and has is not None and count > has:
        message = f"the component wants {count:g} accelerators, and {kind} has {has or 'none'}"
        yield Fault(f"{here}/NumberOfAcceleratorDevicesRequired", message, "remove it, or use other instances", placed)
    layouts = [layout for _, layout in entries(variant.settings, "AcceleratorPartitionLayouts")]
    listed = [get(layout, "AcceleratorPartitionTypes") for layout in layouts]
    profiles = {name for names in listed if isinstance(names, tuple) for name in names if isinstance(name, str)}
    wanted = needs.get("AcceleratorPartitionType")
    place = f"{here}/AcceleratorPartitionType"
    if layouts and wanted is None:
        message = f"the accelerators of {variant.name} are partitioned, and the component names no part"
        yield Fault(place, message, f"one of {', '.join(sorted(profiles))}" if profiles else None, placed)
    elif isinstance(wanted, str) and not layouts:
        message = f"the component is for {wanted}, and {variant.name} has no AcceleratorPartitionLayouts"
        yield Fault(place, message, "remove it, or partition the accelerators", placed)
    elif isinstance(wanted, str) and profiles and wanted not in profiles:
        message = f"the layout of {variant.name} has no {wanted}"
        yield Fault(place, message, f"one of {', '.join(sorted(profiles))}", placed)


@rule(
    "X908",
    "component-setting-of-model-endpoint",
    Severity.ERROR,
    source="'ManagedInstanceScaling is only supported for inference component endpoints' (tf-provider-aws#45926)",
)
def component_setting_of_model_endpoint(subject: Subject) -> Iterator[Fault]:
    """A variant that serves a model has managed scaling of its instances, which is for inference components alone; or
    (a warning) its configuration has a VPC or network isolation, which the model itself has to say.

    Bad:  {"ModelName": "churn", "ManagedInstanceScaling": {"MinInstanceCount": 1, "MaxInstanceCount": 4}}
    Good: the same without ModelName, or scaled by Application Auto Scaling
    """
    for configuration in configurations(subject):
        served = [variant for variant in configuration.variants if variant.settings.get("ModelName") is not None]
        for variant in served:
            scaling = variant.settings.get("ManagedInstanceScaling")
            # Of serverless variants X800 speaks.
            if scaling is not None and not variant.is_serverless and get(scaling, "Status") != "DISABLED":
                message = f"{variant.name} serves a model, and ManagedInstanceScaling is for inference components"
                help_text = "leave it out and scale the variant by Application Auto Scaling"
                yield Fault(f"{variant.at}/ManagedInstanceScaling", message, help_text, variant.placed)
        if served and not any(variant.is_serverless for variant in configuration.variants):
            yield from _of_models(subject, configuration)


def _of_models(subject: Subject, configuration: Configuration) -> Iterator[Fault]:
    for name in ("VpcConfig", "EnableNetworkIsolation"):
        value = configuration.settings.get(name)
        if value is None or literal(subject, value) is False:
            continue
        message = f"{name} of a configuration is for inference components, a model has its own"
        help_text, severity = f"set {name} where the model is made", Severity.WARNING
        yield Fault(f"{configuration.at}/{name}", message, help_text, configuration.placed, severity=severity)


@rule(
    "X909",
    "variant-member-without-effect",
    Severity.WARNING,
    source="CreateEndpointConfig API: PrefixAwareRoutingConfig, AcceleratorType; official SDK's volume_size_supported",
)
def variant_member_without_effect(subject: Subject) -> Iterator[Fault]:
    """A variant has what its other members leave no room for: prefix-aware routing beside another strategy (an error),
    a volume on instances with disks of their own, or an Elastic Inference accelerator, which no longer exists.

    Bad:  {"RoutingStrategy": "RANDOM", "PrefixAwareRoutingConfig": {...}}
    Good: {"RoutingStrategy": "PREFIX_AWARE", "PrefixAwareRoutingConfig": {...}}
    """
    for configuration in configurations(subject):
        for variant in configuration.variants:
            if variant.is_serverless:
                continue
            at, placed = variant.at, variant.placed
            routing = variant.settings.get("RoutingConfig")
            strategy = literal(subject, get(routing, "RoutingStrategy"))
            if get(routing, "PrefixAwareRoutingConfig") is not None and strategy not in (None, "PREFIX_AWARE"):
                message = f"PrefixAwareRoutingConfig is for PREFIX_AWARE, and RoutingStrategy is {strategy}"
                where = f"{at}/RoutingConfig/PrefixAwareRoutingConfig"
                help_text = "remove it, or write PREFIX_AWARE"
                yield Fault(where, message, help_text, placed, severity=Severity.ERROR)
            kind = literal(subject, variant.settings.get("InstanceType"))
            if variant.settings.get("VolumeSizeInGB") is not None and isinstance(kind, str) and has_local_storage(kind):
                message = f"{kind} has disks of its own and takes no volume"
                yield Fault(f"{at}/VolumeSizeInGB", message, "remove it", placed)
            if variant.settings.get("AcceleratorType") is not None:
                message = "Elastic Inference is no longer available"
                yield Fault(f"{at}/AcceleratorType", message, "remove it, e.g. for an instance with a GPU", placed)
