"""Tags of groups of schedules: schedules themselves have none."""

from __future__ import annotations

from mlops.account.local import tagging
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.scheduler.schedules import GROUP
from mlops.account.local.state import ACCOUNT_ID, State


def _kept(state: State, arn: str) -> str:
    beginning = f"arn:aws:scheduler:{state.region}:{ACCOUNT_ID}:schedule-group/"
    name = arn.removeprefix(beginning)
    if not arn.startswith(beginning) or (name != "default" and resources.find(state, GROUP, name) is None):
        raise Refusal("ResourceNotFoundException", f"{arn} does not exist.", 404)
    return arn


OPERATIONS = tagging.operations(_kept, tagging.Spelling(arn="ResourceArn"))
