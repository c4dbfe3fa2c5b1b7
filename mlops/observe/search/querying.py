"""Documents that are asked for by people: words of a query, a time, and how many of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir import UsageError
from mlops.ir.choices import near
from mlops.ir.dataclass import dataclass
from mlops.ir.event_fields import EVENTS
from mlops.ir.index import TIME, Index
from mlops.observe.search.asking import Answered, Ask, understood

MOST = 10_000
_EXISTS = "_exists_"
_NAMES = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\w.@\\])(?P<name>[A-Za-z@_][\w.@-]*):')
"""What stands in quotes is no name."""
_ASKED = re.compile(rf"(?<![\w.]){_EXISTS}:([\w.@-]+)")


@dataclass(frozen=True, slots=True)
class Question:
    """``words`` are a query string: ``detail.status:Failed AND ids.pipeline:churn``. ``since`` and ``until`` are
    moments in ISO-8601. ``by`` is a field of whose values the numbers are told, ``index`` what is asked."""

    words: str | None = None
    since: str | None = None
    until: str | None = None
    by: str | None = None
    most: int = 20
    index: Index = EVENTS


@dataclass(frozen=True, slots=True)
class Found:
    """``events`` are the newest, ``counts`` by the value of a field."""

    total: int
    events: tuple[Mapping[str, Any], ...]
    counts: Mapping[str, int]


def body_of(question: Question) -> dict[str, Any]:
    """Raises UsageError for a field that there is not."""
    filters: list[dict[str, Any]] = []
    if question.words:
        filters.append(
            {
                "query_string": {
                    "query": written_out(question.words, question.index),
                    "default_operator": "AND",
                    "lenient": True,
                }
            }
        )
    between = {name: at for name, at in (("gte", question.since), ("lt", question.until)) if at is not None}
    if between:
        filters.append({"range": {TIME: between}})
    told: dict[str, Any] = {
        "size": 0 if question.by is not None else question.most,
        "track_total_hits": True,
        "query": {"bool": {"filter": filters}} if filters else {"match_all": {}},
    }
    if question.by is not None:
        told["aggs"] = {
            "by": {
                "terms": {
                    "field": question.index.countable(path_of(question.by, question.index)),
                    "size": question.most,
                }
            }
        }
    else:
        told["sort"] = [{TIME: "desc"}, {question.index.order: "desc"}]
    return told


def path_of(name: str, index: Index) -> str:
    """What stands in a table may be named without it. Raises UsageError.

    >>> path_of("pipeline", EVENTS), path_of("status", EVENTS), path_of("kind", EVENTS)
    ('ids.pipeline', 'detail.status', 'kind')
    """
    known = index.fields
    found = next((path for path in (name, *(f"{table}.{name}" for table in index.inside)) if path in known), None)
    if found is None:
        guess = near(name, (*known, *dict.fromkeys(path.rpartition(".")[2] for path in known)))
        raise UsageError(
            f"{index.holds} have no field {name!r}",
            hint=f"did you mean {guess}?"
            if guess
            else 'they are listed in docs/search.md; put what is no field in "..."',
        )
    return found


def written_out(words: str, index: Index) -> str:
    """A query whose fields are named in full. Raises UsageError for one that there is not: the server would find
    nothing, without a word.

    >>> written_out('status:Failed AND pipeline:"a:b"', EVENTS)
    'detail.status:Failed AND ids.pipeline:"a:b"'
    """

    def named(found: re.Match[str]) -> str:
        name = found["name"]
        return found[0] if name is None or name == _EXISTS else f"{path_of(name, index)}:"

    told = _NAMES.sub(named, words)
    return _ASKED.sub(lambda found: f"{_EXISTS}:{path_of(found[1], index)}", told)


def ask_for(ask: Ask, question: Question) -> Found:
    """
    Raises:
        UsageError: the words are no query.
        AccountError: it does not answer.
    """
    try:
        answer = ask("POST", f"/{question.index.name}/_search", body_of(question))
    except Answered as refused:
        if refused.status == 400 and question.words:
            raise UsageError(
                f"{question.words!r} is no query: {refused.message}",
                hint="write it as FIELD:VALUE AND FIELD:VALUE, words with a colon or a slash in quotes",
            ) from None
        raise
    with understood(f"POST /{question.index.name}/_search"):
        hits = answer["hits"]
        counts: Sequence[Mapping[str, Any]] = answer.get("aggregations", {}).get("by", {}).get("buckets", ())
        return Found(
            int(hits["total"]["value"]),
            tuple(dict(hit["_source"]) for hit in hits["hits"]),
            {str(bucket.get("key_as_string", bucket["key"])): int(bucket["doc_count"]) for bucket in counts},
        )
