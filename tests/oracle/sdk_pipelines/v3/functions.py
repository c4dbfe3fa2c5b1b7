"""Plain functions as steps, in the SDK's way: pickled and uploaded."""

from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"
session = PipelineSession()
rows = ParameterInteger("Rows", default_value=10)


@step(name="Count", image_uri=IMAGE, instance_type="ml.m5.large", role="arn:aws:iam::111122223333:role/pipelines")
def count(number):
    return number + 1


@step(name="Report", image_uri=IMAGE, instance_type="ml.m5.large", role="arn:aws:iam::111122223333:role/pipelines")
def report(number):
    return f"{number} rows"


pipeline = Pipeline(name="Functions", parameters=[rows], steps=[report(count(rows))], sagemaker_session=session)
