"""A quality check of data and a batch transform, EMR on a cluster that runs."""

from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.emr_step import EMRStep, EMRStepConfig
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy
from sagemaker.mlops.workflow.steps import TransformStep

session = PipelineSession()
role = get_execution_role(session)
bucket = session.default_bucket()
wanted = ParameterBoolean("Wanted", default_value=True)
data = ParameterString("Data", default_value=f"s3://{bucket}/train.csv")
spark = EMRStep(
    name="Spark",
    display_name="Spark",
    description="A step of a cluster",
    cluster_id="j-1ABCDEFGHIJKL",
    step_config=EMRStepConfig(jar=f"s3://{bucket}/app.jar", args=["--data", data], main_class="com.acme.Main"),
)
transformer = Transformer(
    model_name="existing-model",
    instance_count=1,
    instance_type="ml.m5.xlarge",
    output_path=f"s3://{bucket}/scores",
    sagemaker_session=session,
)
score = TransformStep(
    name="Score",
    step_args=transformer.transform(data=data, content_type="text/csv", split_type="Line"),
    depends_on=[spark],
    retry_policies=[
        StepRetryPolicy(exception_types=[StepExceptionTypeEnum.THROTTLING], max_attempts=3, interval_seconds=5)
    ],
)
pipeline = Pipeline(name="QualityTransform", parameters=[wanted, data], steps=[spark, score], sagemaker_session=session)
