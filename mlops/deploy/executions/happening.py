"""What an execution does, as events: those that the account keeps, or the same made of what it tells at each look."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.account import Account, EventTable
from mlops.ir import Event


class Happening:
    """Events of one execution from its present state on: each is given once. Of what was before the first look the last
    word about each step is given, and about the execution; not what ``known`` tells already."""

    def __init__(self, account: Account, arn: str, known: Iterable[Event] = ()) -> None:
        self._kept: EventTable | None = account.events
        self._ids = {"execution": arn.rpartition("/")[2]}
        self._read = 0
        self._told: dict[str | None, tuple[object, ...]] = {event.ids.get("step"): _word(event) for event in known}

    def since(self, seen: Iterable[Event], *, ended: bool) -> list[Event]:
        """What happened since the last call. ``seen`` is the state that was asked just now, as events: those that the
        account keeps reach as far; what it says beyond them (a run that an older mlops owns keeps none) is told too."""
        found = self._new()
        if not self._read or ended:
            found += [event for event in seen if self._is_news(event)]
        return found

    def _new(self) -> list[Event]:
        first, news = not self._read, list[Event]()
        while self._kept is not None and (page := self._kept.read(self._read, ids=self._ids)):
            news += page
            self._read = page[-1].sequence or 0
        return [event for event in (_last_words(news) if first else news) if self._is_news(event)]

    def _is_news(self, event: Event) -> bool:
        place, word = event.ids.get("step"), _word(event)
        if self._told.get(place) == word:
            return False
        self._told[place] = word
        return True


def _word(event: Event) -> tuple[object, ...]:
    return tuple(event.detail.get(name) for name in ("status", "failure", "attempt"))


def _last_words(events: Iterable[Event]) -> list[Event]:
    """By step in the order in which they began, the execution's behind them."""
    last = {event.ids.get("step"): event for event in events}
    execution = last.pop(None, None)
    return [*last.values(), *([execution] if execution is not None else [])]
