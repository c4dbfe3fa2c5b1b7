"""Everything in functions, and a pipeline that no variable of the module holds."""

import logging
import os
import sys

import boto3
from sagemaker.core.processing import Processor
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

logging.basicConfig(level=logging.INFO)


def build(name):
    session = PipelineSession()
    account = boto3.client("sts").get_caller_identity()["Account"]
    processor = Processor(
        image_uri=f"{account}.dkr.ecr.{session.boto_region_name}.amazonaws.com/score:1",
        instance_type="ml.m5.large",
        instance_count=1,
        role=os.environ.get("ROLE_ARN", "arn:aws:iam::111122223333:role/pipelines"),
        sagemaker_session=session,
    )
    return Pipeline(name=name, steps=[ProcessingStep("Score", step_args=processor.run())], sagemaker_session=session)


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "Driven3"
    pipeline = build(name)
    pipeline.upsert(role_arn="arn:aws:iam::111122223333:role/pipelines")
    client = boto3.client("sagemaker")
    print(client.describe_pipeline(PipelineName=name)["PipelineArn"])
    execution = client.start_pipeline_execution(PipelineName=name)
    arn = execution["PipelineExecutionArn"]
    for step in client.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]:
        logging.info("%s %s", step["StepName"], step["StepStatus"])
    assert client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Succeeded"


main()
