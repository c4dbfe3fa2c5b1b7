"""A queue gets a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.services.sqs import queues
from mlops.account.local.state import State


def _deliver(state: State, delivery: Delivery) -> Mapping[str, str]:
    name = str(delivery.target["Arn"]).rpartition(":")[2]
    request: dict[str, Any] = {"QueueUrl": name, "MessageBody": delivery.text or "{}"}
    if name.endswith(".fifo"):
        group = (delivery.target.get("SqsParameters") or {}).get("MessageGroupId") or delivery.about
        request |= {"MessageGroupId": group, "MessageDeduplicationId": delivery.token}
    queues.send_message(state, request)
    return {"queue": name}


TARGET = Target(re.compile(r"arn:aws[\w-]*:sqs:[^:]*:\d*:[^:]+"), _deliver)
