"""ClarifyCheck: look for bias, or explain a model.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="ClarifyCheck",
    request="CreateProcessingJobRequest",
    omits=frozenset({"ProcessingJobName"}),
    extra_response={"CalculatedBaselineConstraints": None, "BaselineUsedForDriftCheckConstraints": None},
    envelope=frozenset(
        {
            "CacheConfig",
            "CheckType",
            "FailOnViolation",
            "ModelPackageGroupName",
            "RegisterNewBaseline",
            "SkipCheck",
            "SuppliedBaselineConstraints",
            "ModelName",
        }
    ),
)
