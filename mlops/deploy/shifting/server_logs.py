"""What a variant's model server writes: where that lies, and what it raised last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlops.account import answers
from mlops.account.answers import Refused

_GROUP = "/aws/sagemaker/Endpoints/"
_RAISED = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning)\b(?:: .*)?")
"""The line of a traceback that names the exception."""
_TAIL, _STREAMS, _LONGEST = 2000, 5, 200


def where(endpoint: str, variant: str) -> str:
    """In CloudWatch Logs, whichever account it is.

    >>> where("churn", "green")
    'its log: /aws/sagemaker/Endpoints/churn in CloudWatch Logs, streams green/'
    """
    return f"its log: {_GROUP}{endpoint} in CloudWatch Logs, streams {variant}/"


def where_here(endpoint: str, variant: str) -> str:
    """In the local account, below the project.

    >>> where_here("churn", "green")
    'its log: .mlops/endpoints/churn/logs/green/'
    """
    return f"its log: .mlops/endpoints/{endpoint}/logs/{variant}/"


def raised(client: Any, endpoint: str, variant: str, since: float) -> str | None:
    """The exception that a server of the variant wrote last, in its first line; None where none is seen, or nobody may
    look. ``client`` is of CloudWatch Logs. Not of a server that has written nothing since then, in seconds since 1970:
    another version may have had the variant's name."""
    try:
        with answers():
            return next(_raised(client, f"{_GROUP}{endpoint}", f"{variant}/", since), None)
    except Refused:
        return None


def _raised(client: Any, group: str, prefix: str, since: float) -> Iterator[str]:
    listed = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
    last = sorted(listed, key=lambda stream: int(stream.get("lastIngestionTime") or 0), reverse=True)
    for stream in last[:_STREAMS]:
        if int(stream.get("lastIngestionTime") or 0) < since * 1000:
            return
        events = client.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], limit=_TAIL, startFromHead=False
        )["events"]
        yield from found_in([str(event["message"]) for event in events])


def found_in(lines: Sequence[str]) -> Iterator[str]:
    """The last first.

    >>> list(found_in(["Traceback (most recent call last):", '  File "x", line 1', "ValueError: no", "200 OK"]))
    ['ValueError: no']
    """
    for line in reversed(lines):
        found = _RAISED.fullmatch(line.strip())
        if found is not None:
            yield found[0][:_LONGEST]
