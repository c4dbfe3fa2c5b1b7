"""Tags of rules."""

from __future__ import annotations

from mlops.account.local import tagging
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.events import bus
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State


def _kept(state: State, arn: str) -> str:
    beginning = f"arn:aws:events:{state.region}:{ACCOUNT_ID}:rule/"
    name = arn.removeprefix(beginning)
    kept = name if "/" in name else f"{bus.DEFAULT}/{name}"
    if not arn.startswith(beginning) or resources.find(state, bus.KIND, kept) is None:
        raise Refusal("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.", 400)
    return arn


OPERATIONS = tagging.operations(_kept, tagging.Spelling())
