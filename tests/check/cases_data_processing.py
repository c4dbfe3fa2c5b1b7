"""Filters and joins of batch transform: rows for ``test_rules.py``."""

from __future__ import annotations

from typing import Any

from rule_cases import WARNING, Case
from sound_definition import GONE, get

FILTER, OUTPUT = "Batch:DataProcessing/InputFilter", "Batch:DataProcessing/OutputFilter"
CONTENT, ACCEPT = "Batch:TransformInput/ContentType", "Batch:TransformOutput/Accept"
LINES = {CONTENT: "application/jsonlines", ACCEPT: "application/jsonlines", FILTER: "$.features"}
"""The same transform over lines of JSON."""


def _filter(name: str, bad: str, good: str, **more: Any) -> Case:
    return Case(name, "X790", {**LINES, OUTPUT: bad}, OUTPUT, {**LINES, OUTPUT: good}, **more)


CASES = [
    _filter("two ranges", "$[0:2,246:]", "$[0,246:]"),
    _filter("descent", "$..id", "$.deep.id"),
    _filter("predicate", "$[?(@.x)]", "$.x"),
    _filter("a range with a step", "$[0:9:2]", "$[0:9]"),
    _filter("a function", "$.rows.length()", "$.rows.length"),
    _filter("names in double quotes", '$["id"]', "$['id']"),
    _filter("deeper by one of several names", "$.a.['b','c.d']", "$.a.['b','c']"),
    _filter("a name with an underscore", "$['account_id','SageMakerOutput']", "$['accountid','SageMakerOutput']",
            severity=WARNING),
    Case("a filter of CSV by name", "X790", {FILTER: "$.features"}, FILTER, LINES),
    Case("a filter of CSV by names in a bracket", "X790", {OUTPUT: "$['id','SageMakerOutput']"}, OUTPUT,
         {**LINES, OUTPUT: "$['id','SageMakerOutput']"}),
    Case("a filter by a parameter", "X790", {FILTER: get("Parameters.Data")}, FILTER),
    Case("records of neither kind", "X796",
         {"Batch:DataProcessing": {"InputFilter": "$[1:]"}, CONTENT: "application/x-npy", ACCEPT: "application/x-npy"},
         CONTENT, {"Batch:DataProcessing": {"InputFilter": "$[1:]"}, CONTENT: "text/csv; charset=utf-8"}),
    Case("records of no kind", "X796", {CONTENT: GONE}, CONTENT, severity=WARNING),
    Case("filtered and answered otherwise", "X796",
         {"Batch:DataProcessing": {"InputFilter": "$[1:]"}, ACCEPT: "application/json"}, ACCEPT,
         {"Batch:DataProcessing": {"InputFilter": "$"}, ACCEPT: "application/json"}, WARNING),
    Case("put together by nothing", "X796", {"Batch:TransformOutput/AssembleWith": GONE},
         "Batch:TransformOutput/AssembleWith",
         {"Batch:TransformOutput/AssembleWith": GONE, "Batch:DataProcessing": GONE}, WARNING),
    Case("filtered without a split", "X796",
         {"Batch:DataProcessing": {"InputFilter": "$[1:]"}, "Batch:BatchStrategy": "SingleRecord",
          "Batch:TransformInput/SplitType": GONE, "Batch:TransformOutput/AssembleWith": GONE},
         "Batch:TransformInput/SplitType",
         {"Batch:DataProcessing": GONE, "Batch:BatchStrategy": "SingleRecord",
          "Batch:TransformInput/SplitType": GONE, "Batch:TransformOutput/AssembleWith": GONE}, WARNING),
    Case("an answer before it is there", "X797", {**LINES, FILTER: "$.SageMakerOutput"}, FILTER,
         {**LINES, OUTPUT: "$.SageMakerOutput"}, WARNING),
]  # fmt: skip
WORDS = {"X796"}
MERGED = {"X797": "Batch:DataProcessing"}
FOLLOW = {"X792": {"X796"}, "X797": {"X790"}}
