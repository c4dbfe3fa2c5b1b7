"""STS: who am I."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.caller import user_arn
from mlops.account.local.state import ACCOUNT_ID, State


def get_caller_identity(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"UserId": ACCOUNT_ID, "Account": ACCOUNT_ID, "Arn": user_arn(ACCOUNT_ID, state.user)}


OPERATIONS = {"GetCallerIdentity": get_caller_identity}
