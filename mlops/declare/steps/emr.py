"""EMR: a step on a cluster, an existing one or one made for it.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="EMR",
    service="emr",
    response="Step",
    extra_response={"ClusterId": None},
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=("ClusterId", "StepConfig"),
)
