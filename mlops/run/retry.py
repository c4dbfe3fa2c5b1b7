"""RetryPolicies: whether a failed step is tried again, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass

_INTERVAL, _BACKOFF, _ATTEMPTS = 1.0, 2.0, 5  # AWS documentation: pipelines-retry-policy


@dataclass(frozen=True, slots=True)
class Policy:
    """``attempts`` counts retries, not the first try; it is None where ``expire_seconds`` limits instead."""

    exceptions: frozenset[str]
    interval: float
    backoff: float
    attempts: int | None
    expire_seconds: float | None


@dataclass(slots=True)
class Retries:
    """The retries of one step in one run; each policy counts those that it gave."""

    policies: tuple[Policy, ...]
    began: float
    given: dict[int, int] = field(default_factory=dict)

    def delay(self, fault: str | None, moment: float) -> float | None:
        """Seconds to wait for the next try, None where there is to be none. ``fault`` is an exception type; the first
        policy that names it decides. ``moment`` and ``began`` are of one monotonic clock."""
        for index, policy in enumerate(self.policies):
            if fault not in policy.exceptions:
                continue
            tried = self.given.get(index, 0)
            wait = policy.interval * policy.backoff**tried
            if policy.attempts is not None and tried >= policy.attempts:
                return None
            if policy.expire_seconds is not None and moment + wait - self.began > policy.expire_seconds:
                return None
            self.given[index] = tried + 1
            return wait
        return None


def policies(listed: Any) -> tuple[Policy, ...]:
    """``listed`` is the step's RetryPolicies, evaluated; the checker has refused what is malformed."""
    return tuple(_policy(item) for item in listed or () if isinstance(item, Mapping))


def _policy(item: Mapping[str, Any]) -> Policy:
    names = item.get("ExceptionType") or ()
    expire = item.get("ExpireAfterMin")
    return Policy(
        frozenset([names] if isinstance(names, str) else names),
        float(item.get("IntervalSeconds", _INTERVAL)),
        float(item.get("BackoffRate", _BACKOFF)),
        int(item.get("MaxAttempts", _ATTEMPTS)) if expire is None else None,
        None if expire is None else float(expire) * 60,
    )
