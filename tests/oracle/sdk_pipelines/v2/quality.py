"""Data quality, bias check, and a transform, in the manner of the model monitor examples."""

import sagemaker
from sagemaker.clarify import BiasConfig, DataConfig
from sagemaker.model_monitor import DatasetFormat
from sagemaker.transformer import Transformer
from sagemaker.workflow.check_job_config import CheckJobConfig
from sagemaker.workflow.clarify_check_step import ClarifyCheckStep, DataBiasCheckConfig
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.functions import Join
from sagemaker.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.quality_check_step import DataQualityCheckConfig, QualityCheckStep
from sagemaker.workflow.steps import TransformStep

session = PipelineSession()
role = sagemaker.get_execution_role(session)
bucket = session.default_bucket()
skip = ParameterBoolean(name="SkipDataQualityCheck", default_value=False)
data = ParameterString(name="Data", default_value=f"s3://{bucket}/train.csv")
job = CheckJobConfig(
    role=role, instance_count=1, instance_type="ml.c5.xlarge", volume_size_in_gb=120, sagemaker_session=session
)
quality = QualityCheckStep(
    name="DataQuality",
    skip_check=skip,
    register_new_baseline=True,
    quality_check_config=DataQualityCheckConfig(
        baseline_dataset=data,
        dataset_format=DatasetFormat.csv(header=False),
        output_s3_uri=Join(on="/", values=["s3:/", bucket, "quality", ExecutionVariables.PIPELINE_EXECUTION_ID]),
    ),
    check_job_config=job,
    model_package_group_name="group",
)
bias = ClarifyCheckStep(
    name="DataBias",
    clarify_check_config=DataBiasCheckConfig(
        data_config=DataConfig(
            s3_data_input_path=f"s3://{bucket}/train.csv",
            s3_output_path=f"s3://{bucket}/bias",
            label=0,
            dataset_type="text/csv",
            s3_analysis_config_output_path=f"s3://{bucket}/bias/config",
        ),
        data_bias_config=BiasConfig(
            label_values_or_threshold=[15.0], facet_name=[8], facet_values_or_threshold=[[0.5]]
        ),
    ),
    check_job_config=job,
    skip_check=skip,
    register_new_baseline=True,
    model_package_group_name="group",
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
    depends_on=[bias],
)
pipeline = Pipeline(name="Quality", parameters=[skip, data], steps=[quality, bias, score], sagemaker_session=session)
