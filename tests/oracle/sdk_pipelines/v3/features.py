"""Records into the feature store by processing, cached and tried again; a report in S3 decides, and decides again."""

from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.processing import ProcessingOutput, Processor
from sagemaker.core.shapes import ProcessingFeatureStoreOutput, ProcessingS3Output
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionIn,
    ConditionLessThan,
    ConditionNot,
    ConditionOr,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterFloat, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep

session = PipelineSession()
role = get_execution_role(session)
bucket = session.default_bucket()
mode = ParameterString("Mode", default_value="full", enum_values=["full", "quick", "dry"])
drift = ParameterFloat("LargestDrift", default_value=0.2)
wanted = ParameterBoolean("Wanted", default_value=True)
report = Join(on="/", values=["s3:/", bucket, ExecutionVariables.PIPELINE_EXECUTION_ID, "drift.json"])


def processing(name, *arguments, **more):
    processor = Processor(
        image_uri="111122223333.dkr.ecr.us-east-1.amazonaws.com/features:7",
        entrypoint=["python3", "/program/ingest.py"],
        instance_type="ml.m5.4xlarge",
        instance_count=2,
        env={"MODE": mode},
        role=role,
        sagemaker_session=session,
    )
    outputs = [
        ProcessingOutput(
            output_name="records",
            app_managed=True,
            s3_output=ProcessingS3Output(
                s3_uri=f"s3://{bucket}/records", local_path="/opt/ml/processing/records", s3_upload_mode="Continuous"
            ),
            feature_store_output=ProcessingFeatureStoreOutput(feature_group_name="customers"),
        )
    ]
    return ProcessingStep(name, step_args=processor.run(arguments=list(arguments), outputs=outputs), **more)


ingest = processing(
    "Ingest",
    "--report",
    report,
    cache_config=CacheConfig(enable_caching=True, expire_after="P7D"),
    retry_policies=[
        StepRetryPolicy(exception_types=[StepExceptionTypeEnum.SERVICE_FAULT], expire_after_mins=30),
        SageMakerJobStepRetryPolicy(
            exception_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR], max_attempts=4, interval_seconds=60
        ),
    ],
)
again = processing("IngestAgain", "--force")
little = ConditionLessThan(left=JsonGet(s3_uri=report, json_path="drift['mean'][0]", step=ingest), right=drift)
inner = ConditionStep(
    "MayTryAgain",
    conditions=[ConditionNot(ConditionIn(value=mode, in_values=["dry", "quick"])), ConditionEquals(wanted, True)],
    if_steps=[again],
    else_steps=[FailStep("Drifted", error_message=Join(on="", values=["drift above ", drift]))],
)
outer = ConditionStep(
    "LittleDrift",
    conditions=[ConditionOr(conditions=[little, ConditionEquals(left=mode, right="dry")])],
    if_steps=[],
    else_steps=[inner],
)
pipeline = Pipeline(name="Features", parameters=[mode, drift, wanted], steps=[ingest, outer], sagemaker_session=session)
