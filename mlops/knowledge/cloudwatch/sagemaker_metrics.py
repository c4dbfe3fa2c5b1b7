"""The metrics that SageMaker publishes of endpoints, by namespace, and what their values are.

Source: developer guide, monitoring-cloudwatch, async-inference-monitor and serverless-endpoints-monitoring. A metric
that is not here may be newer; one that is nearly called so is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Mapping

INVOCATIONS, MACHINES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"

METRICS: Mapping[str, tuple[str, ...]] = {
    INVOCATIONS: (
        "Invocations", "InvocationsPerInstance", "InvocationsPerCopy", "Invocation4XXErrors", "Invocation5XXErrors",
        "InvocationModelErrors", "ModelLatency", "OverheadLatency", "ModelSetupTime", "ContainerLatency",
        "MidStreamErrors", "FirstChunkLatency", "FirstChunkModelLatency", "FirstChunkOverheadLatency",
        "ConcurrentRequestsPerModel", "ConcurrentRequestsPerCopy", "NoCapacityInvocationFailures",
        "ModelLoadingWaitTime", "ModelUnloadingTime", "ModelDownloadingTime", "ModelLoadingTime", "ModelCacheHit",
        "ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "ApproximateAgeOfOldestRequest",
        "HasBacklogWithoutCapacity", "InvocationsProcessed", "InvocationFailures", "ExpiredRequests", "TimeInBacklog",
        "TotalProcessingTime", "TimeToProcess", "TimeToDownload", "TimeToUpload", "SNSSuccesses", "SNSFailures",
        "ServerlessProvisionedConcurrencyExecutions", "ServerlessProvisionedConcurrencyUtilization",
        "ServerlessProvisionedConcurrencyInvocations", "ServerlessProvisionedConcurrencySpilloverInvocations",
    ),
    MACHINES: (
        "CPUUtilization", "CPUUtilizationNormalized", "CPUReservation", "MemoryUtilization", "MemoryReservation",
        "GPUUtilization", "GPUUtilizationNormalized", "GPUReservation", "GPUMemoryUtilization",
        "GPUMemoryUtilizationNormalized", "DiskUtilization", "LoadedModelCount",
    ),
}  # fmt: skip

MICROSECONDS = frozenset({
    "ModelLatency", "OverheadLatency", "ModelSetupTime", "ContainerLatency", "FirstChunkLatency",
    "FirstChunkModelLatency", "FirstChunkOverheadLatency", "ModelLoadingWaitTime", "ModelUnloadingTime",
    "ModelDownloadingTime", "ModelLoadingTime",
})  # fmt: skip
PERCENT = frozenset(name for name in METRICS[MACHINES] if "Utilization" in name)

ALWAYS_ONE = frozenset({"Invocations"})
"""A 1 for each request, and nothing where there is none: their sum and their number alone say something."""
