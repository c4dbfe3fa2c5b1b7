"""QualityCheck: compare data or a model with a baseline.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="QualityCheck",
    request="CreateProcessingJobRequest",
    omits=frozenset({"ProcessingJobName"}),
    extra_response={
        "CalculatedBaselineConstraints": None,
        "CalculatedBaselineStatistics": None,
        "BaselineUsedForDriftCheckConstraints": None,
        "BaselineUsedForDriftCheckStatistics": None,
    },
    envelope=frozenset(
        {
            "CacheConfig",
            "CheckType",
            "FailOnViolation",
            "ModelPackageGroupName",
            "RegisterNewBaseline",
            "SkipCheck",
            "SuppliedBaselineConstraints",
            "SuppliedBaselineStatistics",
        }
    ),
)
