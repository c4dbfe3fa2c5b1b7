"""What the jobs and functions of an execution print, while they print it: each line once, of every host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.executions.following import StepState
from mlops.deploy.pages import items


class Printed:
    """Reads on where it was, by the tokens that the service gives for each stream."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tokens: dict[tuple[str, str], str | None] = {}

    def since(self, step: StepState, *, first_host: bool = False) -> Iterator[str]:
        """Whole lines that were not given before; none of a step without a job or a function of the local account.
        ``first_host``: of no other."""
        group, streams_begin = step.log_group, step.log_streams(self._account)
        if group is None or streams_begin is None:
            return
        client = self._account.client("logs")
        streams = streams_of(client, group, streams_begin)
        for stream in streams[:1] if first_host else streams:
            token = self._tokens.get((group, stream))
            while True:
                events, following = _read(client, group, stream, token)
                yield from events
                if following == token:
                    break
                self._tokens[group, stream] = token = following


def streams_of(client: Any, group: str, begin: str) -> Sequence[str]:
    """None before the first host begins to print."""

    def names() -> list[str]:
        found = items(client, "describe_log_streams", "logStreams", logGroupName=group, logStreamNamePrefix=begin)
        return [str(stream["logStreamName"]) for stream in found]

    with answers():
        return unless_missing(names) or ()


def _read(client: Any, group: str, stream: str, token: str | None) -> tuple[list[str], str | None]:
    where = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    with answers():
        reply = unless_missing(lambda: client.get_log_events(**where, **({"nextToken": token} if token else {})))
    if reply is None:
        return [], token
    return [str(event["message"]).rstrip("\n") for event in reply["events"]], reply.get("nextForwardToken")
