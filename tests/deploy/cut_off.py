"""A change of an account that is killed behind one of its calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mlops.account import Account
from mlops.deploy import calls
from mlops.ir.resource import Call, ResourceType


class Killed(BaseException):
    """Nothing of ours catches it."""


@contextmanager
def killed_behind(operation: str) -> Iterator[None]:
    """What is done inside has to come to ``operation``, and gets no further."""
    make = calls.make

    def cut(
        account: Account, kind: ResourceType, asked: Iterable[Call], before: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        told = before or {}
        for call in asked:
            told = make(account, kind, (call,), told)
            if call.operation == operation:
                raise Killed
        return told

    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        patched.setattr(calls, "make", cut)
        yield
