"""As SageMaker's project template has it: get_pipeline(), PipelineSession, register under a condition."""

import os

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.functions import JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

BASE_DIR = os.path.dirname(os.path.realpath(__file__))


def get_pipeline(
    region,
    sagemaker_project_arn=None,
    role=None,
    default_bucket=None,
    model_package_group_name="AbalonePackageGroup",
    pipeline_name="AbalonePipeline",
    base_job_prefix="Abalone",
):
    session = PipelineSession(default_bucket=default_bucket)
    if role is None:
        role = sagemaker.session.get_execution_role(session)
    instances = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    approval = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
    data = ParameterString(name="InputDataUrl", default_value="s3://servicecatalog-seedcode/abalone.csv")

    sklearn = SKLearnProcessor(
        framework_version="1.2-1",
        instance_type="ml.m5.xlarge",
        instance_count=instances,
        base_job_name=f"{base_job_prefix}/sklearn-preprocess",
        sagemaker_session=session,
        role=role,
    )
    process = ProcessingStep(
        name="PreprocessAbaloneData",
        step_args=sklearn.run(
            outputs=[
                ProcessingOutput(output_name="train", source="/opt/ml/processing/train"),
                ProcessingOutput(output_name="test", source="/opt/ml/processing/test"),
            ],
            code=os.path.join(BASE_DIR, "..", "preprocess.py"),
            arguments=["--input-data", data],
        ),
    )
    outputs = process.properties.ProcessingOutputConfig.Outputs
    image = sagemaker.image_uris.retrieve("xgboost", region=region, version="1.7-1", instance_type="ml.m5.xlarge")
    xgboost = Estimator(
        image_uri=image,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        output_path=f"s3://{session.default_bucket()}/{base_job_prefix}/AbaloneTrain",
        sagemaker_session=session,
        role=role,
    )
    xgboost.set_hyperparameters(objective="reg:linear", num_round=50, max_depth=5)
    train = TrainingStep(
        name="TrainAbaloneModel",
        step_args=xgboost.fit(
            inputs={"train": TrainingInput(s3_data=outputs["train"].S3Output.S3Uri, content_type="text/csv")}
        ),
    )
    evaluator = ScriptProcessor(
        image_uri=image,
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=1,
        base_job_name=f"{base_job_prefix}/script-abalone-eval",
        sagemaker_session=session,
        role=role,
    )
    report = PropertyFile(name="AbaloneEvaluationReport", output_name="evaluation", path="evaluation.json")
    artifacts = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluate = ProcessingStep(
        name="EvaluateAbaloneModel",
        step_args=evaluator.run(
            inputs=[
                ProcessingInput(source=artifacts, destination="/opt/ml/processing/model"),
                ProcessingInput(source=outputs["test"].S3Output.S3Uri, destination="/opt/ml/processing/test"),
            ],
            outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
            code=os.path.join(BASE_DIR, "..", "preprocess.py"),
        ),
        property_files=[report],
    )
    model = Model(image_uri=image, model_data=artifacts, sagemaker_session=session, role=role)
    metrics = ModelMetrics(
        model_statistics=MetricsSource(
            s3_uri=evaluate.arguments["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"],
            content_type="application/json",
        )
    )
    register = ModelStep(
        name="RegisterAbaloneModel",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", "ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_package_group_name=model_package_group_name,
            approval_status=approval,
            model_metrics=metrics,
        ),
    )
    good = ConditionStep(
        name="CheckMSEAbaloneEvaluation",
        conditions=[
            ConditionLessThanOrEqualTo(
                left=JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value"),
                right=6.0,
            )
        ],
        if_steps=[register],
        else_steps=[],
    )
    return Pipeline(
        name=pipeline_name,
        parameters=[instances, approval, data],
        steps=[process, train, evaluate, good],
        sagemaker_session=session,
    )
