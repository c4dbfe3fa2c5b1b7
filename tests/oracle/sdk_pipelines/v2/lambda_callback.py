"""A Lambda function that is made from a script, and a callback to a queue."""

from pathlib import Path

import sagemaker
from sagemaker.lambda_helper import Lambda
from sagemaker.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionEquals, ConditionIn, ConditionNot, ConditionOr
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join
from sagemaker.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession

session = PipelineSession()
role = sagemaker.get_execution_role(session)
queue = ParameterString(name="Queue", default_value="https://sqs.us-east-1.amazonaws.com/111122223333/queue")
deploy = LambdaStep(
    name="Deploy",
    lambda_func=Lambda(
        function_name="deploy-model",
        execution_role_arn=role,
        script=str(Path(__file__).parent.parent / "preprocess.py"),
        handler="preprocess.handler",
        session=session,
    ),
    inputs={"execution": ExecutionVariables.PIPELINE_EXECUTION_ID, "stage": "test"},
    outputs=[LambdaOutput(output_name="status", output_type=LambdaOutputTypeEnum.String)],
)
wait = CallbackStep(
    name="Approve",
    sqs_queue_url=queue,
    inputs={"status": deploy.properties.Outputs["status"]},
    outputs=[CallbackOutput(output_name="decision", output_type=CallbackOutputTypeEnum.String)],
    depends_on=[deploy],
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
pipeline = Pipeline(name="LambdaCallback", parameters=[queue], steps=[deploy, wait, judge], sagemaker_session=session)
pipeline.upsert(role_arn=role)
