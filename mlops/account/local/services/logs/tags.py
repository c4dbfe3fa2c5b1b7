"""Tags of log groups."""

from __future__ import annotations

from mlops.account.local import tagging
from mlops.account.local.services.logs import streams
from mlops.account.local.state import State


def _kept(state: State, arn: str) -> str:
    """By the group's ARN without the star. Raises Refusal."""
    group = arn.removesuffix(":*")
    streams.group_of({"logGroupIdentifier": group})
    return group


OPERATIONS = tagging.operations(_kept, tagging.Spelling("resourceArn", "tags", "tagKeys", is_table=True))
