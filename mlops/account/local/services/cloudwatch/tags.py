"""Tags of alarms."""

from __future__ import annotations

from mlops.account.local import tagging
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch import alarm_bodies
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State


def _kept(state: State, arn: str) -> str:
    beginning = alarm_bodies.arn(state, "")
    if not arn.startswith(beginning) or resources.find(state, alarm_bodies.KIND, arn.removeprefix(beginning)) is None:
        raise Refusal("ResourceNotFoundException", f"{arn} does not exist.", 404)
    return arn


OPERATIONS = tagging.operations(_kept, tagging.Spelling())
