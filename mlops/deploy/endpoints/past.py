"""What was promoted, passed over and taken back, as events, of an account that keeps none: made of the histories of its
endpoints, the same each time they are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mlops.account import Account, answers
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.diary import ENDED, OVERRIDDEN
from mlops.deploy.endpoints.history import DECLARED, Entry
from mlops.ir import Event, Value
from mlops.project.environments import Environment

_PROMOTED = ("created", "updated")


def past_promotions(account: Account, environment: Environment, since: datetime) -> Iterator[Event]:
    """That a gate refused is in no history."""
    for endpoint in history.endpoints(account, environment):
        with answers():
            entries = history.read(account, environment, endpoint)
        for entry in entries:
            at = datetime.fromisoformat(entry.at).astimezone(UTC)
            if at >= since:
                yield from _told(endpoint, entry, at)


def _told(endpoint: str, entry: Entry, at: datetime) -> Iterator[Event]:
    ids = {"endpoint": endpoint}
    if entry.id:
        ids["promotion"] = entry.id
    if entry.version != DECLARED:
        ids |= {"model-package": f"{entry.group}/{entry.version}", "model-package-group": entry.group}
    detail: dict[str, Value] = {"by": entry.by, **({"reason": entry.reason} if entry.reason else {})}
    gates = history.passed_over_in(entry.how)
    if entry.verb in _PROMOTED:
        if gates:
            yield Event(OVERRIDDEN, at, endpoint, ids, {**detail, "what": gates})
        yield Event(ENDED, at, endpoint, ids, {**detail, "config": entry.config, "action": entry.verb})
    elif entry.verb in history.BACK:
        yield Event("shift.taken-back", at, endpoint, ids, {**detail, "outcome": entry.verb})
