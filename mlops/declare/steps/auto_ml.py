"""AutoML: let SageMaker find a model by itself.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="AutoML",
    request="CreateAutoMLJobRequest",
    omits=frozenset({"AutoMLJobName", "GenerateCandidateDefinitionsOnly", "ModelDeployConfig"}),
    response="DescribeAutoMLJobResponse",
    extra_response={
        "BestCandidateProperties.ModelInsightsJsonReportPath": None,
        "BestCandidateProperties.ExplainabilityJsonReportPath": None,
    },
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=(
        "AutoMLJobConfig.CompletionCriteria",
        "AutoMLJobConfig.CandidateGenerationConfig",
        "AutoMLJobConfig.DataSplitConfig",
        "AutoMLJobConfig.Mode",
        "AutoMLJobObjective",
        "InputDataConfig",
        "ProblemType",
    ),
)
