"""A service that shifts at once, and can be stopped before and after any call: what a controller is held against."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
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
    hook: Hook = lambda when, operation: None
    calls: list[str] = field(default_factory=list)
    failure: str | None = None

    def __post_init__(self) -> None:
        self.configs[self.serving.config] = {
            "ProductionVariants": [variant.as_request() for variant in self.serving.variants]
        }

    # As an account.

    region = "eu-west-1"
    events = None

    def client(self, service: str) -> Service:
        return self

    # SageMaker.

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        return {
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
        self._write("update_endpoint", lambda: self._update(EndpointConfigName, keep))

    def _update(self, name: str, keep: bool) -> None:
        if name not in self.configs:
            raise refused("UpdateEndpoint", "ValidationException", "Could not find endpoint configuration")
        live = {item.name: item for item in self.serving.variants} if keep else {}
        wanted = self.configs[name]["ProductionVariants"]
        if any(item["ModelName"] in self.broken for item in wanted):
            self.failure = "the model does not start"
            return
        self.failure = None
        self.serving = Serving(
            name,
            tuple(
                Variant(
                    item["VariantName"],
                    item,
                    live[item["VariantName"]].weight if item["VariantName"] in live else item["InitialVariantWeight"],
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

    def describe_alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        found = [{"AlarmName": name, "StateValue": self.alarms[name]} for name in AlarmNames if name in self.alarms]
        return {"MetricAlarms": found, "CompositeAlarms": []}

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

    def get_paginator(self, operation: str) -> Service:
        return self

    def describe_model_package_group(self, ModelPackageGroupName: str) -> None:
        raise refused("DescribeModelPackageGroup", "ValidationException", "ModelPackageGroup does not exist")

    def paginate(self, Bucket: str = "", Prefix: str = "") -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}]

    # Who we are.

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ada"}

    def _write(self, operation: str, write: Callable[[], None]) -> None:
        self.hook("before", operation)
        self.calls.append(operation)
        write()
        self.hook("after", operation)


def etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
