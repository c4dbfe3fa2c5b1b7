"""What happened in an account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mlops.ir import Event
from mlops.ir.placeholders import LOCAL_ACCOUNT
from mlops.observe.search.documents import Origin
from mlops.use_cases.connecting import Connected

PAGE = 1000


def origin(connected: Connected) -> Origin:
    """Whose they are."""
    account = connected.environment.account or LOCAL_ACCOUNT
    return Origin(connected.environment.name, account, connected.account.region)


def events_since(connected: Connected, since: datetime | None) -> Iterator[Event]:
    kept = connected.account.events
    if kept is None:
        # The local account keeps its own.
        from mlops.deploy.endpoints.past import past_promotions
        from mlops.deploy.executions.past import past_events

        begin = since or datetime.now(UTC) - timedelta(days=30)
        yield from past_events(connected.account, begin)
        yield from past_promotions(connected.account, connected.environment, begin)
        return
    after = 0
    while page := kept.read(after, limit=PAGE):
        yield from (event for event in page if since is None or event.time >= since)
        after = page[-1].sequence or after
