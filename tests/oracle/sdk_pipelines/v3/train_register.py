"""get_pipeline() with ModelTrainer and ModelBuilder: prepare, train, evaluate, register under a condition."""

from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.processing import ProcessingOutput, ScriptProcessor
from sagemaker.core.shapes import ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

SHARED = Path(__file__).parent.parent


def get_pipeline(region, role=None, pipeline_name="TrainRegister"):
    session = PipelineSession()
    role = role or get_execution_role(session)
    image = image_uris.retrieve("sklearn", region=region, version="1.2-1", instance_type="ml.m5.large")
    floor = ParameterFloat("MinAccuracy", default_value=0.9)
    trees = ParameterInteger("Trees", default_value=100)
    processor = ScriptProcessor(
        image_uri=image,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    )

    def output(name):
        place = ProcessingS3Output(s3_uri="", local_path=f"/opt/ml/processing/output/{name}", s3_upload_mode="EndOfJob")
        return ProcessingOutput(output_name=name, s3_output=place)

    code = str(SHARED / "preprocess.py")
    prepare = ProcessingStep("Prepare", step_args=processor.run(code=code, outputs=[output("train")]))
    data = prepare.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    trainer = ModelTrainer(
        training_image=image,
        source_code=SourceCode(source_dir=str(SHARED), entry_script="preprocess.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"trees": trees},
        input_data_config=[InputData(channel_name="train", data_source=data)],
        role=role,
        sagemaker_session=session,
    )
    train = TrainingStep("Train", step_args=trainer.train())
    report = PropertyFile(name="quality", output_name="report", path="evaluation.json")
    evaluate = ProcessingStep(
        "Evaluate",
        step_args=processor.run(code=code, outputs=[output("report")]),
        property_files=[report],
        depends_on=[train],
    )
    builder = ModelBuilder(
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        image_uri=image,
        env_vars={"SAGEMAKER_PROGRAM": "inference.py"},
        role_arn=role,
        sagemaker_session=session,
    )
    register = ModelStep(
        "Register",
        step_args=builder.register(
            model_package_group_name="train-register",
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            approval_status="PendingManualApproval",
        ),
    )
    accuracy = JsonGet(step_name=evaluate.name, property_file=report, json_path="accuracy")
    good = ConditionStep(
        "GoodEnough",
        conditions=[ConditionGreaterThanOrEqualTo(left=accuracy, right=floor)],
        if_steps=[register],
        else_steps=[FailStep("NotGoodEnough", error_message=Join(on=" ", values=["below", floor]))],
    )
    return Pipeline(
        name=pipeline_name, parameters=[floor, trees], steps=[prepare, train, evaluate, good], sagemaker_session=session
    )
