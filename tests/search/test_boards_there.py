"""Every panel of every board is asked as a search, of events that really look so, and says something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.dashboards.board import Table
from mlops.emit.dashboards.declared import boards
from mlops.emit.dashboards.kinds import searches
from mlops.emit.dashboards.monitors import monitors
from mlops.ir.event_fields import INDEX
from mlops.observe.search.asking import Answered, Ask
from mlops.observe.search.bulk import Writer
from mlops.observe.search.querying import Question, ask_for
from tests.emit.declaring import ALL, MAP, PLACES
from tests.search.happened import documents
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
    set_up(ask)
    Writer(ask).write(documents())
    asked = 0
    for board in boards(ALL):
        for panel in board.panels:
            at = f"{board.title}: {panel.title}"
            if isinstance(panel, Table):
                assert ask_for(ask, Question(panel.query)).total > 0, at
                continue
            for body in searches(panel):
                answer = ask("POST", f"/{panel.index}/_search", body)
                assert answer["hits"]["total"]["value"] > 0, at
                given = [*buckets(answer.get("aggregations", {}))]
                assert all(given) and (given or "aggs" not in body), at
                asked += 1
    assert asked > 25
    for monitor in monitors(ALL):
        query = monitor["inputs"][0]["search"]["query"]
        _, words = (part.get("query_string", {}).get("query") for part in query["query"]["bool"]["filter"])
        assert ask_for(ask, Question(words)).total > 0, monitor["name"]


def test_a_map_shows_where(ask: Ask) -> None:
    try:
        ask("DELETE", f"/{PLACES}", None)
    except Answered as refused:
        assert refused.status == 404
    ask("PUT", f"/{PLACES}", {"mappings": {"properties": {"place": {"type": "geo_point"}}}})
    lines = [json.dumps(told) for at in (48.1, 52.5) for told in ({"index": {}}, {"place": {"lat": at, "lon": 11.5}})]
    ask("POST", f"/{PLACES}/_bulk?refresh=true", "\n".join(lines) + "\n")
    (body,) = searches(MAP)
    answer = ask("POST", f"/{PLACES}/_search", body)
    assert sum(bucket["doc_count"] for bucket in answer["aggregations"]["2"]["buckets"]) == 2
    assert INDEX not in str(body)
