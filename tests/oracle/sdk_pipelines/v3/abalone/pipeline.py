"""A project's repository: get_pipeline() in a package, settings beside it; train, evaluate, register or fail."""

import os

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.core.shapes import ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

from . import settings

CODE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "preprocess.py")
FOLDER = "/opt/ml/processing"


def written(name):
    place = ProcessingS3Output(s3_uri="", local_path=f"{FOLDER}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=place)


def read(name, uri):
    place = ProcessingS3Input(s3_uri=uri, local_path=f"{FOLDER}/{name}", s3_data_type="S3Prefix", s3_input_mode="File")
    return ProcessingInput(input_name=name, s3_input=place)


def get_pipeline(
    region,
    sagemaker_project_name,
    role=None,
    default_bucket=None,
    model_package_group_name="AbalonePackageGroup",
    pipeline_name="AbalonePipeline",
):
    session = PipelineSession(default_bucket=default_bucket)
    role = role or get_execution_role(session)
    cached = CacheConfig(enable_caching=True, expire_after="30d")
    sklearn = image_uris.retrieve("sklearn", region=region, version="1.2-1", instance_type="ml.m5.xlarge")
    xgboost = image_uris.retrieve("xgboost", region=region, version="1.7-1", instance_type="ml.m5.xlarge")
    processor = ScriptProcessor(
        image_uri=sklearn,
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=settings.processing_instances,
        base_job_name=f"{sagemaker_project_name}-preprocess",
        role=role,
        sagemaker_session=session,
    )
    prepare = ProcessingStep(
        "PreprocessAbaloneData",
        step_args=processor.run(
            code=CODE,
            outputs=[written("train"), written("test")],
            arguments=["--input-data", settings.data],
        ),
        cache_config=cached,
    )
    outputs = prepare.properties.ProcessingOutputConfig.Outputs
    trainer = ModelTrainer(
        training_image=xgboost,
        compute=Compute(instance_type=settings.training_instance, instance_count=1),
        hyperparameters={"objective": "reg:linear", "num_round": 50},
        input_data_config=[InputData(channel_name="train", data_source=outputs["train"].S3Output.S3Uri)],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{session.default_bucket()}/abalone"),
        role=role,
        sagemaker_session=session,
    )
    train = TrainingStep("TrainAbaloneModel", step_args=trainer.train(), cache_config=cached)
    artifacts = train.properties.ModelArtifacts.S3ModelArtifacts
    report = PropertyFile(name="AbaloneEvaluationReport", output_name="evaluation", path="evaluation.json")
    evaluate = ProcessingStep(
        "EvaluateAbaloneModel",
        step_args=processor.run(
            code=CODE,
            inputs=[read("model", artifacts), read("test", outputs["test"].S3Output.S3Uri)],
            outputs=[written("evaluation")],
        ),
        property_files=[report],
    )
    statistics = Join(
        on="/",
        values=[evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri, "evaluation.json"],
    )
    builder = ModelBuilder(s3_model_data_url=artifacts, image_uri=xgboost, role_arn=role, sagemaker_session=session)
    register = ModelStep(
        "RegisterAbaloneModel",
        step_args=builder.register(
            model_package_group_name=model_package_group_name,
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", "ml.m5.large"],
            transform_instances=["ml.m5.large"],
            approval_status=settings.approval,
            model_metrics=ModelMetrics(
                model_statistics=MetricsSource(s3_uri=statistics, content_type="application/json")
            ),
        ),
    )
    mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
    good = ConditionStep(
        "CheckMSEAbaloneEvaluation",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=settings.worst)],
        if_steps=[register],
        else_steps=[FailStep("TooBad", error_message=Join(on=" ", values=["MSE above", settings.worst]))],
    )
    return Pipeline(
        name=pipeline_name,
        parameters=[
            settings.processing_instances,
            settings.training_instance,
            settings.approval,
            settings.data,
            settings.worst,
        ],
        steps=[prepare, train, evaluate, good],
        sagemaker_session=session,
    )
