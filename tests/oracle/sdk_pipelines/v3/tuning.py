"""Tuning of a ModelTrainer."""

from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, TuningStep
from sagemaker.train import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

session = PipelineSession()
role = get_execution_role(session)
data = ParameterString("Data", default_value=f"s3://{session.default_bucket()}/train")
image = image_uris.retrieve("sklearn", region=session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")
trainer = ModelTrainer(
    training_image=image,
    source_code=SourceCode(source_dir=str(Path(__file__).parent.parent), entry_script="preprocess.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"trees": 10},
    role=role,
    sagemaker_session=session,
)
tuner = HyperparameterTuner(
    model_trainer=trainer,
    objective_metric_name="accuracy",
    metric_definitions=[{"Name": "accuracy", "Regex": "accuracy: ([0-9.]+)"}],
    hyperparameter_ranges={"depth": IntegerParameter(1, 5), "rate": ContinuousParameter(0.1, 0.9)},
    max_jobs=4,
    max_parallel_jobs=2,
)
tune = TuningStep(
    name="Tune",
    step_args=tuner.tune(inputs=[InputData(channel_name="train", data_source=data)]),
    cache_config=CacheConfig(enable_caching=True, expire_after="P7D"),
)
pipeline = Pipeline(name="Tuning3", parameters=[data], steps=[tune], sagemaker_session=session)
