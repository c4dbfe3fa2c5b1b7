"""Hyperparameter tuning and a model of the best job."""

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import CacheConfig, TuningStep

session = PipelineSession()
role = sagemaker.get_execution_role(session)
region = session.boto_region_name
bucket = session.default_bucket()
data = ParameterString(name="TrainingData", default_value=f"s3://{bucket}/abalone/train")
image = sagemaker.image_uris.retrieve("xgboost", region, version="1.5-1")
estimator = Estimator(
    image_uri=image,
    role=role,
    instance_count=1,
    instance_type="ml.m5.xlarge",
    output_path=f"s3://{bucket}/tuned",
    sagemaker_session=session,
)
estimator.set_hyperparameters(objective="reg:linear", num_round=50)
tuner = HyperparameterTuner(
    estimator,
    "validation:rmse",
    objective_type="Minimize",
    hyperparameter_ranges={"alpha": ContinuousParameter(0.01, 10), "max_depth": IntegerParameter(2, 8)},
    max_jobs=4,
    max_parallel_jobs=2,
)
rows = TrainingInput(s3_data=data, content_type="text/csv")
tune = TuningStep(
    name="HPTuning",
    step_args=tuner.fit(inputs={"train": rows, "validation": rows}),
    cache_config=CacheConfig(enable_caching=True, expire_after="P7D"),
)
best = Model(
    image_uri=image,
    model_data=tune.get_top_model_s3_uri(top_k=0, s3_bucket=bucket, prefix="tuned"),
    sagemaker_session=session,
    role=role,
)
create = ModelStep(name="CreateBestModel", step_args=best.create(instance_type="ml.m5.large"))
pipeline = Pipeline(name="Tuning", parameters=[data], steps=[tune, create], sagemaker_session=session)
