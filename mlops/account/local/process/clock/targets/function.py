"""A Lambda function is called with the event. Of an error its kind is told: its text may quote
what the function was given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.lambda_ import functions
from mlops.account.local.state import State


def _deliver(state: State, delivery: Delivery) -> Mapping[str, str]:
    arn = str(delivery.target["Arn"])
    payload = (delivery.text or "{}").encode()
    reply = functions.invoke(state, {"FunctionName": arn, "Payload": payload})
    if reply.get("FunctionError"):
        raise Refusal("FunctionError", f"it ended with {_kind(reply['Payload'].read())}, see its log")
    return {"function": arn.rpartition(":function:")[2]}


def _kind(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorType"])[:100]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "an error"


TARGET = Target(re.compile(r"arn:aws[\w-]*:lambda:[^:]*:\d*:function:.+"), _deliver, lambda delivery: True)
