"""URLs of queues, which some clients (AWS's SDK for JavaScript) call instead of the address that they were given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops.account.wire.hosts import is_here

_AT_AWS = re.compile(r"https://sqs\.[a-z0-9-]+\.amazonaws\.com/")


def led_here(told: Mapping[str, Any], host: str) -> Mapping[str, Any]:
    """What is told of queues to who asked at ``host``, with URLs that lead to it; to who was led here from a name of
    AWS's, with that.

    >>> led_here({"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/000000000000/q"}, "127.0.0.1:4577")
    {'QueueUrl': 'http://127.0.0.1:4577/000000000000/q'}
    >>> led_here({"QueueUrls": ["https://sqs.eu-west-1.amazonaws.com/0/q"]}, "sqs.eu-west-1.amazonaws.com")
    {'QueueUrls': ['https://sqs.eu-west-1.amazonaws.com/0/q']}
    """
    if not is_here(host):
        return told
    changed = {name: _led(told[name], host) for name in ("QueueUrl", "QueueUrls") if name in told}
    return {**told, **changed}


def _led(value: Any, host: str) -> Any:
    if isinstance(value, list):
        return [_led(item, host) for item in value]
    return _AT_AWS.sub(f"http://{host}/", value, count=1)
