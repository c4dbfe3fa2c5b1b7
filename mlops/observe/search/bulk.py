"""Documents into an index: many in one request, whose answer is read item by item.

OpenSearch answers 200 to a request of which a part failed. What it had no room for is sent again, alone and with a
pause; what it will never take is kept with its reason. Documents have ids that follow from what they say: one that is
there already, in whichever index behind the alias, is not written another time.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlops.ir import AccountError
from mlops.ir.dataclass import dataclass
from mlops.observe.search.asking import Answered, Ask, Unreached, understood
from mlops.observe.search.documents import Document

MOST_DOCUMENTS, LARGEST_REQUEST = 1_000, 4 * 1024 * 1024
ATTEMPTS = 8
SILENT_SECONDS = 120.0
"""So long no answer is waited for, in all: one alone may take a minute."""
_FIRST_SECONDS, _LONGEST_SECONDS = 0.1, 10.0
_THERE = 409
_LONGEST_REASON = 500
"""Characters: a server may quote the whole document."""
_TOO_LARGE = 413
_PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same may be taken."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """It will never be taken as it is."""

    document: Document
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """``again`` counts how often one was sent another time."""

    created: int = 0
    there: int = 0
    again: int = 0
    requests: int = 0
    rejected: tuple[Rejected, ...] = ()

    def __add__(self, other: Written) -> Written:
        return Written(
            self.created + other.created,
            self.there + other.there,
            self.again + other.again,
            self.requests + other.requests,
            (*self.rejected, *other.rejected),
        )


class Writer:
    """Of one index. ``sleep``, ``clock`` and ``chance`` are injected in tests."""

    def __init__(
        self,
        ask: Ask,
        index: str,
        *,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self._ask, self._index, self._attempts, self._sleep = ask, index, attempts, sleep
        self._chance = chance or random.Random()  # noqa: S311 - spreads attempts, hides nothing
        self._clock, self._silent, self._unanswered = clock, 0.0, 0
        self._created = self._there = self._again = self._requests = 0
        self._rejected: list[Rejected] = []

    def write(self, documents: Iterable[Document]) -> Written:
        """All of them, in their order, as far as they are new.

        Raises:
            AccountError: some were not taken after all attempts, or nothing was answered for :data:`SILENT_SECONDS`;
                what was taken is not written again.
        """
        self._asked("POST", f"/{self._index}/_refresh", None)
        for batch in _batches(documents):
            known = self._known(batch)
            self._there += len(known)
            new = [document for document in batch if document.id not in known]
            if new:
                self._put(new)
        self._asked("POST", f"/{self._index}/_refresh", None)
        return Written(self._created, self._there, self._again, self._requests, tuple(self._rejected))

    def _known(self, batch: Sequence[Document]) -> frozenset[str]:
        """Those that are there: an index that is not written any more would not say so when one is put."""
        ids = [document.id for document in batch]
        query = {"size": len(ids), "_source": False, "query": {"ids": {"values": ids}}}
        found = self._asked("POST", f"/{self._index}/_search", query)
        with understood(f"POST /{self._index}/_search"):
            return frozenset(str(hit["_id"]) for hit in found["hits"]["hits"])

    def _put(self, documents: Sequence[Document]) -> None:
        left, attempt, why = list(documents), 0, ""
        while left:
            if attempt == self._attempts:
                raise AccountError(
                    f"OpenSearch did not take {len(left)} of {len(documents)} documents in {attempt} attempts: {why}",
                    hint="what was taken is there; the same command puts the rest",
                )
            if attempt:
                self._again += len(left)
                self._pause(attempt)
            attempt += 1
            try:
                self._requests += 1
                answer = self._answered("POST", f"/{self._index}/_bulk?require_alias=true", _lines(left))
            except Answered as refused:
                if refused.status == _TOO_LARGE and len(left) > 1:
                    middle = len(left) // 2
                    self._put(left[:middle])
                    self._put(left[middle:])
                    return
                if refused.status == _TOO_LARGE:
                    self._rejected += [Rejected(document, _TOO_LARGE, refused.message) for document in left]
                    return
                if refused.status not in _PASSING:
                    raise
                why = refused.message
                continue
            except Unreached as silent:
                # It may have taken them; their ids tell it so the next time.
                why = silent.message
                continue
            left, why = self._read(left, answer)

    def _read(self, sent: Sequence[Document], answer: Mapping[str, Any]) -> tuple[list[Document], str]:
        """What is to be sent again, and why."""
        left: list[Document] = []
        why = ""
        with understood(f"POST /{self._index}/_bulk"):
            items = [_item(told) for told in answer["items"]]
            if len(items) != len(sent):
                raise ValueError(f"{len(items)} items for {len(sent)} documents")
        for document, (status, reason) in zip(sent, items, strict=True):
            if status < 300:
                self._created += 1
            elif status == _THERE:
                self._there += 1
            elif status in _PASSING:
                left.append(document)
                why = reason
            else:
                self._rejected.append(Rejected(document, status, reason))
        return left, why

    def _asked(self, method: str, path: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """What changes nothing, asked again where it is refused for the moment."""
        for attempt in range(1, self._attempts):
            try:
                return self._answered(method, path, body)
            except Answered as refused:
                if refused.status not in _PASSING:
                    raise
            except Unreached:
                pass
            self._pause(attempt)
        return self._answered(method, path, body)

    def _answered(self, method: str, path: str, body: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
        """Raises AccountError where so much has been waited for no answer that another would be too late, too."""
        began = self._clock()
        try:
            answer = self._ask(method, path, body)
        except Unreached as silent:
            self._silent += self._clock() - began
            self._unanswered += 1
            if self._silent < SILENT_SECONDS:
                raise
            waited = f"{self._unanswered} requests waited {self._silent:.0f} seconds for an answer"
            raise AccountError(
                f"{silent.message}: {waited}, the last of them {method} {path.partition('?')[0]}",
                hint="what was taken is there; the same command puts the rest, once OpenSearch answers",
            ) from None
        self._silent, self._unanswered = 0.0, 0
        return answer

    def _pause(self, attempt: int) -> None:
        self._sleep(self._chance.uniform(0, min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0**attempt)))


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """No more than one request takes."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        own = len(_line(document))
        if batch and (len(batch) >= MOST_DOCUMENTS or size + own > LARGEST_REQUEST):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += own
    if batch:
        yield batch


def _lines(documents: Sequence[Document]) -> str:
    return "".join(map(_line, documents))


def _line(document: Document) -> str:
    action = json.dumps({"create": {"_id": document.id}})
    return f"{action}\n{json.dumps(document.body, ensure_ascii=True, separators=(',', ':'))}\n"


def _item(told: Mapping[str, Any]) -> tuple[int, str]:
    (its,) = told.values()
    return int(its["status"]), _reason(its)[:_LONGEST_REASON]


def _reason(told: Mapping[str, Any]) -> str:
    error = told.get("error")
    if not isinstance(error, Mapping):
        return str(error)
    cause = error.get("caused_by")
    behind = f": {cause.get('reason')}" if isinstance(cause, Mapping) and cause.get("reason") else ""
    return f"{error.get('reason') or error.get('type')}{behind}"
