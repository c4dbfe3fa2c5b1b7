"""A universal target of EventBridge Scheduler: an operation is called with what the schedule says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from mlops.account.local.answering import answer
from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.state import State

_ARN = re.compile(r"arn:aws[\w-]*:scheduler:::aws-sdk:([a-z0-9-]+):(\w+)")
_NAMED = {"eventbridge": "events", "sfn": "stepfunctions", "cloudwatchlogs": "logs"}
"""Services by the SDK's names, as boto3 has them."""
_THERE = ("already", "exists", "ResourceInUse")


def deliver(state: State, delivery: Delivery) -> Mapping[str, str]:
    service, operation = _ARN.fullmatch(str(delivery.target["Arn"])).groups()  # type: ignore[union-attr]
    try:
        request = json.loads(delivery.text or "{}")
    except (ValueError, RecursionError) as error:
        raise invalid(f"The input of the schedule is no JSON: {error}") from None
    try:
        answer(state, _NAMED.get(service, service), operation[0].upper() + operation[1:], request)
    except Refusal as refusal:
        # What was cut off behind the call is refused by its name when it is tried again.
        if delivery.attempt == 1 or not any(word in f"{refusal.code} {refusal.message}" for word in _THERE):
            raise
    return {}


def _calls_a_function(delivery: Delivery) -> bool:
    return ":aws-sdk:lambda:" in str(delivery.target["Arn"])


TARGET = Target(_ARN, deliver, _calls_a_function)
