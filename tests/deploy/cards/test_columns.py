"""What is said of a table, and what is not: no text of a row, no range of few values."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.deploy.cards.columns import FEWEST, Reading, TableStatistics, reader

TEN = range(FEWEST)


def read(name: str, text: str, *private: str) -> TableStatistics:
    reading, chosen = Reading(private), reader(name)
    assert chosen is not None
    chosen(reading, text.splitlines(keepends=True))
    return reading.ended()


def rows(*columns: Any) -> str:
    return "".join(",".join(str(value) for value in row) + "\n" for row in zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.csv", "age,city\n" + rows(TEN, "abcdefghij"), [("age", "integer", "0", "9"), ("city", "text", None, None)]),
        ("a.csv", rows(TEN, "abcdefghij"), [("column 1", "integer", "0", "9"), ("column 2", "text", None, None)]),
        ("a.csv", "x\n" + rows([at / 4 for at in TEN]), [("x", "number", "0", "2.25")]),
        ("a.csv", "x\n" + rows(["1e3", *TEN]), [("x", "number", "0", "1000")]),
        ("a.csv", "x\n" + rows(TEN[1:]), [("x", "integer", None, None)]),
        ("a.csv", "x,y\n" + rows([*TEN, "ten"], [*TEN, 1]), [("x", "text", None, None), ("y", "integer")]),
        ("a.csv", "x\n" + rows([*TEN, "nan", "", " "]), [("x", "integer", "0", "9")]),
        ("a.csv", "x,y\n" + rows([*TEN, "inf"], [*TEN, 1]), [("x", "text", None, None), ("y", "integer")]),
        ("a.csv", "x,y\n" + rows([""] * 10, ["true", "False"] * 5), [("x", "empty"), ("y", "boolean")]),
        ("a.csv", "at\n" + rows([f"2026-01-{at + 1:02}" for at in TEN]), [("at", "time", "2026-01-01", "2026-01-10")]),
        ("a.csv", "at\n" + rows([f"2026-01-{at + 1:02}" for at in TEN[1:]]), [("at", "time", None, None)]),
        ("a.csv", "a;b\n" + "1;2\n" * 10, [("a", "integer", "1", "1"), ("b", "integer", "2", "2")]),
        ("a.csv", 'a,b\n"x, y",1\n"z\nz",2\n', [("a", "text"), ("b", "integer", None, None)]),
        ("a.csv", "name,city\nAnn,Bonn\n", [("column 1", "text"), ("column 2", "text")]),
        ("a.csv", "Ann,?\nBob,3\n", [("column 1", "text"), ("column 2", "integer")]),
        ("a.tsv", "a\tb\n1\t2\n3\tx\n", [("a", "integer"), ("b", "text")]),
        ("a.csv", "yes,no\nno,yes\nyes,no\n", [("column 1", "text"), ("column 2", "text")]),
        ("a.csv", "", []),
        ("a.csv", "only,names\n", [("column 1", "text"), ("column 2", "text")]),
        ("a.jsonl", '{"a": 1}\n\n{"a": 2, "b": [1]}\n', [("a", "integer"), ("b", "nested")]),
        ("a.ndjson", "[1, true]\n[2, null]\n", [("column 1", "integer"), ("column 2", "boolean")]),
        ("a.json", '[{"a": "x"},\n {"a": "y"}]', [("a", "text")]),
    ],
)
def test_columns(name: str, text: str, found: list[tuple[str | None, ...]]) -> None:
    told = [(column.name, column.kind, column.low, column.high) for column in read(name, text).columns]
    assert [item[: len(wanted)] for item, wanted in zip(told, found, strict=True)] == found


def test_rows_missing_and_odd() -> None:
    told = read("a.csv", "a,b,c\n1,2,3\n4\n,,\n5,6,7,8\n\n")
    assert (told.rows, told.odd, told.width, told.headed) == (4, 2, 3, True)
    assert [(column.present, column.missing) for column in told.columns] == [(3, 1), (2, 2), (2, 2)]
    told = read("a.jsonl", '{"a": 1}\n{"b": 2}\n{"a": null}\n')
    assert [(column.name, column.present, column.missing) for column in told.columns] == [("a", 1, 2), ("b", 1, 2)]


CELLS = st.sampled_from(["1", "-2", "0.5", "1e2", "", "nan", "x", "true", "2026-01-01", "1_0"])


@given(st.lists(st.tuples(CELLS, CELLS), max_size=30), st.integers(1, 5))
def test_cells_that_are_looked_at_together_say_what_each_says(table: list[tuple[str, str]], block: int) -> None:
    """By the way that JSON goes, one after the other."""
    whole, single = Reading(block=block), Reading()
    whole.delimited([f"{first},{second}\n" for first, second in (("n", "m"), *table)], ",")
    for row in table:
        single.record(dict(zip("nm", row, strict=True)))
    together, each = whole.ended(), single.ended()
    if together.headed and table:
        assert together.rows == each.rows
        for ours, theirs in zip(together.columns, each.columns, strict=True):
            assert replace(ours, mean=None) == replace(theirs, mean=None)
            assert ours.mean == pytest.approx(theirs.mean)


def test_empty_lines_are_no_end() -> None:
    text = "a,b\n1,2\n" + "\n" * 10_000 + "3,4\n" * 10_000
    assert read("a.csv", text).rows == 10_001


def test_several_files_are_one_table() -> None:
    reading, chosen = Reading(), reader("a.csv")
    assert chosen is not None
    for text in ("a,b\n1,x\n", "a,b\n2,y\n", "3,z\n4,w\n"):
        chosen(reading, text.splitlines(keepends=True))
    told = reading.ended()
    assert (told.rows, [column.name for column in told.columns]) == (4, ["a", "b"])


def test_what_is_private_has_no_range_and_is_not_counted() -> None:
    (told,) = read("a.csv", "salary\n" + rows(TEN), "salary").columns
    assert (told.hidden, told.kind, told.present, told.low, told.distinct, told.mean) == (
        *(True, "integer", FEWEST),
        *(None, None, None),
    )


def test_no_text_gets_out() -> None:
    values = [f"person-{at}" for at in range(50)]
    for name, text in (
        ("a.csv", "who,age\n" + rows(values, range(50))),
        ("a.csv", "who\n" + rows(values)),
        ("a.csv", rows(values)),
        ("a.jsonl", "".join(json.dumps({"who": value}) + "\n" for value in values)),
    ):
        assert "person-" not in str(asdict(read(name, text)))


def test_more_than_is_counted() -> None:
    (told,) = read("a.csv", "x\n" + rows(range(2000))).columns
    assert (told.distinct, told.low, told.high) == (None, "0", "1999")


@pytest.mark.parametrize(("name", "text"), [("a.jsonl", "{\n"), ("a.json", "[1"), ("a.csv", "a\n" + "x" * 200_000)])
def test_what_cannot_be_read(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        read(name, text)
