"""What a machine of feedback did in an account: its journal says when and why, its executions how far they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy import conditional_object
from mlops.ir.feedback import Loop
from mlops.project.environments import Environment

_STATES = {"RUNNING": "running", "PENDING_REDRIVE": "running", "SUCCEEDED": "done"}


def journal_of(environment: Environment, name: str) -> str:
    """The key of the object that a machine replaces."""
    return conditional_object.key(environment, "feedback", f"{environment.name}-{name}.json")


def acts(account: Account, environment: Environment, name: str, last: int | None = None) -> tuple[Loop, ...]:
    """Oldest first, only the ``last`` where that is given. Raises Refusal for a journal that cannot be read."""
    with answers():
        found = conditional_object.get(account, environment, journal_of(environment, name))
    if found is None:
        return ()
    try:
        told = [_loop(name, number, act) for number, act in enumerate(json.loads(found.content)["Acts"], 1)]
    except (ValueError, RecursionError, KeyError, TypeError, OverflowError):
        raise conditional_object.unreadable(environment, journal_of(environment, name)) from None
    return tuple(_ended(account, loop) for loop in (told if last is None else told[-last:]))


def _loop(name: str, number: int, act: Mapping[str, Any]) -> Loop:
    at = datetime.fromtimestamp(act["At"] / 1000, UTC)
    return Loop(name, number, "running", at, at, {"why": str(act["Why"]), "machine": str(act["Execution"])})


def _ended(account: Account, loop: Loop) -> Loop:
    """An account forgets an execution after 90 days."""
    asked = {"executionArn": loop.told["machine"]}
    with answers():
        found = unless_missing(lambda: account.client("stepfunctions").describe_execution(**asked))
    if found is None:
        return Loop(loop.feedback, loop.cause, "forgotten", loop.created, loop.modified, loop.told)
    verdict = {}
    if found.get("error") or found.get("cause"):
        verdict = {"verdict": f"{found.get('error')}: {found.get('cause')}"}
    state = _STATES.get(found["status"], "failed")
    return Loop(
        loop.feedback, loop.cause, state, loop.created, found.get("stopDate") or loop.modified, {**loop.told, **verdict}
    )
