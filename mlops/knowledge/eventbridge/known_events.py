"""Events of SageMaker and S3 that pipelines are started by: the members of their details, and what some of these can
be.

Source: developer guide, automating-sagemaker-with-eventbridge; S3 user guide, EventBridge.
"""

from __future__ import annotations

from collections.abc import Mapping

EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"
PACKAGE = "SageMaker Model Package State Change"
ENDPOINT = "SageMaker Endpoint State Change"
CREATED = "Object Created"

DETAILS: Mapping[str, frozenset[str]] = {
    EXECUTION: frozenset({
        "pipelineArn", "pipelineExecutionArn", "currentPipelineExecutionStatus", "previousPipelineExecutionStatus",
        "executionStartTime", "executionEndTime", "pipelineExecutionDisplayName", "pipelineExecutionDescription",
    }),
    STEP: frozenset({
        "pipelineArn", "pipelineExecutionArn", "stepName", "stepType", "currentStepStatus", "previousStepStatus",
        "stepStartTime", "stepEndTime", "failureReason", "cacheHitResult", "metadata",
    }),
    CREATED: frozenset({
        "version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason",
        "deletion-type", "destination-storage-class",
    }),
}  # fmt: skip
"""Of the others members may be missing here."""
OBJECT = frozenset({"key", "size", "etag", "version-id", "sequencer"})
VALUES: Mapping[tuple[str, str], frozenset[str]] = {
    (ENDPOINT, "EndpointStatus"): frozenset({
        "CREATING", "UPDATING", "SYSTEM_UPDATING", "ROLLING_BACK", "IN_SERVICE", "OUT_OF_SERVICE", "DELETING", "FAILED",
        "UPDATE_ROLLBACK_FAILED",
    }),
    (EXECUTION, "currentPipelineExecutionStatus"): frozenset({
        "Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures",
    }),
    (PACKAGE, "ModelApprovalStatus"): frozenset({"Approved", "Rejected", "PendingManualApproval"}),
}  # fmt: skip
