"""Filters of Transform steps: which part of a record they mean."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.ir.record_filter import NoFilter, NothingThere, parse, select
from tests.ir.filter_forms import DOCUMENTED, UNKNOWN

RECORD = {"id": 7, "features": [1, 2, 3, 4], "deep": {"a": 1, "b": [2]}, "odd name": 1}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("$", RECORD, RECORD),
        ("$.features", RECORD, [1, 2, 3, 4]),
        ("$.deep.b[0]", RECORD, 2),
        ("$['odd name']", RECORD, 1),
        ("$['id','deep']", RECORD, {"id": 7, "deep": {"a": 1, "b": [2]}}),
        ("$.features[0,-1]", RECORD, [1, 4]),
        ("$.features[1:3]", RECORD, [2, 3]),
        ("$.features[2:]", RECORD, [3, 4]),
        ("$.features[:-1]", RECORD, [1, 2, 3]),
        ("$.deep.*", RECORD, [1, [2]]),
        ("$[*].a", [{"a": 1}, {"a": 2}], [1, 2]),
        ("$.*[0]", {"x": [1], "y": [2]}, [1, 2]),
        ("$.features[0,2:]", RECORD, [1, 3, 4]),
        ("$.features[3,:2]", RECORD, [4, 1, 2]),
        ("$.features[0,1,3:]", RECORD, [1, 2, 4]),
        ("$.features[-1,1:3]", RECORD, [4, 2, 3]),
        ("$.features[ 1 , 2 : 3 ]", RECORD, [2, 3]),
        ("$.deep.['a','b']", RECORD, {"a": 1, "b": [2]}),
        ("$.features[:]", RECORD, [1, 2, 3, 4]),
    ],
)
def test_paths(path: str, value: Any, expected: Any) -> None:
    assert select(value, parse(path)) == expected


@pytest.mark.parametrize("path", DOCUMENTED)
def test_documented_forms(path: str) -> None:
    parse(path)


@pytest.mark.parametrize("path", UNKNOWN)
def test_paths_that_are_not_supported(path: str) -> None:
    """'only single range filters of format (eg: [1:5]) are supported' (sdk#1112); what stands in no table is not."""
    with pytest.raises(NoFilter):
        parse(path)


@pytest.mark.parametrize("path", ["$[4]", "$[-5]", "$[0,9]", "$[9,1:]", "$.a", "$['a','b']", "$[0].a"])
def test_paths_to_nothing(path: str) -> None:
    with pytest.raises(NothingThere, match="a record has nothing at"):
        select([1, 2, 3, 4], parse(path))
