"""What the embedded OpenSearch refuses, of a real one: a rollover, and monitors. Alerting is on no package index; what
it does with a monitor is there all the same: its search is a template and its condition is painless."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mlops.emit.dashboards.monitors import monitors
from mlops.ir.event_fields import EVENTS, INDEX
from mlops.ir.index import TIME
from mlops.ir.log_fields import LINES
from mlops.observe.search import setting_up
from mlops.observe.search.asking import Ask, asking
from mlops.observe.search.bulk import Writer
from mlops.observe.search.querying import Question, ask_for
from tests.emit.declaring import ALL
from tests.observe.search.place import At
from tests.search.conftest import emptied
from tests.search.happened import documents, lines
from tests.search.test_events_there import set_up

pytestmark = pytest.mark.proof("search")


@pytest.fixture
def real(opensearch: str) -> Ask:
    found = asking(At(opensearch), "us-east-1", lambda: None)
    emptied(found)
    return found


def test_behind_a_rollover_documents_are_there_once_and_as_strict(real: Ask) -> None:
    set_up(real)
    given = documents()
    Writer(real, INDEX).write(given[:10])
    told = [real("POST", f"/{INDEX}/_rollover", {"conditions": {"max_docs": most}}) for most in (11, 10)]
    assert [answer["rolled_over"] for answer in told] == [False, True]
    assert told[1]["new_index"] == f"{INDEX}-000002"
    assert set_up(real) == [] and setting_up.see(real, EVENTS).written == f"{INDEX}-000002"
    foreign = replace(given[20], body={**given[20].body, "payload": "1,2,3"})
    written = Writer(real, INDEX).write([*given[:20], foreign])
    assert (written.created, written.there, [item.status for item in written.rejected]) == (10, 10, [400])
    assert real("POST", f"/{INDEX}-000002/_count", {})["count"] == 10
    assert ask_for(real, Question()).total == 20


def fires(ask: Ask, monitor: Mapping[str, Any], end: datetime) -> bool:
    """At the end of a period, as alerting renders its search and judges the answer."""
    search, (trigger,) = monitor["inputs"][0]["search"], monitor["triggers"]
    period = {"period_end": int(end.timestamp() * 1000)}
    answer = ask("POST", f"/{search['indices'][0]}/_search/template", {"source": search["query"], "params": period})
    script = trigger["query_level_trigger"]["condition"]["script"]
    judged = {
        "script": {
            "lang": script["lang"],
            "source": f"def ctx = params.ctx; return {script['source']};",
            "params": {"ctx": {"results": [dict(answer)]}},
        }
    }
    return bool(ask("POST", "/_scripts/painless/_execute", judged)["result"] == "true")


def test_each_monitor_fires_in_its_hour_and_in_no_other(real: Ask) -> None:
    for index, given in ((EVENTS, documents()), (LINES, lines())):
        set_up(real, index)
        Writer(real, index.name).write(given)
    found = monitors(ALL)
    for monitor in found:
        search = monitor["inputs"][0]["search"]
        words = search["query"]["query"]["bool"]["filter"][1]["query_string"]["query"]
        index = LINES if search["indices"] == [LINES.name] else EVENTS
        newest = datetime.fromisoformat(ask_for(real, Question(words, most=1, index=index)).events[0][TIME])
        told = [fires(real, monitor, newest + timedelta(minutes=minutes)) for minutes in (1, 59, 61, 24 * 60)]
        assert told == [True, True, False, False], monitor["name"]
    assert len(found) > 6
