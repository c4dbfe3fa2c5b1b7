"""Before PipelineSession: estimators and processors are handed to the steps, RegisterModel is a collection."""

import os

import boto3
import sagemaker
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingOutput
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.step_collections import RegisterModel
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

HERE = os.path.dirname(os.path.realpath(__file__))
session = sagemaker.session.Session(boto3.Session())
role = sagemaker.get_execution_role(session)
count = ParameterInteger(name="Count", default_value=1)
status = ParameterString(name="Approval", default_value="Approved", enum_values=["Approved", "PendingManualApproval"])
processor = SKLearnProcessor("1.2-1", role, 1, "ml.m5.large", sagemaker_session=session)
prepare = ProcessingStep(
    name="Prepare",
    processor=processor,
    code=os.path.join(HERE, "..", "preprocess.py"),
    outputs=[ProcessingOutput(output_name="train", source="/opt/ml/processing/train")],
)
sklearn = SKLearn(
    entry_point="preprocess.py",
    source_dir=os.path.join(HERE, ".."),
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    instance_count=1,
    hyperparameters={"depth": count},
    role=role,
    sagemaker_session=session,
)
train = TrainingStep(
    name="Train",
    estimator=sklearn,
    inputs={"train": TrainingInput(prepare.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri)},
)
register = RegisterModel(
    name="Register",
    estimator=sklearn,
    model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
    content_types=["text/csv"],
    response_types=["text/csv"],
    inference_instances=["ml.m5.large"],
    transform_instances=["ml.m5.large"],
    model_package_group_name="old-style",
    approval_status=status,
)
pipeline = Pipeline(
    name="OldStyle", parameters=[count, status], steps=[prepare, train, register], sagemaker_session=session
)
