"""A Lambda function that is there, a callback, and a choice by what it answers."""

from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.conditions import ConditionEquals, ConditionIn, ConditionNot, ConditionOr
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline

session = PipelineSession()
deploy = LambdaStep(
    name="Deploy",
    lambda_func=Lambda(function_arn="arn:aws:lambda:us-east-1:111122223333:function:deploy", session=session),
    inputs={"execution": ExecutionVariables.PIPELINE_EXECUTION_ID, "stage": "test"},
    outputs=[LambdaOutput(output_name="status", output_type=LambdaOutputTypeEnum.String)],
)
wait = CallbackStep(
    name="Approve",
    sqs_queue_url="https://sqs.us-east-1.amazonaws.com/111122223333/queue",
    inputs={"status": deploy.properties.Outputs["status"]},
    outputs=[CallbackOutput(output_name="decision", output_type=CallbackOutputTypeEnum.String)],
)
decision = wait.properties.Outputs["decision"]
judge = ConditionStep(
    name="Judge",
    conditions=[
        ConditionOr([ConditionEquals(left=decision, right="yes"), ConditionIn(value=decision, in_values=["y", "ok"])]),
        ConditionNot(ConditionEquals(left=decision, right="never")),
    ],
    if_steps=[],
    else_steps=[FailStep(name="Refused", error_message=Join(on=" ", values=["refused with", decision]))],
)
pipeline = Pipeline(name="LambdaCallback3", steps=[deploy, wait, judge], sagemaker_session=session)
pipeline.upsert(role_arn="arn:aws:iam::111122223333:role/pipelines")
