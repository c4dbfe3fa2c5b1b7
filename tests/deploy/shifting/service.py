"""A service that shifts at once, and can be stopped before and after any call: what a controller is held against."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError

from mlops.ir.shift import Serving, Variant

Hook = Callable[[str, str], None]
"""Hears ``before`` or ``after`` and the operation of each call that writes."""


def refused(operation: str, code: str, said: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": said}}, operation)


@dataclass
class Service:
    """One endpoint, its configurations, one bucket. A configuration whose model is in ``broken`` does not come up."""

    serving: Serving
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    alarms: dict[str, str] = field(default_factory=dict)
    watched: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Variants that an alarm names."""
    hook: Hook = lambda when, operation: None
    calls: list[str] = field(default_factory=list)
    failure: str | None = None
    reason: str = "the model does not start"
    """Of what is broken."""
    page: int = 100
    """How many alarms one answer has."""
    scaled: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Scalable targets by their variant, with their ``policies`` and ``actions`` by name."""

    def __post_init__(self) -> None:
        self.configs[self.serving.config] = {
            "ProductionVariants": [variant.as_request() for variant in self.serving.variants]
        }

    # As an account.

    region = "eu-west-1"
    events = None
    here = None

    def client(self, service: str) -> Service:
        return self

    # SageMaker.

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        return {
            "EndpointArn": "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/churn",
            "EndpointStatus": "InService",
            "EndpointConfigName": self.serving.config,
            "FailureReason": self.failure,
            "ProductionVariants": [
                {
                    "VariantName": item.name,
                    "DesiredWeight": item.weight,
                    "CurrentWeight": item.weight,
                    "DesiredInstanceCount": item.count,
                    "CurrentInstanceCount": item.count,
                }
                for item in self.serving.variants
            ],
        }

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        if EndpointConfigName not in self.configs:
            raise refused("DescribeEndpointConfig", "ValidationException", "Could not find endpoint configuration")
        return {"EndpointConfigName": EndpointConfigName, **self.configs[EndpointConfigName]}

    def create_endpoint_config(self, EndpointConfigName: str, **request: Any) -> None:
        self._write("create_endpoint_config", lambda: self._create(EndpointConfigName, request))

    def _create(self, name: str, request: dict[str, Any]) -> None:
        if name in self.configs:
            raise refused("CreateEndpointConfig", "ValidationException", "it is there already")
        self.configs[name] = request

    def update_endpoint(self, EndpointName: str, EndpointConfigName: str, **more: Any) -> None:
        keep = bool(more.get("RetainAllVariantProperties"))
        anew = frozenset(item["VariantPropertyType"] for item in more.get("ExcludeRetainedVariantProperties", ()))
        assert keep or not anew, "what is kept has exceptions where something is kept"
        self._write("update_endpoint", lambda: self._update(EndpointConfigName, keep, anew))

    def _update(self, name: str, keep: bool, anew: frozenset[str] = frozenset()) -> None:
        if name not in self.configs:
            raise refused("UpdateEndpoint", "ValidationException", "Could not find endpoint configuration")
        live = {item.name: item for item in self.serving.variants} if keep else {}
        wanted = self.configs[name]["ProductionVariants"]
        types = {item["VariantName"]: item.get("InstanceType") for item in wanted}
        for item in self.serving.variants:
            if item.name in self.scaled and types.get(item.name) != item.request.get("InstanceType"):
                raise refused("UpdateEndpoint", "ValidationException", f"{item.name} must be deregistered before")
        if any(item["ModelName"] in self.broken for item in wanted):
            self.failure = self.reason
            return
        self.failure = None
        self.serving = Serving(
            name,
            tuple(
                Variant(
                    item["VariantName"],
                    item,
                    live[item["VariantName"]].weight
                    if item["VariantName"] in live and "DesiredWeight" not in anew
                    else item["InitialVariantWeight"],
                    live[item["VariantName"]].count if item["VariantName"] in live else item["InitialInstanceCount"],
                )
                for item in wanted
            ),
        )
        self._stands()

    def update_endpoint_weights_and_capacities(
        self, EndpointName: str, DesiredWeightsAndCapacities: list[Mapping[str, Any]]
    ) -> None:
        self._write("update_weights", lambda: self._change(DesiredWeightsAndCapacities))

    def _change(self, wanted: list[Mapping[str, Any]]) -> None:
        names = set(self.serving.names)
        if any(item["VariantName"] not in names for item in wanted):
            raise refused("UpdateEndpointWeightsAndCapacities", "ValidationException", "there is no such variant")
        by_name = {item["VariantName"]: item for item in wanted}
        self.serving = Serving(
            self.serving.config,
            tuple(
                Variant(
                    item.name,
                    item.request,
                    by_name.get(item.name, {}).get("DesiredWeight", item.weight),
                    by_name.get(item.name, {}).get("DesiredInstanceCount", item.count),
                )
                for item in self.serving.variants
            ),
        )
        self._stands()

    def _stands(self) -> None:
        """What is never so, whatever happens to whom."""
        assert sum(item.weight for item in self.serving.variants) > 0, "traffic goes to nothing"
        assert all(item.count is None or item.count > 0 for item in self.serving.variants)

    # CloudWatch.

    def _alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> list[dict[str, Any]]:
        found = [
            {
                "AlarmName": name,
                "StateValue": self.alarms[name],
                "Dimensions": [{"Name": "VariantName", "Value": value} for value in self.watched.get(name, ())],
            }
            for name in AlarmNames
            if name in self.alarms
        ]
        return paged("MetricAlarms", found, self.page)

    # S3.

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise refused("GetObject", "NoSuchKey", "there is none")
        body = self.objects[Key]
        return {"Body": BytesIO(body), "ETag": etag(body), "LastModified": datetime.now(UTC)}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **more: Any) -> dict[str, Any]:
        def write() -> None:
            now = etag(self.objects[Key]) if Key in self.objects else None
            if now != more.get("IfMatch"):
                raise refused("PutObject", "PreconditionFailed", "somebody else was faster")
            self.objects[Key] = Body

        self._write("put_object", write)
        return {"ETag": etag(Body)}

    def get_paginator(self, operation: str) -> Pages:
        asked: dict[str, Callable[..., Any]] = {
            "describe_alarms": self._alarms,
            "list_objects_v2": self._objects,
            "list_model_package_groups": dict,
            "list_tags": lambda ResourceArn: {"Tags": []},
            "describe_scalable_targets": self._targets,
            "describe_scaling_policies": lambda **of: {"ScalingPolicies": self._of(of, "policies")},
            "describe_scheduled_actions": lambda **of: {"ScheduledActions": self._of(of, "actions")},
        }
        return Pages(asked[operation])

    def describe_model_package_group(self, ModelPackageGroupName: str) -> None:
        raise refused("DescribeModelPackageGroup", "ValidationException", "ModelPackageGroup does not exist")

    def _objects(self, Bucket: str, Prefix: str) -> dict[str, Any]:
        return {"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}

    # Application Auto Scaling.

    def register_scalable_target(self, ResourceId: str, **request: Any) -> None:
        self._write("register_scalable_target", lambda: self._register(ResourceId.rpartition("/")[2], request))

    def _register(self, variant: str, request: dict[str, Any]) -> None:
        if variant not in self.serving.names:
            raise refused("RegisterScalableTarget", "ValidationException", f"there is no variant {variant}")
        target = self.scaled.get(variant)
        if target is None and "MinCapacity" not in request:
            raise refused("RegisterScalableTarget", "ValidationException", "MinCapacity is required")
        kept = target or {"policies": {}, "actions": {}}
        self.scaled[variant] = {**kept, **request}

    def deregister_scalable_target(self, ResourceId: str, **request: Any) -> dict[str, Any]:
        self._write("deregister_scalable_target", lambda: self._deregister(ResourceId.rpartition("/")[2]))
        return {}

    def _deregister(self, variant: str) -> None:
        if variant not in self.scaled:
            raise refused("DeregisterScalableTarget", "ObjectNotFoundException", "No scalable target found")
        del self.scaled[variant]

    def put_scaling_policy(self, ResourceId: str, PolicyName: str, **request: Any) -> None:
        self._hang("put_scaling_policy", ResourceId, "policies", PolicyName, {"PolicyName": PolicyName, **request})

    def put_scheduled_action(self, ResourceId: str, ScheduledActionName: str, **request: Any) -> None:
        action = {"ScheduledActionName": ScheduledActionName, **request}
        self._hang("put_scheduled_action", ResourceId, "actions", ScheduledActionName, action)

    def _hang(self, operation: str, resource: str, kind: str, name: str, what: dict[str, Any]) -> None:
        def write() -> None:
            variant = resource.rpartition("/")[2]
            if variant not in self.scaled:
                raise refused(operation, "ObjectNotFoundException", "No scalable target registered")
            self.scaled[variant][kind][name] = what

        self._write(operation, write)

    def _targets(self, ServiceNamespace: str, ResourceIds: list[str]) -> dict[str, Any]:
        named = {resource.rpartition("/")[2]: resource for resource in ResourceIds}
        found = [
            {"ServiceNamespace": ServiceNamespace, "ResourceId": named[variant], **target}
            for variant, target in self.scaled.items()
            if variant in named
        ]
        return {"ScalableTargets": found}

    def _of(self, of: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
        return list(self.scaled[of["ResourceId"].rpartition("/")[2]][kind].values())

    # Who we are.

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ada"}

    def _write(self, operation: str, write: Callable[[], None]) -> None:
        self.hook("before", operation)
        self.calls.append(operation)
        write()
        self.hook("after", operation)


@dataclass(frozen=True)
class Pages:
    """Of an answer, or of all that there are."""

    ask: Callable[..., Any]

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        found = self.ask(**request)
        return found if isinstance(found, list) else [found]


def paged(member: str, found: Sequence[Any], size: int) -> list[dict[str, Any]]:
    return [{member: list(found[first : first + size])} for first in range(0, len(found), size)] or [{member: []}]


def etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
