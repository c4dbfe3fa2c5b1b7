"""What goes into an environment's OpenSearch, an index each: events always, the rest where its table says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from mlops.ir import Event, UsageError
from mlops.ir.captured_fields import NAME, captured
from mlops.ir.dataclass import dataclass
from mlops.ir.event_fields import EVENTS
from mlops.ir.index import Index
from mlops.ir.log_fields import LINES, Source
from mlops.observe.search.asking import Ask
from mlops.observe.search.bulk import ATTEMPTS, Writer, Written
from mlops.observe.search.documents import Document, document
from mlops.use_cases.connecting import Connected
from mlops.use_cases.events_since import events_since, origin

OF = {"events": EVENTS.name, "logs": LINES.name, "captured": NAME}
"""Indices by the words by which people ask for them."""
_BOTH: tuple[Source, ...] = ("steps", "endpoints")
_LINES_OF = timedelta(days=1)
"""Of an account of AWS, whose logs may be larger than anybody wants."""
_CAPTURED_OF = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Searched:
    """``documents`` are those from a moment on, as far as the account has them."""

    index: Index
    documents: Callable[[datetime | None], Iterator[Document]]


def searched(connected: Connected) -> tuple[Searched, ...]:
    """Of an environment that names an OpenSearch."""
    place = connected.environment.search
    found = [_events(connected)]
    if place is not None and place.logs:
        found.append(_lines(connected, tuple(place.logs)))
    if place is not None and place.captured:
        found.append(Searched(captured(place.captured), partial(_captured, connected)))
    return tuple(found)


def chosen(connected: Connected, of: str) -> Searched:
    """By one of the words of :data:`OF`. Raises UsageError for what the environment does not have there."""
    found = next((it for it in searched(connected) if it.index.name == OF[of]), None)
    if found is not None:
        return found
    name, place = connected.environment.name, connected.environment.search
    holds = {"logs": LINES.holds, "captured": captured({}).holds}[of]
    if of == "logs" and place is None:
        return _lines(connected, _BOTH)  # for whoever asks here, and for so long
    line = 'logs = ["steps", "endpoints"]' if of == "logs" else 'captured = { ENDPOINT = { FEATURE = "keyword" } }'
    raise UsageError(f"no {holds} of {name} go into an OpenSearch", hint=f"write {line} below [env.{name}.search]")


def write(ask: Ask, connected: Connected, what: Searched, since: datetime | None) -> tuple[Written, Mapping[str, int]]:
    """And how often a member of an event, or the value of a feature, had no place."""
    return written(ask, what.index, what.documents(since))


def written(
    ask: Ask, index: Index, documents: Iterator[Document], attempts: int = ATTEMPTS
) -> tuple[Written, Mapping[str, int]]:
    unknown: Counter[str] = Counter()

    def counted() -> Iterator[Document]:
        for told in documents:
            unknown.update(told.unknown)
            yield told

    return Writer(ask, index.name, attempts=attempts).write(counted()), dict(sorted(unknown.items()))


def of_events(connected: Connected, events: Iterator[Event]) -> Iterator[Document]:
    whose = origin(connected)
    return (document(event, whose) for event in events)


def _events(connected: Connected) -> Searched:
    return Searched(EVENTS, lambda since: of_events(connected, events_since(connected, since)))


def _lines(connected: Connected, sources: tuple[Source, ...]) -> Searched:
    def documents(since: datetime | None) -> Iterator[Document]:
        from mlops.deploy.log_lines import log_lines
        from mlops.observe.search.line_documents import line_document

        begin = since or _ago(connected, _LINES_OF)
        whose = origin(connected)
        return (line_document(line, whose) for line in log_lines(connected.account, sources, begin))

    return Searched(LINES, documents)


def _captured(connected: Connected, since: datetime | None) -> Iterator[Document]:
    from mlops.deploy.captured_rows import captured_rows
    from mlops.deploy.monitors.windows import Window
    from mlops.observe.search.captured_documents import captured_document

    place = connected.environment.search
    features = place.captured if place is not None else {}
    window = Window(since or datetime.now(UTC) - _CAPTURED_OF, datetime.now(UTC))
    whose = origin(connected)
    for row in captured_rows(connected.account, features, window):
        yield captured_document(row, features[row.endpoint], whose)


def _ago(connected: Connected, before: timedelta) -> datetime:
    """All that there is of the local account, which is bounded."""
    return datetime.now(UTC) - before if connected.account.here is None else datetime.fromtimestamp(0, UTC)
