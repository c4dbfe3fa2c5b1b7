"""Saved objects as OpenSearch Dashboards takes them: the same bytes each time, references that lead somewhere,
attributes that its mappings have."""

from __future__ import annotations

import json
import os
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_one
from mlops.emit.dashboards.board import Declared
from mlops.emit.dashboards.declared import boards, declared_by, ndjson
from mlops.emit.dashboards.kinds import kinds
from mlops.emit.dashboards.monitors import monitors
from mlops.emit.dashboards.saved_objects import VERSIONS
from mlops.ir.captured_fields import captured
from mlops.ir.event_fields import EVENTS
from mlops.ir.log_fields import LINES
from tests.emit.declaring import ALL, CAPTURED

GOLDEN = Path(__file__).parent / "dashboards"
WRITE = "MLOPS_WRITE_GOLDENS" in os.environ
META = {"searchSourceJSON": None}
ATTRIBUTES: dict[str, dict[str, Any]] = {
    # opensearch-project/OpenSearch-Dashboards: src/plugins/visualizations/server/saved_objects/visualization.ts
    "visualization": dict.fromkeys(("description", "savedSearchRefName", "title", "uiStateJSON", "version", "visState"))
    | {"kibanaSavedObjectMeta": META},
    # src/plugins/dashboard/server/saved_objects/dashboard.ts
    "dashboard": dict.fromkeys(
        ("description", "hits", "optionsJSON", "panelsJSON", "timeFrom", "timeRestore", "timeTo", "title", "version")
    )
    | {"kibanaSavedObjectMeta": META, "refreshInterval": dict.fromkeys(("display", "pause", "section", "value"))},
    # src/plugins/discover/server/saved_objects/search.ts
    "search": dict.fromkeys(("columns", "description", "hits", "sort", "columnWidths", "title", "version"))
    | {"kibanaSavedObjectMeta": META},
    # src/plugins/data/server/saved_objects/index_patterns.ts, which is not strict; those that its code reads
    "index-pattern": dict.fromkeys(("title", "type", "dataSource", "timeFieldName", "fields", "fieldFormatMap")),
}
"""What the mappings there have; all but the index pattern's are strict."""
INTEGERS = ("version", "hits", "value")


def objects(declared: Declared = ALL) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ndjson(declared).splitlines()]


def test_the_bytes_are_those_that_were_read() -> None:
    """Each kind of visualization is in one of them."""
    text = ndjson(ALL)
    monitored = json.dumps(monitors(ALL), indent=2) + "\n"
    for name, found in (("boards.ndjson", text), ("monitors.json", monitored)):
        if WRITE:
            GOLDEN.mkdir(exist_ok=True)
            (GOLDEN / name).write_text(found)
        assert (GOLDEN / name).read_text() == found, "with MLOPS_WRITE_GOLDENS=1 it is written again"
    drawn = {json.loads(item["attributes"]["visState"])["type"] for item in map(json.loads, text.splitlines())
             if item["type"] == "visualization"}  # fmt: skip
    assert len(drawn) == len(kinds()) == 14
    assert not re.search(r"NoneType|object at 0x|<class|/tmp/", text + monitored)


def test_references_lead_somewhere_and_names_are_given() -> None:
    found = objects()
    there = {(item["type"], item["id"]) for item in found}
    assert len(there) == len(found)
    for item in found:
        named = {reference["name"] for reference in item["references"]}
        assert len(named) == len(item["references"])
        assert all((reference["type"], reference["id"]) in there for reference in item["references"])
        texts = json.dumps(item["attributes"])
        said = set(re.findall(r'(?:panelRefName|indexRefName|indexPatternRefName)\\+":\\+"([^"\\]+)', texts))
        assert said == named, item["attributes"]["title"]
        assert item["migrationVersion"] == {item["type"]: VERSIONS[item["type"]]}


def test_attributes_are_in_the_mappings() -> None:
    def judge(value: Any, table: dict[str, Any], at: str) -> None:
        assert value.keys() <= table.keys(), at
        for name, inside in table.items():
            if inside is not None and name in value:
                judge(value[name], inside, f"{at}.{name}")
            elif name in value and name in INTEGERS:
                assert isinstance(value[name], int), at

    for item in objects():
        judge(item["attributes"], ATTRIBUTES[item["type"]], item["type"])
        for name in ("visState", "uiStateJSON", "panelsJSON", "optionsJSON", "fieldFormatMap"):
            if name in item["attributes"]:
                json.loads(item["attributes"][name])


def test_fields_are_fields_of_events() -> None:
    indices = (EVENTS, LINES, captured(CAPTURED))
    known = {name for index in indices for path in index.fields for name in (path, index.countable(path))}
    text = ndjson(ALL)
    named = set(re.findall(r'\\"(?:field|terms_field|fieldName)\\":\\"([^"\\]+)', text))
    asked = set(re.findall(r"((?:ids|detail|feature)\.[\w-]+)(?=:)", text))
    assert named - {"key", "number.value"} <= known and asked <= known and len(named) > 10
    columns = {column for item in objects() if item["type"] == "search" for column in item["attributes"]["columns"]}
    assert columns <= known


def test_panels_lie_beside_each_other() -> None:
    for item in objects():
        if item["type"] != "dashboard":
            continue
        places = [panel["gridData"] for panel in json.loads(item["attributes"]["panelsJSON"])]
        for one, other in combinations(places, 2):
            apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            assert apart_x or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert all(place["x"] + place["w"] <= 48 for place in places)


SHOWN = [
    (
        ALL,
        ["churn: captured requests", "churn: cost", "churn: log lines", "churn: model quality", "churn: operations"],
        7,
    ),
    (
        Declared("a", pipelines=("a",), logs=("endpoints",), captured=CAPTURED),
        ["a: cost", "a: model quality", "a: operations"],
        1,
    ),
    (
        Declared("a", pipelines=("a",), logs=("steps",)),
        ["a: cost", "a: log lines", "a: model quality", "a: operations"],
        2,
    ),
    (Declared("a", pipelines=("a",)), ["a: cost", "a: model quality", "a: operations"], 1),
    (Declared("s", streams=("s",)), ["s: operations"], 1),
    (Declared("e", endpoints=("e",)), ["e: model quality", "e: operations"], 3),
]


@pytest.mark.parametrize(("declared", "titles", "watched"), SHOWN)
def test_boards_are_of_what_is_declared(declared: Declared, titles: list[str], watched: int) -> None:
    assert [board.title for board in boards(declared)] == titles
    assert len(monitors(declared)) == watched


def test_names_stay_names() -> None:
    """What is no word of a query is quoted."""
    odd = Declared('a" OR *', pipelines=('a" OR *', "b\\"))
    (query,) = {
        json.loads(item["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
        for item in objects(odd)
        if item["type"] == "visualization" and item["attributes"]["title"] == "Executions by status"
    }
    assert query == 'kind:execution.ended AND ids.pipeline:("a\\" OR *" OR "b\\\\")'


def test_a_file_says_what_it_declares(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(
        'from mlops import Pipeline, RegisterModel, resources\nIMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/a:1"\n'
        'with Pipeline("churn"):\n'
        '    RegisterModel("Register", group="leaver", model="s3://acme/m.tar.gz", image=IMAGE)\n'
        'resources.Stream("clicks", to="s3://acme-events/a/")\n'
    )
    opened = open_one(str(tmp_path / "pipeline.py"), "local")
    told = declared_by((*opened.pipelines, *opened.resources))
    assert told == Declared("churn", ("churn",), streams=("clicks",), groups=("leaver",))
