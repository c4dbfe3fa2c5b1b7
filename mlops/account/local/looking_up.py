"""What a file that is composed asks of the local account: reads alone, of what is there already."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops.account.local.answering import answer
from mlops.account.local.refusal import Refusal
from mlops.account.local.state import STORE, State

if TYPE_CHECKING:
    from mlops.project.environments import Environment

_MOST_BYTES = 1 << 20
"""Of an object that stands in an answer."""


def look_up(
    environment: Environment, service: str, operation: str, request: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """None where the account has never been used, does not know, or has an object that is too large."""
    if environment.state is None or not (environment.state / STORE).is_file():
        return None
    try:
        found = dict(answer(State(environment.state, environment.region), service, operation, request))
        body = found.get("Body")
        if body is not None:
            content = body.read(_MOST_BYTES + 1)
            body.close()
            if len(content) > _MOST_BYTES:
                return None
            found["Body"] = base64.b64encode(content).decode()
    except Refusal:
        return None
    plain: Mapping[str, Any] = json.loads(json.dumps(found, default=str))
    return plain
