"""What happened in an OpenSearch: set up, put, asked for. The local environment, where its table names none, has one of
its own for as long as somebody asks: all in memory, made of what the account keeps."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from mlops.ir import Listener, MlopsError, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.event_fields import EVENTS, INDEX
from mlops.ir.index import Index
from mlops.observe.search import querying, setting_up
from mlops.observe.search.asking import TIMEOUT, Answered, Ask, Place, asking
from mlops.observe.search.bulk import Rejected, Written
from mlops.observe.search.embedded import embedded
from mlops.observe.search.querying import Found, Question
from mlops.project.private import opener, private_folder
from mlops.project.root import STATE
from mlops.use_cases.approval import Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.events_since import PAGE
from mlops.use_cases.moments import moment
from mlops.use_cases.news import Said
from mlops.use_cases.searched import Searched, chosen, of_events, searched, write, written

REJECTED = "rejected.ndjson"
_FOLDER = "search"
_LOOK_SECONDS = 1.0
_ANSWER_SECONDS, _ATTEMPTS_BESIDE = 5.0, 2
"""Beside a run, which begins and ends without an OpenSearch that does not answer."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how long: an index is written for ``rollover`` days and kept for ``keep`` more."""

    rollover: int = setting_up.ROLLOVER_DAYS
    keep: int = setting_up.KEEP_DAYS
    replicas: int = 1
    shards: int = 1


@dataclass(frozen=True, slots=True)
class SetUp:
    """``done`` is empty where nothing was to be done; with ``dry`` it is what would be. ``managed``: old indices are
    removed by the server."""

    url: str
    done: tuple[str, ...]
    managed: bool
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """``each`` is what came of the documents of an index. ``unknown`` counts members of events that no field is for,
    and values of features that are none of their kind. ``kept`` is where what was rejected lies."""

    url: str
    each: Sequence[tuple[Index, Written]]
    unknown: Mapping[str, int]
    kept: Path | None

    @property
    def written(self) -> Written:
        """Of all."""
        total = Written()
        for _, its in self.each:
            total += its
        return total


def set_up(environment: str, keeping: Keeping, consent: Consent, *, dry: bool = False) -> SetUp:
    """
    Raises:
        ConfigurationError: the environment names no OpenSearch.
        Refusal: it wants an approval.
    """
    connected = connect_here(environment)
    place = _named(connected)
    ask = _asking(connected, place)
    seen = [setting_up.see(ask, what.index) for what in searched(connected)]
    actions = [action for each in seen for action in _decided(each, keeping)]
    labels = tuple(action.label for action in actions)
    if actions and not dry:
        holds = ", ".join(each.index.holds for each in seen)
        need_consent(connected, f"set up {place.url} for {holds} ({len(labels)} changes)", consent)
        for each in seen:
            setting_up.apply_all(ask, each, lambda it: _decided(it, keeping))
    return SetUp(place.url, labels, seen[0].managed, dry)


def put(environment: str, since: str | None, consent: Consent, listener: Listener) -> Put:
    """All that is not there yet. Raises UsageError where nothing was set up."""
    connected = connect_here(environment)
    place = _named(connected)
    ask = _asking(connected, place)
    wanted = searched(connected)
    for what in wanted:
        _need_set_up(ask, environment, what.index)
    holds = ", ".join(what.index.holds for what in wanted)
    need_consent(connected, f"put {holds} into {place.url}", consent)
    begin = moment(since, "--since")
    each: list[tuple[Index, Written]] = []
    unknown: Counter[str] = Counter()
    for what in wanted:
        done, lost = write(ask, connected, what, begin)
        each.append((what.index, done))
        unknown.update(lost)
    if connected.account.events is None:
        listener(Said(text="the account keeps no events: these are made of its ended executions"))
    return Put(place.url, each, unknown, _keep(connected, each))


def query(
    environment: str,
    words: str | None,
    *,
    since: str | None,
    until: str | None,
    by: str | None,
    most: int,
    of: str = "events",
) -> Found:
    """``of`` which index, by a word of :data:`~mlops.use_cases.searched.OF`. Raises UsageError for what is no query."""
    if not 1 <= most <= querying.MOST:
        raise UsageError(f"{most} are not told at once", hint=f"1 to {querying.MOST} are")
    begin, end = _iso(since, "--since"), _iso(until, "--until")
    connected = connect_here(environment)
    what = chosen(connected, of)
    question = Question(words, begin, end, by, most, what.index)
    querying.body_of(question)
    with _place(connected) as (place, own):
        ask = _asking(connected, place)
        if own:
            _filled(ask, connected, what, moment(since, "--since"))
        try:
            return querying.ask_for(ask, question)
        except Answered as refused:
            if refused.status == 404:
                _need_set_up(ask, environment, what.index)
            raise


@contextmanager
def serving(port: int | None, listener: Listener) -> Iterator[str]:
    """The URL of an OpenSearch on this machine that has the local account's events, also those that come meanwhile,
    until it is left."""
    connected = connect_here("local")
    with embedded(port or 0) as place:
        ask = asking(place, connected.account.region, lambda: None)
        last = _last(connected)
        _filled(ask, connected, chosen(connected, "events"), None)
        with _following(lambda after: _put_after(ask, connected, after), last, listener):
            yield place.url


