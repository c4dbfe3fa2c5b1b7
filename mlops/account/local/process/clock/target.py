"""Whom something can be delivered to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """``target`` is EventBridge's, ``text`` what is delivered. ``token`` is the same for each try; ``ids`` are of what
    caused it."""

    target: Mapping[str, Any]
    text: str | None
    token: str
    about: str
    ids: Mapping[str, str]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """``arn`` is what ARNs of the kind look like. ``deliver`` raises a Refusal for what will never be taken, and gives
    ids of what came of it. Where it ``takes_long``, as somebody's code may, the clock does not wait for it."""

    arn: re.Pattern[str]
    deliver: Callable[[State, Delivery], Mapping[str, str]]
    takes_long: Callable[[Delivery], bool] = lambda delivery: False
