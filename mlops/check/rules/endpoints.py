"""Endpoint configurations, deployments and inference components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check import instances
from mlops.check.expressions import literal
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Placed, Ref, Severity, Value
from mlops.ir.members import get

_WAIT = "WaitIntervalInSeconds"


def _integer(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@rule("X800", "variants", Severity.ERROR, source="CreateEndpointConfig API: production and shadow variants")
def variants(subject: Subject) -> Iterator[Fault]:
    """Two variants have one name, a shadow stands beside several production variants, or a variant without a model (for
    inference components) has no execution role; a variant that is serverless and has instances, or neither; instances
    without their number, or scaling whose least is above its most.

    Bad:  two ProductionVariants "AllTraffic"
    Good: "Blue" and "Green"
    """
    for placed, arguments in subject.of_type("EndpointConfig"):
        at = f"{placed.pointer}/Arguments"
        production = list(entries(arguments, "ProductionVariants"))
        shadows = list(entries(arguments, "ShadowProductionVariants"))
        seen: set[str] = set()
        for where, item in (*production, *shadows):
            name = item.get("VariantName")
            if isinstance(name, str):
                if name in seen:
                    yield Fault(f"{at}{where}/VariantName", f"two variants are named {name!r}", "rename one", placed)
                seen.add(name)
            serverless, kind = item.get("ServerlessConfig"), item.get("InstanceType")
            if kind is not None and item.get("InstancePools") is not None:
                message = "InstanceType and InstancePools exclude each other"
                yield Fault(f"{at}{where}/InstanceType", message, "keep one of them", placed)
            if serverless is not None and kind is not None:
                message = "ServerlessConfig and InstanceType exclude each other"
                yield Fault(f"{at}{where}/InstanceType", message, "keep one of them", placed)
            elif serverless is None and kind is None and item.get("InstancePools") is None:
                message = "the variant has neither InstanceType nor ServerlessConfig"
                yield Fault(f"{at}{where}/InstanceType", message, "add one", placed)
            yield from _instance_counts(f"{at}{where}", item, placed)
        if shadows and (len(production) > 1 or len(shadows) > 1):
            message = "a shadow variant goes with exactly one production variant"
            yield Fault(f"{at}/ShadowProductionVariants", message, None, placed)
        without = any(item.get("ModelName") is None for _, item in production)
        if without and arguments.get("ExecutionRoleArn") is None:
            message = "a variant without ModelName wants ExecutionRoleArn"
            yield Fault(f"{at}/ExecutionRoleArn", message, "add it, or ModelName", placed)


@rule("X807", "capture-of-nothing", Severity.WARNING, source="CreateEndpointConfig API: DataCaptureConfig")
def capture_of_nothing(subject: Subject) -> Iterator[Fault]:
    """Data capture is on and takes none of the requests.

    Bad:  {"EnableCapture": true, "InitialSamplingPercentage": 0, ...}
    Good: {"EnableCapture": true, "InitialSamplingPercentage": 25, ...}
    """
    for placed, arguments in subject.of_type("EndpointConfig"):
        config = arguments.get("DataCaptureConfig")
        share = literal(subject, get(config, "InitialSamplingPercentage"))
        if literal(subject, get(config, "EnableCapture")) is True and share == 0 and share is not False:
            at = f"{placed.pointer}/Arguments/DataCaptureConfig/InitialSamplingPercentage"
            yield Fault(at, "capture is on, and none of the requests is taken", "e.g. 25, or switch it off", placed)


def _instance_counts(at: str, variant: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    serverless, scaling = variant.get("ServerlessConfig"), variant.get("ManagedInstanceScaling")
    if serverless is not None:
        for name in ("InitialInstanceCount", "VolumeSizeInGB", "ManagedInstanceScaling"):
            if variant.get(name) is not None:
                yield Fault(f"{at}/{name}", f"a serverless variant has no {name}", "remove it", placed)
    elif variant.get("InstanceType") is not None and variant.get("InitialInstanceCount") is None and scaling is None:
        message = "the variant has instances, and no InitialInstanceCount"
        yield Fault(f"{at}/InitialInstanceCount", message, "add it", placed)
    low, high = _integer(get(scaling, "MinInstanceCount")), _integer(get(scaling, "MaxInstanceCount"))
    if low is not None and high is not None and low > high:
        where = f"{at}/ManagedInstanceScaling/MaxInstanceCount"
        yield Fault(where, f"MaxInstanceCount {high} is below MinInstanceCount {low}", "swap them", placed)
        return
    count = _integer(variant.get("InitialInstanceCount"))
    if count is None or get(scaling, "Status") == "DISABLED":
        return
    below, above = low is not None and count < low, high is not None and count > high
    if below or above:
        message = f"it starts with {count} instances, and scales to at {f'least {low}' if below else f'most {high}'}"
        where = f"{at}/InitialInstanceCount"
        yield Fault(where, message, "start within the bounds", placed, severity=Severity.WARNING)


@rule(
    "X801",
    "serverless-config",
    Severity.ERROR,
    source="CreateEndpointConfig API: memory in steps of 1 GB; aws-cdk-rfcs#433: asynchronous on instances only",
)
def serverless_config(subject: Subject) -> Iterator[Fault]:
    """Serverless memory is a multiple of 1,024 MB from 1,024 to 6,144; provisioned concurrency is at most
    MaxConcurrency; and a serverless variant does not answer asynchronously.

    Bad:  "MemorySizeInMB": 1500
    Good: "MemorySizeInMB": 2048
    """
    for placed, arguments in subject.of_type("EndpointConfig"):
        for where, item in entries(arguments, "ProductionVariants"):
            here = f"{placed.pointer}/Arguments{where}/ServerlessConfig"
            config = item.get("ServerlessConfig")
            memory = _integer(get(config, "MemorySizeInMB"))
            if memory is not None and memory % 1024:
                yield Fault(f"{here}/MemorySizeInMB", f"{memory} MB is no multiple of 1024", None, placed)
            ceiling = _integer(get(config, "MaxConcurrency"))
            provisioned = _integer(get(config, "ProvisionedConcurrency"))
            if ceiling is not None and provisioned is not None and provisioned > ceiling:
                message = f"{provisioned} is above MaxConcurrency {ceiling}"
                yield Fault(f"{here}/ProvisionedConcurrency", message, "lower it", placed)
            if isinstance(config, Mapping) and arguments.get("AsyncInferenceConfig") is not None:
                message = "a serverless variant does not answer asynchronously"
                help_text = "give it instances, or leave AsyncInferenceConfig out"
                yield Fault(here, message, help_text, placed)


@rule("X802", "deployment", Severity.ERROR, source="CreateEndpoint API: deployment guardrails")
def deployment(subject: Subject) -> Iterator[Fault]:
    """A deployment policy that contradicts itself: blue/green and rolling at once; a canary or linear step that has no
    size or one of more than half of the capacity; a rolling batch outside of 5 to 50 percent; a time limit below the
    waits.

    Bad:  {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 60}}
    Good: {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10}}
    """
    for placed, arguments in subject.of_type("Endpoint"):
        config = arguments.get("DeploymentConfig")
        if not isinstance(config, Mapping):
            continue
        at = f"{placed.pointer}/Arguments/DeploymentConfig"
        if config.get("BlueGreenUpdatePolicy") is not None and config.get("RollingUpdatePolicy") is not None:
            message = "BlueGreenUpdatePolicy and RollingUpdatePolicy exclude each other"
            yield Fault(f"{at}/RollingUpdatePolicy", message, "keep one of them", placed)
        routing = get(config, "BlueGreenUpdatePolicy", "TrafficRoutingConfiguration")
        here = f"{at}/BlueGreenUpdatePolicy/TrafficRoutingConfiguration"
        for kind, name in (("CANARY", "CanarySize"), ("LINEAR", "LinearStepSize")):
            if get(routing, "Type") == kind:
                if get(routing, name) is None:
                    yield Fault(f"{here}/{name}", f"{kind} without {name}", "add it", placed)
                yield from _percent(f"{here}/{name}", get(routing, name), 1 if kind == "CANARY" else 10, placed)
            elif isinstance(get(routing, "Type"), str) and get(routing, name) is not None:
                message = f"{name} is for {kind}, and Type is {get(routing, 'Type')}"
                yield Fault(f"{here}/{name}", message, f"remove it, or write {kind}", placed)
        batch = get(config, "RollingUpdatePolicy", "MaximumBatchSize")
        yield from _percent(f"{at}/RollingUpdatePolicy/MaximumBatchSize", batch, 5, placed)
        rolling = config.get("RollingUpdatePolicy")
        longest, wait = (_integer(get(rolling, name)) for name in ("MaximumExecutionTimeoutInSeconds", _WAIT))
        if longest is not None and wait is not None and longest <= wait:
            where = f"{at}/RollingUpdatePolicy/MaximumExecutionTimeoutInSeconds"
            yield Fault(where, f"{longest} s, one wait alone takes {wait} s", "raise it", placed)
        limit = _integer(get(config, "BlueGreenUpdatePolicy", "MaximumExecutionTimeoutInSeconds"))
        termination = _integer(get(config, "BlueGreenUpdatePolicy", "TerminationWaitInSeconds")) or 0
        interval = _integer(get(routing, _WAIT)) or 0
        if limit is not None and limit <= termination + interval:
            where = f"{at}/BlueGreenUpdatePolicy/MaximumExecutionTimeoutInSeconds"
            yield Fault(where, f"{limit} s, the waits alone take {termination + interval} s", "raise it", placed)


def _percent(at: str, size: Value, low: int, placed: Placed) -> Iterator[Fault]:
    value = _integer(get(size, "Value"))
    if get(size, "Type") == "CAPACITY_PERCENT" and value is not None and not low <= value <= 50:
        yield Fault(f"{at}/Value", f"{value} percent is not within {low} and 50", None, placed)


@rule(
    "X803",
    "inference-component",
    Severity.ERROR,
    source="CreateInferenceComponent API; 'copy count an integer larger than 0' (stdapi-ai/stdapi.ai#43)",
)
def inference_component(subject: Subject) -> Iterator[Fault]:
    """An inference component has one Specification, or Specifications; a variant to be on, and compute of its own
    unless it is an adapter of another component; a model or a container; its memory limits stand the right way
    round; and it begins with a copy: to none it can only be scaled.

    Bad:  {"MinMemoryRequiredInMb": 4096, "MaxMemoryRequiredInMb": 2048}
    Good: {"MinMemoryRequiredInMb": 2048, "MaxMemoryRequiredInMb": 4096}
    """
    for placed, arguments in subject.of_type("InferenceComponent"):
        at = f"{placed.pointer}/Arguments"
        given = [name for name in ("Specification", "Specifications") if arguments.get(name) is not None]
        if len(given) == 2:
            message = "Specification and Specifications exclude each other"
            yield Fault(f"{at}/Specifications", message, "keep one of them", placed)
        elif not given:
            yield Fault(f"{at}/Specification", "the component has no Specification", "add it", placed)
        specification = arguments.get("Specification")
        if isinstance(specification, Mapping):
            adapter = specification.get("BaseInferenceComponentName") is not None
            if not adapter and arguments.get("VariantName") is None:
                yield Fault(f"{at}/VariantName", "the component names no variant to be on", "add VariantName", placed)
            where = f"{at}/Specification/ComputeResourceRequirements"
            if not adapter and specification.get("ComputeResourceRequirements") is None:
                yield Fault(where, "the component says not what it needs", "add MinMemoryRequiredInMb", placed)
            if adapter and specification.get("ComputeResourceRequirements") is not None:
                yield Fault(where, "an adapter uses what its base component has", "remove it", placed)
        for where, item in (("/Specification", specification), *entries(arguments, "Specifications")):
            if isinstance(item, Mapping):
                yield from _runs(f"{at}{where}", item, placed)
        needs = get(arguments, "Specification", "ComputeResourceRequirements")
        low, high = _integer(get(needs, "MinMemoryRequiredInMb")), _integer(get(needs, "MaxMemoryRequiredInMb"))
        if low is not None and high is not None and low > high:
            where = f"{at}/Specification/ComputeResourceRequirements/MaxMemoryRequiredInMb"
            yield Fault(where, f"at most {high} MB, at least {low} MB", "swap them", placed)
        if _integer(get(arguments, "RuntimeConfig", "CopyCount")) == 0:
            message = "a component is made with a copy count larger than 0"
            help_text = "write 1, and scale it down once it is there"
            yield Fault(f"{at}/RuntimeConfig/CopyCount", message, help_text, placed)


def _runs(at: str, specification: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    """A model that is there, a container, or what a base component has: one of them."""
    given = [name for name in ("ModelName", "Container") if specification.get(name) is not None]
    adapter = specification.get("BaseInferenceComponentName") is not None
    if len(given) == 2:
        message = "ModelName and Container exclude each other: a model has its containers"
        yield Fault(f"{at}/Container", message, "keep one of them", placed)
    elif adapter and specification.get("ModelName") is not None:
        message = "an adapter is given by the Container with its artifacts, not by a model"
        yield Fault(f"{at}/ModelName", message, "write Container with ArtifactUrl", placed)
    elif not given and not adapter:
        yield Fault(f"{at}/ModelName", "nothing says what the component runs", "add ModelName or Container", placed)
    container = specification.get("Container")
    if isinstance(container, Mapping) and container.get("Image") is None and not adapter:
        yield Fault(f"{at}/Container/Image", "the container has no Image", "add the serving image", placed)


@rule("X804", "endpoint-key-on-local-storage", Severity.ERROR, source="CreateEndpointConfig API: KmsKeyId")
def endpoint_key_on_local_storage(subject: Subject) -> Iterator[Fault]:
    """KmsKeyId with a variant on instances that have their own disks, which cannot be encrypted with that key.

    Bad:  "KmsKeyId": "alias/ml" with "InstanceType": "ml.g5.xlarge"
    Good: "KmsKeyId": "alias/ml" with "InstanceType": "ml.m5.large"
    """
    for placed, arguments in subject.of_type("EndpointConfig"):
        if arguments.get("KmsKeyId") is None:
            continue
        for _, item in entries(arguments, "ProductionVariants"):
            kind = literal(subject, item.get("InstanceType"))
            if isinstance(kind, str) and instances.has_local_storage(kind):
                message = f"{kind} has local disks, KmsKeyId cannot encrypt them"
                yield Fault(f"{placed.pointer}/Arguments/KmsKeyId", message, "remove it", placed)
                break


@rule("X805", "no-traffic", Severity.WARNING, source="CreateEndpointConfig API: InitialVariantWeight is a share")
def no_traffic(subject: Subject) -> Iterator[Fault]:
    """All variants of an endpoint have the weight 0, so none of them gets a request.

    Bad:  "InitialVariantWeight": 0 in every variant
    Good: "InitialVariantWeight": 1 in one of them
    """
    for placed, arguments in subject.of_type("EndpointConfig"):
        weights = [item.get("InitialVariantWeight") for _, item in entries(arguments, "ProductionVariants")]
        if weights and all(weight == 0 and not isinstance(weight, bool) for weight in weights):
            at = f"{placed.pointer}/Arguments/ProductionVariants/0/InitialVariantWeight"
            yield Fault(at, "every variant has the weight 0", "give one of them more", placed)


@rule("X806", "unknown-variant", Severity.ERROR, source="CreateInferenceComponent API: an existing production variant")
def unknown_variant(subject: Subject) -> Iterator[Fault]:
    """An inference component is put on a variant that the endpoint, which this pipeline makes, does not have.

    Bad:  "VariantName": "Purple" with ProductionVariants "Blue" and "Green"
    Good: "VariantName": "Blue"
    """
    for placed, arguments in subject.of_type("InferenceComponent"):
        wanted = arguments.get("VariantName")
        endpoint = _made_by(subject, arguments.get("EndpointName"), "Endpoint")
        named = get(endpoint.step.arguments, "EndpointConfigName") if endpoint else None
        config = _made_by(subject, named, "EndpointConfig")
        if config is None or not isinstance(wanted, str):
            continue
        listed = list(entries(config.step.arguments, "ProductionVariants"))
        names = [item.get("VariantName") for _, item in listed]
        known = [name for name in names if isinstance(name, str)]
        if known and len(known) == len(names) and wanted not in known:
            at = f"{placed.pointer}/Arguments/VariantName"
            message = f"{config.step.name!r} has no variant {wanted!r}"
            yield Fault(at, message, did_you_mean(wanted, known), placed)


def _made_by(subject: Subject, value: Value, kind: str) -> Placed | None:
    """The step of this type whose name a value reads."""
    path = value.path if isinstance(value, Ref) else None
    placed = subject.by_name.get(path.name) if path is not None and path.root == "Steps" else None
    return placed if placed is not None and placed.step.type == kind else None
