"""EndpointConfig: which models an endpoint serves, on what.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="EndpointConfig",
    request="CreateEndpointConfigInput",
    omits=frozenset({"EndpointConfigName"}),
    response="DescribeEndpointConfigOutput",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    states_resource="arn:aws:states:::sagemaker:createEndpointConfig",
)