@contextmanager
def beside(connected: Connected, listener: Listener) -> Iterator[None]:
    """While something runs in the account its events go into the environment's OpenSearch, or into one of this
    process. What keeps them from it is said, and ends nothing."""
    own = False
    with ExitStack() as opened:
        try:
            place, own = opened.enter_context(_place(connected))
            ask = _asking(connected, place, _ANSWER_SECONDS)
            if own:
                last = _last(connected)
                _filled(ask, connected, chosen(connected, "events"), None)
                listener(Said(text=f"events are searched at {place.url}/{INDEX}/_search while this runs"))
            else:
                _need_set_up(ask, connected.environment.name, EVENTS)
                last = _last(connected)
        except MlopsError as error:
            own, hint = False, f"; {error.hint}" if error.hint else ""
            listener(Said(text=f"events are not searched while this runs: {error.message}{hint}"))
        else:
            opened.enter_context(_following(lambda after: _put_after(ask, connected, after), last, listener))
        yield
    if own:
        listener(Said(text="`mlops search query` has them from now on"))


@contextmanager
def _following(put_after: Callable[[int], int], last: int, listener: Listener) -> Iterator[None]:
    """A thread that puts what is new about each second, and at the end."""
    ended = threading.Event()
    troubles: list[str] = []

    def go_on() -> None:
        after = last
        while True:
            over = ended.wait(_LOOK_SECONDS)
            try:
                after = put_after(after)
            except MlopsError as error:
                troubles.append(error.message)
            if over:
                return

    thread = threading.Thread(target=go_on, name="events", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if troubles:
            listener(Said(text=f"events could not be put, last: {troubles[-1]}; `mlops search put` puts them"))


def _place_of(connected: Connected) -> Place | None:
    return connected.environment.search


def _named(connected: Connected) -> Place:
    """The environment's. Raises UsageError for the local one's own, which needs neither setting up nor putting."""
    place = _place_of(connected)
    if place is not None:
        if place.service == "aoss":
            raise UsageError(
                f"{place.url} is a serverless collection, which has no aliases and no rollover",
                hint="events go into a domain: OpenSearch Service, or a server of your own",
            )
        return place
    name = connected.environment.name
    hint = f'write [env.{name}.search] with url = "https://..." in mlops.toml'
    if connected.environment.is_local:
        raise UsageError(
            "the local environment names no OpenSearch; `mlops search query` has its events without one", hint=hint
        )
    raise UsageError(f"the environment {name} names no OpenSearch", hint=hint)


@contextmanager
def _place(connected: Connected) -> Iterator[tuple[Place, bool]]:
    """And whether it is one of this process."""
    if connected.environment.is_local and _place_of(connected) is None:
        with embedded() as own:
            yield own, True
    else:
        yield _named(connected), False


def _asking(connected: Connected, place: Place, timeout: float = TIMEOUT) -> Ask:
    return asking(place, connected.account.region, connected.account.credentials, timeout=timeout)


def _decided(seen: setting_up.Seen, keeping: Keeping) -> tuple[setting_up.Action, ...]:
    if keeping.rollover < 1 or keeping.keep < 1 or keeping.replicas < 0 or keeping.shards < 1:
        raise UsageError("an index is written for a day at least, kept for a day at least, and has a shard")
    return setting_up.decide(
        seen,
        rollover_days=keeping.rollover,
        keep_days=keeping.keep,
        replicas=keeping.replicas,
        shards=keeping.shards,
    )


def _need_set_up(ask: Ask, environment: str, index: Index) -> None:
    if not setting_up.see(ask, index).indices:
        raise UsageError(
            f"there is no index {index.name} yet",
            hint=f"`mlops search setup --env {environment}` makes it, `mlops search put --env {environment}` fills it",
        )


def _filled(ask: Ask, connected: Connected, what: Searched, since: datetime | None) -> None:
    """An embedded one, from nothing."""
    setting_up.apply_all(ask, setting_up.see(ask, what.index), lambda it: _decided(it, Keeping(replicas=0)))
    write(ask, connected, what, since)


def _put_after(ask: Ask, connected: Connected, after: int) -> int:
    kept = connected.account.events
    if kept is None:
        return after
    while page := kept.read(after, limit=PAGE):
        written(ask, EVENTS, of_events(connected, iter(page)), _ATTEMPTS_BESIDE)
        after = page[-1].sequence or after
    return after


def _last(connected: Connected) -> int:
    """The number of the newest event."""
    after, kept = 0, connected.account.events
    while kept is not None and (page := kept.read(after, limit=PAGE)):
        after = page[-1].sequence or after
    return after


def _iso(written: str | None, option: str) -> str | None:
    found = moment(written, option)
    return None if found is None else found.isoformat().replace("+00:00", "Z")


def _keep(connected: Connected, each: Sequence[tuple[Index, Written]]) -> Path | None:
    """What was rejected the last time, with the reasons; no file where nothing was."""
    folder = connected.root / STATE / _FOLDER / connected.environment.name
    file = folder / REJECTED
    rejected = [(index, item) for index, its in each for item in its.rejected]
    if not rejected:
        file.unlink(missing_ok=True)
        return None
    private_folder(folder)
    new = folder / f"{REJECTED}.{os.getpid()}.new"
    with open(new, "w", opener=opener) as kept:
        for index, item in rejected:
            kept.write(f"{json.dumps(_told(index, item))}\n")
    new.replace(file)
    return file


def _told(index: Index, item: Rejected) -> Mapping[str, object]:
    return {
        "index": index.name,
        "id": item.document.id,
        "status": item.status,
        "reason": item.reason,
        "document": item.document.body,
    }
