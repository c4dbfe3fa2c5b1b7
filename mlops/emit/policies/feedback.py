"""What a machine of feedback must be allowed, and the rule that starts it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.policies.arns import arn_of, bucket_arn, key_arn
from mlops.emit.policies.promotion import promotion_needs
from mlops.emit.policies.statements import Need
from mlops.ir.feedback_machine import FeedbackMachine
from mlops.ir.surroundings import Surroundings


def feedback_needs(machine: FeedbackMachine, around: Surroundings) -> Iterator[Need]:
    of = f"feedback {machine.name}"
    bucket = bucket_arn(machine.bucket, around)
    executions = machine.arn.replace(":stateMachine:", ":execution:")
    yield Need("StartTheMachine", ("states:StartExecution",), (machine.arn,), of)
    yield Need("SeeWhatItDid", ("states:DescribeExecution",), (f"{executions}:*",), of)
    yield Need("KeepItsJournal", ("s3:GetObject", "s3:PutObject"), (f"{bucket}/{machine.journal}",), of)
    # Who may not list is told of a missing object that it is forbidden.
    yield Need("ListBucket", ("s3:ListBucket",), (bucket,), of)
    if around.kms_key is not None:
        arn, conditions = key_arn(around.kms_key, around)
        yield Need("UseKey", ("kms:Decrypt", "kms:GenerateDataKey"), (arn,), of, conditions)
    if machine.topic is not None:
        yield Need("TellPeople", ("sns:Publish",), (machine.topic,), of)
    pipeline = arn_of(around, "sagemaker", f"pipeline/{machine.pipeline.lower()}")
    yield Need("StartThePipeline", ("sagemaker:StartPipelineExecution",), (pipeline,), of)
    seen = ("sagemaker:DescribePipelineExecution", "sagemaker:ListPipelineExecutionSteps")
    yield Need("SeeExecutions", seen, (f"{pipeline}/execution/*",), of)
    if machine.endpoint is not None:
        endpoint = arn_of(around, "sagemaker", f"endpoint/{machine.endpoint.lower()}")
        yield Need("SeeTheEndpoint", ("sagemaker:DescribeEndpoint",), (endpoint,), of)
        if machine.shifts is not None:
            configs = arn_of(around, "sagemaker", "endpoint-config/*")
            changes = ("sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities")
            yield Need("TakeItBack", changes, (endpoint, configs), of)
            yield Need("KeepItsJournal", ("s3:GetObject", "s3:PutObject"), (f"{bucket}/{machine.shifts}",), of)
            yield Need("RingItsAlarms", ("cloudwatch:SetAlarmState",), (arn_of(around, "cloudwatch", "alarm:*"),), of)
    if machine.promoted is not None:
        yield from promotion_needs(machine.promoted, around)
