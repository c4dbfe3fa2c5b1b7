"""The first example, written with the official SDK as its guide shows. Runs in the example's folder."""

from sagemaker.core import image_uris
from sagemaker.core.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.core.shapes import (
    MetricDefinition,
    MetricsSource,
    ModelMetrics,
    ModelQuality,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

NAME = "breast-cancer"
BUCKET = "acme-ml"
PREFIX = "mlops"
ROLE = "arn:aws:iam::111122223333:role/pipelines"
INSTANCE = "ml.m5.large"

session = PipelineSession(default_bucket=BUCKET, default_bucket_prefix=PREFIX)
sklearn = image_uris.retrieve("sklearn", region=session.boto_region_name, version="1.2-1", instance_type=INSTANCE)

floor = ParameterFloat("MinAccuracy", default_value=0.9)
trees = ParameterInteger("Trees", default_value=100)


def processing_input(name, source):
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=source,
            local_path=f"/opt/ml/processing/input/{name}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        ),
    )


def processing_output(name):
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri="",
            local_path=f"/opt/ml/processing/output/{name}",
            s3_upload_mode="EndOfJob",
        ),
    )


processor = ScriptProcessor(
    image_uri=sklearn,
    command=["python3"],
    instance_type=INSTANCE,
    instance_count=1,
    role=ROLE,
    sagemaker_session=session,
)
prepare = ProcessingStep(
    "Prepare",
    step_args=processor.run(
        code="prepare.py",
        outputs=[processing_output("train"), processing_output("test"), processing_output("newest")],
    ),
)
prepared = prepare.properties.ProcessingOutputConfig.Outputs

trainer = ModelTrainer(
    training_image=sklearn,
    source_code=SourceCode(source_dir="train", entry_script="train.py"),
    compute=Compute(instance_type=INSTANCE, instance_count=1),
    hyperparameters={"trees": trees},
    input_data_config=[InputData(channel_name="train", data_source=prepared["train"].S3Output.S3Uri)],
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/{NAME}/Train"),
    role=ROLE,
    sagemaker_session=session,
).with_metric_definitions([MetricDefinition(name="train:accuracy", regex="train accuracy: ([0-9.]+)")])
train = TrainingStep("Train", step_args=trainer.train())
model_data = train.properties.ModelArtifacts.S3ModelArtifacts

quality = PropertyFile(name="quality", output_name="report", path="evaluation.json")
evaluate = ProcessingStep(
    "Evaluate",
    step_args=processor.run(
        code="evaluate.py",
        inputs=[
            processing_input("model", model_data),
            processing_input("test", prepared["test"].S3Output.S3Uri),
        ],
        outputs=[processing_output("report")],
    ),
    property_files=[quality],
)
report = evaluate.properties.ProcessingOutputConfig.Outputs["report"].S3Output.S3Uri
statistics = MetricsSource(content_type="application/json", s3_uri=Join(on="/", values=[report, "evaluation.json"]))

builder = ModelBuilder(
    s3_model_data_url=model_data,
    image_uri=sklearn,
    env_vars={
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": session.boto_region_name,
    },
    role_arn=ROLE,
    sagemaker_session=session,
)
register = ModelStep(
    "Register",
    step_args=builder.register(
        model_package_group_name=NAME,
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=[INSTANCE],
        transform_instances=[INSTANCE],
        approval_status="PendingManualApproval",
        model_metrics=ModelMetrics(model_quality=ModelQuality(statistics=statistics)),
        sample_payload_url=f"s3://{BUCKET}/{PREFIX}/{NAME}/sample/payload.tar.gz",
    ),
)
model = ModelStep("Model", step_args=builder.build())

transformer = Transformer(
    model_name=model.properties.ModelName,
    instance_type=INSTANCE,
    instance_count=1,
    output_path=Join(on="/", values=["s3:/", BUCKET, PREFIX, NAME, ExecutionVariables.PIPELINE_EXECUTION_ID, "Score"]),
    assemble_with="Line",
    accept="text/csv",
    sagemaker_session=session,
)
score = TransformStep(
    "Score",
    step_args=transformer.transform(data=prepared["newest"].S3Output.S3Uri, content_type="text/csv", split_type="Line"),
)

good_enough = ConditionStep(
    "GoodEnough",
    conditions=[
        ConditionGreaterThanOrEqualTo(
            left=JsonGet(step_name=evaluate.name, property_file=quality, json_path="accuracy"), right=floor
        )
    ],
    if_steps=[register, model, score],
    else_steps=[FailStep("NotGoodEnough", error_message=Join(on="", values=["accuracy is below ", floor]))],
)

pipeline = Pipeline(
    name=NAME,
    parameters=[floor, trees],
    steps=[prepare, train, evaluate, good_enough],
    sagemaker_session=session,
)
