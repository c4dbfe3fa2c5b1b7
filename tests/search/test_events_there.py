"""Events in OpenSearch: the embedded one, and by the judge ``search`` a real one, are asked the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlops.ir import UsageError
from mlops.ir.event_fields import EVENTS, INDEX
from mlops.ir.index import Index
from mlops.observe.search import setting_up, template
from mlops.observe.search.asking import Answered, Ask, asking
from mlops.observe.search.bulk import Writer
from mlops.observe.search.documents import Document
from mlops.observe.search.querying import Question, ask_for
from tests.observe.search.place import At
from tests.search.happened import documents

KEPT: Any = {"rollover_days": 30, "keep_days": 365, "replicas": 0}


def set_up(ask: Ask, index: Index = EVENTS) -> list[str]:
    actions = setting_up.decide(setting_up.see(ask, index), **KEPT)
    for action in actions:
        setting_up.apply(ask, action)
    return [action.label for action in actions]


def lines(*documents: Document) -> str:
    return "".join(f"{json.dumps({'create': {'_id': it.id}})}\n{json.dumps(it.body)}\n" for it in documents)


def test_it_is_set_up_once(ask: Ask) -> None:
    assert set_up(ask) == [f"make the index template {INDEX}", f"make the index {INDEX}-000001"]
    assert set_up(ask) == []
    seen = setting_up.see(ask, EVENTS)
    assert (seen.managed, seen.written, [*seen.indices]) == (False, f"{INDEX}-000001", [f"{INDEX}-000001"])
    changed = setting_up.decide(seen, **{**KEPT, "replicas": 2})
    assert [action.label for action in changed] == [f"change the index template {INDEX}"]


def test_a_field_that_came_later_is_added_and_another_kind_refused(ask: Ask) -> None:
    ask("PUT", f"/{INDEX}-000001", {
        "aliases": {INDEX: {"is_write_index": True}},
        "mappings": {"dynamic": "strict", "properties": {"kind": {"type": "keyword"}}},
    })  # fmt: skip
    labels = set_up(ask)
    assert labels[1].startswith(
        f"add {len(setting_up._differing(template.mappings(EVENTS), {})[0]) - 1} fields to the index"
    )
    assert set_up(ask) == []
    ask("DELETE", f"/{INDEX}-000001", None)
    mappings = {"properties": {"kind": {"type": "long"}}}
    ask("PUT", f"/{INDEX}-000001", {"aliases": {INDEX: {"is_write_index": True}}, "mappings": mappings})
    with pytest.raises(UsageError, match="of other kinds: kind"):
        set_up(ask)


def test_an_index_in_the_place_of_the_alias_is_told(ask: Ask) -> None:
    ask("PUT", f"/{INDEX}", {"mappings": {"properties": {"kind": {"type": "keyword"}}}})
    with pytest.raises(UsageError, match="where the alias of that name is to be"):
        set_up(ask)


def test_all_events_are_there_once(ask: Ask) -> None:
    set_up(ask)
    given = documents()
    written = Writer(ask, INDEX).write(given)
    assert (written.created, written.there, written.rejected) == (len(given), 0, ())
    again = Writer(ask, INDEX).write(given)
    assert (again.created, again.there, again.requests) == (0, len(given), 0)
    assert ask("POST", f"/{INDEX}/_count", {})["count"] == len(given)


def test_where_the_index_that_was_written_is_gone_the_newest_is(ask: Ask) -> None:
    for number, mark in ((1, False), (2, False), (3, True)):
        ask("PUT", f"/{INDEX}-00000{number}", {"aliases": {INDEX: {"is_write_index": mark}}})
    set_up(ask)
    assert set_up(ask) == []
    for gone, newest in ((3, 2), (2, 1)):
        ask("DELETE", f"/{INDEX}-00000{gone}", None)
        assert set_up(ask) == [f"write the index {INDEX}-00000{newest}: none was"]
        assert set_up(ask) == [] and setting_up.see(ask, EVENTS).written == f"{INDEX}-00000{newest}"
    written = Writer(ask, INDEX).write(documents())
    assert written.created and not written.rejected


def test_what_is_in_an_index_that_is_written_no_more_is_not_put_again(ask: Ask) -> None:
    set_up(ask)
    given = documents()
    Writer(ask, INDEX).write(given[:10])
    ask("PUT", f"/{INDEX}-000002", {})
    ask("POST", "/_aliases", {"actions": [
        {"add": {"index": f"{INDEX}-000001", "alias": INDEX, "is_write_index": False}},
        {"add": {"index": f"{INDEX}-000002", "alias": INDEX, "is_write_index": True}},
    ]})  # fmt: skip
    written = Writer(ask, INDEX).write(given[:20])
    assert (written.created, written.there) == (10, 10)
    assert ask("POST", f"/{INDEX}-000002/_count", {})["count"] == 10
    assert setting_up.see(ask, EVENTS).written == f"{INDEX}-000002"


def test_a_field_that_nobody_declared_is_refused_and_the_others_are_taken(ask: Ask) -> None:
    set_up(ask)
    one, two, three, four = documents()[:4]
    foreign = replace(two, body={**two.body, "payload": "1,2,3"})
    inside = replace(three, body={**three.body, "detail": {"payload": "1,2,3"}})
    wrong = replace(four, body={**four.body, "detail": {"seconds": "many"}})
    answer = ask("POST", f"/{INDEX}/_bulk?require_alias=true", lines(one, foreign, inside, wrong))
    assert answer["errors"] is True
    assert [item["create"]["status"] for item in answer["items"]] == [201, 400, 400, 400]
    written = Writer(ask, INDEX).write([one, foreign, inside, wrong])
    assert (written.created, written.there, written.again) == (0, 1, 0)
    assert [item.document.id for item in written.rejected] == [two.id, three.id, four.id]
    reasons = [item.reason for item in written.rejected]
    assert "strict" in reasons[0] and "payload" in reasons[0] and "payload" in reasons[1] and "seconds" in reasons[2]


def test_nothing_is_written_where_there_is_no_alias(ask: Ask) -> None:
    with pytest.raises(Answered, match="404"):
        Writer(ask, INDEX).write(documents()[:1])


QUESTIONS = [
    (Question("kind:step.ended AND status:Failed"), 1),
    (Question("pipeline:churn kind:execution.*"), 6),
    (Question('failure:"no data"'), 1),
    (Question("no data"), 1),
    (Question("seconds:>540"), 11),
    (Question("_exists_:cached"), 1),
    (Question(None, since="now-1000d"), len(documents())),
    (Question("nothing-of-that-name"), 0),
]


def test_events_are_found(ask: Ask) -> None:
    set_up(ask)
    Writer(ask, INDEX).write(documents())
    for question, count in QUESTIONS:
        assert ask_for(ask, question).total == count, question
    newest = ask_for(ask, Question(most=5))
    times = [event["@timestamp"] for event in newest.events]
    assert len(times) == 5 and times == sorted(times, reverse=True)
    counts = ask_for(ask, Question("kind:step.ended", by="pipeline")).counts
    assert counts == {"churn": 9, "offers": 9}
    assert ask_for(ask, Question(by="failure")).counts["no data"] == 1
    with pytest.raises(UsageError, match="is no query"):
        ask_for(ask, Question("kind:(step"))


REFUSED = [
    ("POST", f"/{INDEX}/_rollover", {}, "no handler found"),
    ("PUT", "/_plugins/_ism/policies/x", {}, "no handler found"),
    ("POST", "/_plugins/_alerting/monitors", {}, "no handler found"),
    ("POST", "/_plugins/_ml/_train/LINEAR_REGRESSION", {}, "no handler found"),
    ("PUT", "/_ingest/pipeline/x", {"processors": []}, "no handler found"),
    ("POST", f"/{INDEX}/_search", {"aggs": {"a": {"terms": {"script": "1"}}}}, "not supported by osmem"),
    (
        "POST",
        f"/{INDEX}/_search",
        {"aggs": {"a": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1d"}, "aggs": {
            "m": {"moving_fn": {"buckets_path": "_count", "window": 2, "script": "MovingFunctions.min(values)"}}}}}},
        "not supported by osmem",
    ),
]  # fmt: skip


def test_what_the_embedded_one_cannot_it_refuses(osmem: str) -> None:
    ask = asking(At(osmem), "us-east-1", lambda: None)
    if setting_up.see(ask, EVENTS).written is None:
        set_up(ask)
    for method, path, body, said in REFUSED:
        with pytest.raises(Answered, match=said):
            ask(method, path, body)
