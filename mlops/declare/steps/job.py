"""Job: one of SageMaker's jobs that are described by a document.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="Job",
    request="CreateJobRequest",
    omits=frozenset({"JobName"}),
    response="DescribeJobResponse",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
)
