"""Events of SageMaker and S3 that pipelines are started by: the members of their details, and what some of these can
be.

Source: developer guide, automating-sagemaker-with-eventbridge, and for values that it gives no list of the API
reference (botocore's enumerations); S3 user guide, EventBridge.
"""

from __future__ import annotations

from collections.abc import Mapping

SAGEMAKER = "aws.sagemaker"
EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"
TRAINING = "SageMaker Training Job State Change"
PROCESSING = "SageMaker Processing Job State Change"
TRANSFORM = "SageMaker Transform Job State Change"
TUNING = "SageMaker HyperParameter Tuning Job State Change"
PACKAGE = "SageMaker Model Package State Change"
ENDPOINT = "SageMaker Endpoint State Change"
DEPLOYMENT = "SageMaker Endpoint Deployment State Change"
CREATED = "Object Created"

_ENDPOINT_MEMBERS = frozenset({
    "EndpointName", "EndpointArn", "EndpointConfigName", "ProductionVariants", "EndpointStatus", "FailureReason",
    "CreationTime", "LastModifiedTime", "Tags",
})  # fmt: skip
DETAILS: Mapping[str, frozenset[str]] = {
    EXECUTION: frozenset({
        "pipelineArn", "pipelineExecutionArn", "currentPipelineExecutionStatus", "previousPipelineExecutionStatus",
        "executionStartTime", "executionEndTime", "pipelineExecutionDisplayName", "pipelineExecutionDescription",
    }),
    STEP: frozenset({
        "pipelineArn", "pipelineExecutionArn", "stepName", "stepType", "currentStepStatus", "previousStepStatus",
        "stepStartTime", "stepEndTime", "failureReason", "cacheHitResult", "metadata",
    }),
    TRAINING: frozenset({
        "TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "SecondaryStatus", "FailureReason", "HyperParameters",
        "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "VpcConfig",
        "StoppingCondition", "ModelArtifacts", "CreationTime", "TrainingStartTime", "TrainingEndTime",
        "LastModifiedTime", "SecondaryStatusTransitions", "Tags",
    }),
    PROCESSING: frozenset({
        "ProcessingInputs", "ProcessingOutputConfig", "ProcessingJobName", "ProcessingResources", "StoppingCondition",
        "AppSpecification", "NetworkConfig", "RoleArn", "ExperimentConfig", "ProcessingJobArn", "ProcessingJobStatus",
        "FailureReason", "ExitMessage", "ProcessingEndTime", "ProcessingStartTime", "LastModifiedTime", "CreationTime",
        "Environment", "Tags",
    }),
    TRANSFORM: frozenset({
        "TransformJobName", "TransformJobArn", "TransformJobStatus", "FailureReason", "ModelName",
        "MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy", "Environment", "TransformInput",
        "TransformOutput", "TransformResources", "CreationTime", "TransformStartTime", "TransformEndTime", "Tags",
    }),
    TUNING: frozenset({
        "HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobConfig",
        "TrainingJobDefinition", "HyperParameterTuningJobStatus", "CreationTime", "LastModifiedTime",
        "TrainingJobStatusCounters", "ObjectiveStatusCounters", "FailureReason", "Tags",
    }),
    PACKAGE: frozenset({
        "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageName",
        "ModelPackageDescription", "CreationTime", "InferenceSpecification", "ModelPackageStatus",
        "ModelPackageStatusDetails", "CertifyForMarketplace", "ModelApprovalStatus", "ApprovalDescription",
        "MetadataProperties", "ModelMetrics", "ModelLifeCycle", "CustomerMetadataProperties",
        "UpdatedModelPackageFields", "LastModifiedTime", "SourceUri", "Tags",
    }),
    ENDPOINT: _ENDPOINT_MEMBERS,
    DEPLOYMENT: _ENDPOINT_MEMBERS | {"PendingDeploymentSummary"},
    CREATED: frozenset({
        "version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason",
        "deletion-type", "destination-storage-class",
    }),
}  # fmt: skip
COMPLETE = frozenset({EXECUTION, STEP, CREATED})
"""Of the others the guide gives an example: the service may tell more."""
OBJECT = frozenset({"key", "size", "etag", "version-id", "sequencer"})

_JOB = frozenset({"InProgress", "Completed", "Failed", "Stopping", "Stopped"})
_EXECUTION = frozenset({"Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures"})
_STEP = frozenset({"Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded"})
_ENDPOINT = frozenset({
    "CREATING", "UPDATING", "SYSTEM_UPDATING", "ROLLING_BACK", "IN_SERVICE", "OUT_OF_SERVICE", "DELETING", "FAILED",
    "UPDATE_ROLLBACK_FAILED",
})  # fmt: skip
VALUES: Mapping[tuple[str, str], frozenset[str]] = {
    (ENDPOINT, "EndpointStatus"): _ENDPOINT,
    (DEPLOYMENT, "EndpointStatus"): _ENDPOINT,
    (EXECUTION, "currentPipelineExecutionStatus"): _EXECUTION,
    (EXECUTION, "previousPipelineExecutionStatus"): _EXECUTION,
    (STEP, "currentStepStatus"): _STEP,
    (STEP, "previousStepStatus"): _STEP,
    (TRAINING, "TrainingJobStatus"): _JOB | {"Deleting"},
    (PROCESSING, "ProcessingJobStatus"): _JOB,
    (TRANSFORM, "TransformJobStatus"): _JOB,
    (TUNING, "HyperParameterTuningJobStatus"): _JOB | {"Deleting", "DeleteFailed"},
    (PACKAGE, "ModelApprovalStatus"): frozenset({"Approved", "Rejected", "PendingManualApproval"}),
    (PACKAGE, "ModelPackageStatus"): frozenset({"Pending", "InProgress", "Completed", "Failed", "Deleting"}),
}
