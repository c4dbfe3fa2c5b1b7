"""Endpoint: serve models.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="Endpoint",
    request="CreateEndpointInput",
    omits=frozenset({"EndpointName"}),
    response="DescribeEndpointOutput",
    envelope=frozenset({"CacheConfig"}),
    states_resource="arn:aws:states:::sagemaker:createEndpoint",
)
