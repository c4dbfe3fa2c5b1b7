"""As a project's repository has it: a module with get_pipeline(), which a driver finds by its name."""

import os

import boto3
import sagemaker
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.parameters import ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep

BASE_DIR = os.path.dirname(os.path.realpath(__file__))


def get_session(region, default_bucket):
    boto_session = boto3.Session(region_name=region)
    return PipelineSession(
        boto_session=boto_session,
        sagemaker_client=boto_session.client("sagemaker"),
        default_bucket=default_bucket,
    )


def get_pipeline(region, role=None, default_bucket=None, pipeline_name="DrivenPipeline", base_job_prefix="driven"):
    session = get_session(region, default_bucket)
    if role is None:
        role = sagemaker.session.get_execution_role(session)
    count = ParameterInteger(name="InstanceCount", default_value=1)
    processor = SKLearnProcessor(
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        instance_count=count,
        base_job_name=f"{base_job_prefix}/clean",
        role=role,
        sagemaker_session=session,
    )
    step = ProcessingStep(name="Clean", step_args=processor.run(code=os.path.join(BASE_DIR, "clean.py")))
    return Pipeline(name=pipeline_name, parameters=[count], steps=[step], sagemaker_session=session)
