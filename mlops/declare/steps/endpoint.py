"""Endpoint: serve models."""

from __future__ import annotations

from typing_extensions import Unpack

from mlops.declare.references import StringProperty
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import Awaited, StepType
from mlops.ir.fields import REQUIRED, STRING, TAGS, TEXT, Constructor, Field, Yielded

__all__ = ["Endpoint"]

STEP_TYPE = StepType(
    type="Endpoint",
    request="CreateEndpointInput",
    omits=frozenset({"EndpointName"}),
    response="DescribeEndpointOutput",
    envelope=frozenset({"CacheConfig"}),
    # The optimised integration takes fewer members (guide: connect-sagemaker).
    states_resource="arn:aws:states:::aws-sdk:sagemaker:createEndpoint",
    awaited=Awaited(
        "describeEndpoint",
        "EndpointName",
        "EndpointStatus",
        ("InService",),
        ("Creating", "Updating", "SystemUpdating", "RollingBack"),
        same=("EndpointConfigName",),
    ),
    action="endpoint",
    permissions=("sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpoint"),
)


class Endpoint(Step):
    """Serves the configuration named ``config`` (``configure.config_name``). ``endpoint`` is the endpoint's own name;
    where one of that name exists the service updates it, without a name it makes one up."""

    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("endpoint", "EndpointName", TEXT),
            Field("config", "EndpointConfigName", TEXT, REQUIRED),
            Field("", "Tags", TAGS),
        ),
        yields={
            "EndpointName": Yielded("endpoint_name", STRING),
            "EndpointArn": Yielded("endpoint_arn", STRING),
        },
    )

    def __init__(
        self,
        name: str,
        *,
        config: Text,
        endpoint: Text | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.config = config
        self.endpoint = endpoint

    @property
    def endpoint_name(self) -> StringProperty:
        """The endpoint's name, for an InferenceComponent or whoever calls it."""
        return StringProperty(self.name, "EndpointName")

    @property
    def endpoint_arn(self) -> StringProperty:
        return StringProperty(self.name, "EndpointArn")
