"""What steps need of other services than SageMaker: functions, queues, clusters and applications of EMR.

Source for EMR: the managed policy AmazonSageMakerPipelinesIntegrations, v3, here on what the step names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlops.emit.policies.arns import account_of, arn_of
from mlops.emit.policies.places import STAR, pattern
from mlops.emit.policies.statements import Need, passing
from mlops.ir import Definition, Step
from mlops.ir.members import get
from mlops.ir.surroundings import Surroundings

_FUNCTION_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:.+")
_QUEUE_URL = re.compile(r"https://sqs\.([a-z0-9-]+)\.[a-z.]+/(\d{12})/([\w-]+(?:\.fifo)?)")
_RULES = ("events:DescribeRule", "events:PutRule", "events:PutTargets")
_STEP_RULE = "SageMakerPipelineExecutionEMRStepStatusUpdateRule"
_CLUSTER_RULE = "SageMakerPipelineExecutionEMRClusterStatusUpdateRule"
"""By which the service hears that a step, or a cluster, of EMR has ended."""
_CLUSTER = ("elasticmapreduce:DescribeCluster", "elasticmapreduce:ListSteps", "elasticmapreduce:TerminateJobFlows")
_CLUSTER_ROLES = {"ServiceRole": "elasticmapreduce", "JobFlowRole": "ec2"}
"""Who takes on what a cluster's configuration names: a role's name, of an instance profile that of its role."""
_APPLICATION = (
    "emr-serverless:DeleteApplication",
    "emr-serverless:GetApplication",
    "emr-serverless:StartApplication",
    "emr-serverless:StopApplication",
)


def elsewhere_needs(definition: Definition, step: Step, actions: Sequence[str], around: Surroundings) -> Iterator[Need]:
    """``actions`` are those of the step's type."""
    if "lambda:InvokeFunction" in actions:
        told = pattern(definition, step.members.get("FunctionArn")) or STAR
        arn = told if _FUNCTION_ARN.fullmatch(told) else arn_of(around, "lambda", f"function:{told}")
        yield Need("CallFunctions", ("lambda:InvokeFunction",), (arn,), step.name)
    if "sqs:SendMessage" in actions:
        found = _QUEUE_URL.fullmatch(pattern(definition, step.members.get("SqsQueueUrl")) or "")
        queue = f"arn:{around.partition}:sqs:{found[1]}:{found[2]}:{found[3]}" if found else arn_of(around, "sqs", STAR)
        yield Need("SendMessages", ("sqs:SendMessage",), (queue,), step.name)
    emr = tuple(action for action in actions if action.startswith("elasticmapreduce:"))
    if emr:
        yield from _clusters(definition, step, emr, around)
    serverless = tuple(action for action in actions if action.startswith("emr-serverless:"))
    if serverless:
        yield from _applications(definition, step, serverless, around)


def _clusters(definition: Definition, step: Step, actions: Sequence[str], around: Surroundings) -> Iterator[Need]:
    made = get(step.arguments, "ClusterConfig")
    cluster = arn_of(around, "elasticmapreduce", f"cluster/{_named(definition, step, 'ClusterId')}")
    yield Need("UseClusters", tuple(actions), (cluster,), step.name)
    rules = (_STEP_RULE,) if made is None else (_STEP_RULE, _CLUSTER_RULE)
    yield Need("HearOfClusters", _RULES, tuple(arn_of(around, "events", f"rule/{rule}") for rule in rules), step.name)
    if made is None:
        return
    yield Need("MakeClusters", ("elasticmapreduce:RunJobFlow",), (STAR,), step.name)
    yield Need("UseMadeClusters", _CLUSTER, (cluster,), step.name)
    for member, service in _CLUSTER_ROLES.items():
        role = pattern(definition, get(made, member))
        if role:
            arn = role if role.startswith("arn:") else f"arn:{around.partition}:iam::{account_of(around)}:role/{role}"
            yield passing("PassRoles", f"{service}.amazonaws.com", (arn,), step.name)


def _applications(definition: Definition, step: Step, actions: Sequence[str], around: Surroundings) -> Iterator[Need]:
    arn = arn_of(around, "emr-serverless", f"/applications/{_named(definition, step, 'ApplicationId')}")
    of_runs = tuple(action for action in actions if action.endswith("JobRun") and "Start" not in action)
    yield Need("UseApplications", tuple(action for action in actions if action not in of_runs), (arn,), step.name)
    yield Need("FollowRuns", of_runs, (f"{arn}/jobruns/*",), step.name)
    if get(step.arguments, "ApplicationConfig") is not None:
        yield Need("MakeApplications", ("emr-serverless:CreateApplication",), (STAR,), step.name)
        yield Need("UseMadeApplications", _APPLICATION, (arn,), step.name)


def _named(definition: Definition, step: Step, member: str) -> str:
    return pattern(definition, get(step.arguments, member)) or STAR
