"""A Lambda function is called with the event."""

from __future__ import annotations

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
        raise Refusal("FunctionError", str(reply["Payload"].read().decode())[:500])
    return {"function": arn.rpartition(":function:")[2]}


TARGET = Target(re.compile(r"arn:aws[\w-]*:lambda:[^:]*:\d*:function:.+"), _deliver)
