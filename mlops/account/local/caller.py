"""Who calls the local account: whoever sits at this machine, under the name that they give themselves.

Nothing proves a name here, as nothing has to: it tells whose decision is whose while a project is tried out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from mlops.ir import UsageError

USER_VARIABLE = "MLOPS_LOCAL_USER"
DEFAULT_USER = "local"
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)  # of users of IAM


def user_named(name: str | None) -> str:
    """``name``, else that of the variable, else the default. Raises UsageError for what names no user."""
    chosen = name or os.environ.get(USER_VARIABLE) or DEFAULT_USER
    if not _NAME.fullmatch(chosen):
        raise UsageError(f"{chosen!r} is no name for a user", hint="use up to 64 letters, digits and + = , . @ _ -")
    return chosen


def user_arn(account: str, user: str) -> str:
    return f"arn:aws:iam::{account}:user/{user}"


def user_context(account: str, user: str = DEFAULT_USER) -> Mapping[str, Any]:
    """As ``CreatedBy`` of a reply tells it."""
    return {"IamIdentity": {"Arn": user_arn(account, user), "PrincipalId": account}}
