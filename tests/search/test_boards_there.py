"""Every panel of every board is asked as a search, of events that really look so, and says something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.dashboards.board import Table
from mlops.emit.dashboards.declared import boards
from mlops.emit.dashboards.detectors import detectors
from mlops.emit.dashboards.kinds import searches
from mlops.emit.dashboards.monitors import monitors
from mlops.ir.captured_fields import NAME, captured
from mlops.ir.event_fields import EVENTS
from mlops.ir.log_fields import LINES
from mlops.observe.search.asking import Ask
from mlops.observe.search.bulk import Writer
from mlops.observe.search.querying import Question, ask_for
from tests.emit.declaring import ALL, CAPTURED
from tests.search.happened import documents, lines, rows
from tests.search.test_events_there import set_up


def buckets(aggregations: Mapping[str, Any]) -> Iterator[int]:
    """How many each aggregation gave, at each depth."""
    for found in aggregations.values():
        if "buckets" in found:
            yield len(found["buckets"])
            for bucket in found["buckets"]:
                yield from buckets({name: value for name, value in bucket.items() if isinstance(value, dict)})
        elif "value" in found:
            yield int(found["value"] is not None)


def test_every_panel_says_something(ask: Ask) -> None:
    filled = {EVENTS.name: (EVENTS, documents()), LINES.name: (LINES, lines()), NAME: (captured(CAPTURED), rows())}
    for index, all_of_it in filled.values():
        set_up(ask, index)
        assert Writer(ask, index.name).write(all_of_it).rejected == ()
    asked = 0
    for board in boards(ALL):
        for panel in board.panels:
            at = f"{board.title}: {panel.title}"
            if isinstance(panel, Table):
                assert ask_for(ask, Question(panel.query, index=panel.index)).total > 0, at
                continue
            for body in searches(panel):
                answer = ask("POST", f"/{panel.index.name}/_search", body)
                assert answer["hits"]["total"]["value"] > 0, at
                given = [*buckets(answer.get("aggregations", {}))]
                assert all(given) and (given or "aggs" not in body), at
                asked += 1
    assert asked > 35
    for monitor in monitors(ALL):
        search = monitor["inputs"][0]["search"]
        query, (index, _) = search["query"], filled[search["indices"][0]]
        _, words = (part.get("query_string", {}).get("query") for part in query["query"]["bool"]["filter"])
        assert ask_for(ask, Question(words, index=index)).total > 0, monitor["name"]
    for detector in detectors(ALL):
        (feature,), (index,) = detector["feature_attributes"], detector["indices"]
        asked_by = [{"terms": {"field": field}} for field in detector.get("category_field", ())]
        body = {"size": 0, "query": detector["filter_query"], "aggs": feature["aggregation_query"]}
        answer = ask(
            "POST", f"/{index}/_search", {**body, "aggs": {**body["aggs"], **({"by": asked_by[0]} if asked_by else {})}}
        )
        assert answer["aggregations"]["number"]["value"] > 0, detector["name"]
        assert not asked_by or answer["aggregations"]["by"]["buckets"], detector["name"]


NEAR: Any = {"geo_distance": {"distance": "20km", "feature.place": {"lat": 48.1, "lon": 11.5}}}
WITHIN: Any = {"geo_bounding_box": {"feature.place": {"top_left": "53,13", "bottom_right": "52,14"}}}


def test_requests_are_found_by_where_they_were(ask: Ask) -> None:
    index = captured(CAPTURED)
    set_up(ask, index)
    Writer(ask, index.name).write(rows())
    for query, plans in ((NEAR, {"free"}), (WITHIN, {"paid"})):
        answer = ask("POST", f"/{NAME}/_search", {"query": query})
        assert {hit["_source"]["feature"]["plan"] for hit in answer["hits"]["hits"]} == plans, query
    assert ask_for(ask, Question("plan:free age:>30", index=index)).total == 3
    assert ask_for(ask, Question(by="plan", index=index)).counts == {"free": 3, "paid": 3}
