"""What Step Functions needs to hear of the end of what a task waits for."""

from __future__ import annotations

from mlops.emit.policies.arns import arn_of
from mlops.emit.policies.statements import Need
from mlops.ir.surroundings import Surroundings

_ACTIONS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")


def watching(rule: str, step: str, around: Surroundings) -> Need:
    """It hears by a rule of its own (guide: sagemaker-iam)."""
    return Need("HearOfTheEndOfJobs", _ACTIONS, (arn_of(around, "events", f"rule/{rule}"),), step)
