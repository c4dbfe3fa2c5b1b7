"""An endpoint configuration: which models are served, on what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.declare.records import record
from mlops.declare.references import ModelNameReference, StringProperty
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps import endpoint_config as step
from mlops.declare.steps.endpoint_config import Capture, Serverless, Variant
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir.fields import COUNT, REQUIRED, STRING, TEXT, Constructor, Field, Record, Yielded, made

__all__ = ["Asynchronous", "Capture", "EndpointConfig", "Serverless", "Variant"]

STEP_TYPE = step.STEP_TYPE


@record
class Asynchronous:
    """Requests are taken from S3, and answers written below ``to``; what failed below ``failures``. ``success`` and
    ``error`` are topics that are told; ``concurrency`` is how many requests an instance is sent at once."""

    to: Text
    failures: Text | None = None
    success: Text | None = None
    error: Text | None = None
    concurrency: Count | None = None
    kms_key: Text | None = None


ASYNCHRONOUS = Record(
    Asynchronous,
    (
        Field("concurrency", "ClientConfig.MaxConcurrentInvocationsPerInstance", COUNT),
        Field("kms_key", "OutputConfig.KmsKeyId", TEXT, otherwise="kms_key"),
        Field("to", "OutputConfig.S3OutputPath", TEXT, REQUIRED),
        Field("success", "OutputConfig.NotificationConfig.SuccessTopic", TEXT),
        Field("error", "OutputConfig.NotificationConfig.ErrorTopic", TEXT),
        Field("failures", "OutputConfig.S3FailurePath", TEXT),
    ),
)


class EndpointConfig(DeclaredResource):
    """One ``model`` on ``count`` machines (or ``serverless``), or several ``variants`` by name.

    ``shadow`` variants get a copy of the traffic and nobody their answers. ``capture`` keeps requests and answers;
    ``asynchronous`` takes requests from S3. ``kms_key`` is the environment's where none is given. The rest is as for
    the step of that name.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        (
            *(field for field in step.FIELDS if field.name not in ("config", "kms_key") and field.path != "Tags"),
            Field("asynchronous", "AsyncInferenceConfig", made(ASYNCHRONOUS)),
            Field("kms_key", "KmsKeyId", TEXT, otherwise="kms_key"),
        ),
        yields={"EndpointConfigName": Yielded("config_name", STRING)},
    )

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
        asynchronous: Asynchronous | None = None,
        role: Text | None = None,
        kms_key: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        found = step.variants_of(self, model, instance, count, serverless, variants)
        self.variants = found
        self.shadow = dict(shadow or {})
        self.capture = capture
        self.asynchronous = asynchronous
        self.role = role
        self.kms_key = kms_key

    @property
    def config_name(self) -> StringProperty:
        """Its name in the account, for an Endpoint."""
        return StringProperty(self.name, "EndpointConfigName")
