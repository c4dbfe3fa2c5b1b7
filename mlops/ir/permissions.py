"""What a role has to be allowed, as data: what any job needs, and the sum over the steps of pipelines.

Each step type states its own actions (:attr:`mlops.ir.StepType.permissions`), from the operation that its Arguments
mirror. Roles, policies and their form are the business of who emits or asks.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlops.ir.checked import Checked

LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
ANY_JOB = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    *LOGS,
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
)


def to_run(kind: str) -> tuple[str, ...]:
    """For steps that start a job of their own.

    >>> to_run("TrainingJob")[:4]
    ('sagemaker:AddTags', 'sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob', 'sagemaker:StopTrainingJob')
    """
    verbs = (f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe", "Stop"))
    return ("sagemaker:AddTags", *verbs, "iam:PassRole", *ANY_JOB)


def actions_of(pipelines: Iterable[Checked]) -> tuple[str, ...]:
    """What the pipelines' role needs, sorted. Of a step whose type nobody knows nothing is known here either."""
    types = (checked.type_of(placed.step) for checked in pipelines for placed in checked.definition.placed())
    return tuple(sorted({action for found in types if found is not None for action in found.permissions or ()}))
