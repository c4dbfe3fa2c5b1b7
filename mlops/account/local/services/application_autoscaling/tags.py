"""Tags of scalable targets."""

from __future__ import annotations

from mlops.account.local import tagging
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker.scaled import TARGET
from mlops.account.local.state import State


def _kept(state: State, arn: str) -> str:
    asked = "SELECT 1 FROM resource WHERE kind = ? AND json_extract(body, '$.ScalableTargetARN') = ?"
    if not state.store.all(asked, TARGET, arn):
        raise Refusal("ResourceNotFoundException", f"Invalid resource ARN: {arn}", 400)
    return arn


OPERATIONS = tagging.operations(_kept, tagging.Spelling(is_table=True))
