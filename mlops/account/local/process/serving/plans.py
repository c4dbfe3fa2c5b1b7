"""A configuration of the store, as the servers that it asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mlops.account.local.process.serving.happenings import Read, Variant, component_key
from mlops.account.local.services.sagemaker import deployments, endpoints, models
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass
from mlops.run.ports import ObjectMissing
from mlops.run.serving.model_server import STARTUP_SECONDS, threads_of, workers_of


@dataclass(frozen=True, slots=True)
class Plan:
    """``model`` is a DescribeModel reply; ``told`` what DescribeEndpoint tells of the variant; ``memory``
    the bytes that a serverless one is given; ``hostnames``
    those of its containers, where each is invoked for itself (Mode Direct). ``caches``: models of a MultiModel
    container stay loaded (ModelCacheSetting)."""

    variant: Variant
    model: Mapping[str, Any]
    slots: int
    told: Mapping[str, Any]
    memory: int | None = None
    hostnames: tuple[str, ...] = ()
    caches: bool = True

    @property
    def network(self) -> bool:
        return not self.model["EnableNetworkIsolation"]

    def of_model(self, target: str) -> Plan:
        """Of one of the models that a MultiModel container hosts: ``target`` is below its ModelDataUrl. Raises
        ObjectMissing for a name that leads elsewhere."""
        (container,) = models.listed(self.model)
        prefix = models.data_of(container)
        uri = f"{prefix.rstrip('/')}/{target.lstrip('/')}"
        if ".." in target.split("/"):
            raise ObjectMissing(f"{uri} is not below {prefix}")
        environment = {**(container.get("Environment") or {}), "SAGEMAKER_MULTI_MODEL": "true"}
        kept = {name: value for name, value in container.items() if name not in ("ModelDataSource", "MultiModelConfig")}
        single = {**kept, "Mode": "SingleModel", "ModelDataUrl": uri, "Environment": environment}
        model = {name: value for name, value in self.model.items() if name != "Containers"}
        return replace(self, variant=replace(self.variant, workers=1), model={**model, "PrimaryContainer": single})


def read(state: State, name: str, fleet: int, body: Mapping[str, Any]) -> tuple[Read, Mapping[str, Any], list[Plan]]:
    """With the configuration itself. ``body`` is the endpoint's. Raises Refusal."""
    config = endpoints.config(state, name)
    plans = [_plan(state, variant, shadow=False) for variant in config["ProductionVariants"]]
    plans += [_plan(state, variant, shadow=True) for variant in config.get("ShadowProductionVariants") or ()]
    retained = body.get("Retained") or {}
    variants = tuple(plan.variant for plan in plans)
    policy = deployments.policy_of((body.get("Deployment") or {}).get("Policy"))
    counts, weights = retained.get("Counts") or {}, retained.get("Weights") or {}
    return Read(fleet, variants, weights, counts, policy), config, plans


def read_component(state: State, fleet: int, body: Mapping[str, Any]) -> tuple[Read, Plan]:
    """What is pending of an inference component. Raises Refusal."""
    specification, pending = body["Pending"]["Specification"], body["Pending"]
    container = specification.get("Container")
    if container is None:
        model = models.describe_model(state, {"ModelName": specification["ModelName"]})
        containers = models.containers(state, specification["ModelName"])
    else:
        config = endpoints.config_of(state, body["EndpointName"]) or {}
        given = {"Image": container["Image"], "Environment": container.get("Environment") or {}}
        if container.get("ArtifactUrl"):
            given["ModelDataUrl"] = container["ArtifactUrl"]
        containers = [given]
        model = {"PrimaryContainer": given, "EnableNetworkIsolation": bool(config.get("EnableNetworkIsolation"))}
    environments = [container.get("Environment") or {} for container in containers]
    start, needs = (specification.get(name) or {} for name in ("StartupParameters", "ComputeResourceRequirements"))
    variant = Variant(
        component_key(body["InferenceComponentName"]),
        1.0,
        body["CopyCount"],
        workers=_most(map(workers_of, environments)),
        startup_seconds=start.get("ContainerStartupHealthCheckTimeoutInSeconds") or STARTUP_SECONDS,
        may_be_none=True,
    )
    most = needs.get("MaxMemoryRequiredInMb")
    memory, told = most * 1024 * 1024 if most else None, {"VariantName": body["VariantName"]}
    plan = Plan(variant, model, sum(map(threads_of, environments)), told, memory)
    return Read(fleet, (variant,), policy=deployments.policy_of(pending.get("Policy"))), plan


def _plan(state: State, wanted: Mapping[str, Any], *, shadow: bool) -> Plan:
    if not wanted.get("ModelName"):
        return _hosting(wanted)
    containers = models.containers(state, wanted["ModelName"])
    environments = [container.get("Environment") or {} for container in containers]
    serverless = wanted.get("ServerlessConfig")
    count = wanted.get("InitialInstanceCount") or 1
    variant = Variant(
        name=wanted["VariantName"],
        weight=wanted["InitialVariantWeight"],
        count=count,
        workers=_most(map(workers_of, environments)),
        startup_seconds=wanted.get("ContainerStartupHealthCheckTimeoutInSeconds") or STARTUP_SECONDS,
        shadow=shadow,
        most=serverless["MaxConcurrency"] if serverless else None,
        models=any(container.get("Mode") == models.MULTI_MODEL for container in containers),
    )
    told = {
        "VariantName": variant.name,
        "Images": [container["Image"] for container in containers if container.get("Image")],
        "Weight": variant.weight,
        "Count": count,
        "ServerlessConfig": serverless,
    }
    memory = serverless["MemorySizeInMB"] * 1024 * 1024 if serverless else None
    model = models.describe_model(state, {"ModelName": wanted["ModelName"]})
    direct = len(containers) > 1 and (model.get("InferenceExecutionConfig") or {}).get("Mode") == models.DIRECT
    hostnames = tuple(container["ContainerHostname"] for container in containers) if direct else ()
    settings = [(container.get("MultiModelConfig") or {}).get("ModelCacheSetting") for container in containers]
    caches = "Disabled" not in settings
    return Plan(variant, model, sum(map(threads_of, environments)), told, memory, hostnames, caches)


def _hosting(wanted: Mapping[str, Any]) -> Plan:
    """Of a variant that is there for inference components."""
    name, weight, count = wanted["VariantName"], wanted["InitialVariantWeight"], wanted.get("InitialInstanceCount") or 1
    told = {"VariantName": name, "Images": [], "Weight": weight, "Count": count, "ServerlessConfig": None}
    return Plan(Variant(name, weight, count, hosts=True), {}, 0, told)


def _most(numbers: Iterable[int]) -> int:
    return max(numbers, default=1)
