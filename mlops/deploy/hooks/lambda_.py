"""A Lambda function of the environment's account: it is invoked with the facts and waited for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.account import answers
from mlops.deploy.bounded import TookTooLong, within
from mlops.deploy.hooks import need_known, seconds
from mlops.ir import AccountError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.ir.hook import Around, Facts, HookFailed, HookKind

_LONGEST = 900.0
"""A function runs no longer (guide: Lambda quotas)."""
_SAID = 300


@dataclass(frozen=True, slots=True)
class Settings:
    """A name, or an ARN."""

    function: str
    timeout: float


def read(table: Mapping[str, Any]) -> Settings:
    need_known(table, ("lambda", "timeout"))
    function = table["lambda"]
    if not isinstance(function, str) or not function:
        raise ValueError("lambda: give the name of a function, or its ARN")
    return Settings(function, seconds(table.get("timeout", 60), _LONGEST))


def call(settings: Settings, facts: Facts, around: Around) -> None:
    name = settings.function

    def invoked() -> tuple[str, bytes]:
        with answers():
            reply = around.client("lambda").invoke(
                FunctionName=name,
                InvocationType="RequestResponse",
                Payload=json.dumps(facts.as_dictionary(), ensure_ascii=False).encode(),
            )
            return str(reply.get("FunctionError") or ""), reply["Payload"].read()

    try:
        error, payload = within(settings.timeout, invoked)
    except (AccountError, TookTooLong) as failure:
        raise HookFailed(f"the function {name}: {failure}") from failure
    if error:
        raise HookFailed(f"the function {name} failed{_reason(payload)}")


def _reason(payload: bytes) -> str:
    try:
        told = json.loads(payload)
    except ValueError:
        return ""
    said = told.get("errorMessage") if isinstance(told, dict) else None
    if not isinstance(said, str):
        return ""
    hidden: str = hide(" ".join(said.split()))
    return f": {hidden[:_SAID]}"


HOOK = HookKind("lambda", "a function of the account", read, call)
