"""EMRServerless: a job run of EMR Serverless.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="EMRServerless",
    service="emr-serverless",
    response="JobRun",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
)
