"""An account that may be looked at by whoever connects, and changed only once somebody has said yes.

Each command could ask before it writes, and the next one would forget to. Here every call of every client goes by.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from mlops.account import Account, EventTable, Here
from mlops.ir import Refusal

_ASK = ("BatchDescribe", "BatchGet", "Describe", "Filter", "Get", "Head", "List", "Search", "Simulate")
"""How AWS calls what only asks."""
_NO_CHANGE = frozenset({"AssumeRole", "InvokeEndpoint", "Publish"})
"""Credentials, a question to a model, and a notice that ``mlops.toml`` wants sent."""


def is_change(operation: str) -> bool:
    """Whether an operation of AWS's changes an account, by its name.

    >>> [is_change(name) for name in ("DescribeModel", "HeadBucket", "InvokeEndpoint", "PutObject", "RetryJob")]
    [False, False, False, True, True]
    """
    return operation not in _NO_CHANGE and not operation.startswith(_ASK)


class Protected:
    """``account``, whose changes raise Refusal until :meth:`release`."""

    def __init__(self, account: Account, environment: str) -> None:
        self._account = account
        self._environment = environment
        self._released = False
        self._watched: set[str] = set()
        self._lock = Lock()

    def release(self) -> None:
        """From here on it is the account itself."""
        self._released = True

    @property
    def region(self) -> str:
        return self._account.region

    @property
    def events(self) -> EventTable | None:
        return self._account.events

    @property
    def here(self) -> Here | None:
        return self._account.here

    def credentials(self) -> Any:
        return self._account.credentials()

    def rest(self, execution: str, seconds: float) -> None:
        self._account.rest(execution, seconds)

    def client(self, service: str) -> Any:
        client = self._account.client(service)
        if self._released:
            return client
        with self._lock:
            if service not in self._watched:
                client.meta.events.register_first("before-parameter-build", self._judge)
                self._watched.add(service)
        return client

    def _judge(self, model: Any, **_: Any) -> None:
        if not self._released and is_change(model.name):
            raise Refusal(
                f"the environment {self._environment} wants an approval; {model.name} was about to go without"
            )
