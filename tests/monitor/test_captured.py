"""What an endpoint captured, as rows; and that numbers read in blocks are those read one by one."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops.monitor.cells import Cells
from mlops.monitor.data import data_at
from mlops.monitor.number_blocks import Blocks
from mlops.monitor.profile import profile, statistics

LAYOUT = "sagemakerCaptureJson"


def payload(data: Any, encoding: str = "CSV", kind: str = "text/csv") -> dict[str, Any]:
    return {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}


def line(request: Any, answer: Any = None, at: str = "2026-11-29T09:30:00Z", name: str | None = None) -> str:
    captured = {"endpointInput": request if isinstance(request, dict) else payload(request)}
    if answer is not None:
        captured["endpointOutput"] = {**(answer if isinstance(answer, dict) else payload(answer)), "mode": "OUTPUT"}
    metadata = {"eventId": "e", "inferenceTime": at, **({"inferenceId": name} if name else {})}
    return json.dumps({"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}, separators=(",", ":"))


def rows(folder: Path, lines: list[str], **options: Any) -> dict[str, list[Any]]:
    (folder / "a.jsonl").write_text("".join(f"{text}\n" for text in lines))
    found: dict[str, list[Any]] = {}
    for chunk in data_at(folder, {LAYOUT: options}).chunks():
        for name, cells in chunk.items():
            found.setdefault(name, []).extend(cells.rows)
    return found


JSON = "application/json"
ROWS: dict[str, tuple[list[str], dict[str, Any], dict[str, list[Any]]]] = {
    "CSV": ([line("1,2", "0.5\n")], {}, {"_c0": ["1"], "_c1": ["2"], "prediction": ["0.5"]}),
    "named": ([line("1,2", "0.5")], {"features": ["a"], "answers": ["p"]}, {"a": ["1"], "_c1": ["2"], "p": ["0.5"]}),
    "several rows": ([line("1\n2\n", "3\n4")], {}, {"_c0": ["1", "2"], "prediction": ["3", "4"]}),
    "quoted": ([line('"a,b",2', "0")], {}, {"_c0": ["a,b"], "_c1": ["2"], "prediction": ["0"]}),
    "U+2028 ends no line": (
        [line("a\u2028b,1\n", payload('"x\u2028y"\n', "JSON", "application/jsonlines"))],
        {},
        {"_c0": ["a\u2028b"], "_c1": ["1"], "prediction": ["x\u2028y"]},
    ),
    "a line in a cell": ([line('"a\nb",2', "0")], {}, {"_c0": ["a\nb"], "_c1": ["2"], "prediction": ["0"]}),
    "no answer": ([line("1,2")], {}, {"_c0": ["1"], "_c1": ["2"]}),
    "several answers": ([line("1", "0.2,0.8")], {}, {"_c0": ["1"], "prediction_0": ["0.2"], "prediction_1": ["0.8"]}),
    "objects": (
        [line(payload({"age": 3, "plan": {"kind": "free"}}, "JSON", JSON), payload('{"score": 0.5}', "JSON", JSON))],
        {},
        {"age": [3], "plan.kind": ["free"], "prediction": [0.5]},
    ),
    "instances": (
        [
            line(
                payload('{"instances": [[1, 2], [3, 4]]}', "JSON", JSON),
                payload('{"predictions": [5, 6]}', "JSON", JSON),
            )
        ],
        {"features": ["a", "b"]},
        {"a": [1, 3], "b": [2, 4], "prediction": [5, 6]},
    ),
    "by a path": (
        [
            line(
                payload('{"rows": [[1], [2]], "id": 7}', "JSON", JSON),
                payload('{"out": {"p": [[5], [6]]}}', "JSON", JSON),
            )
        ],
        {"features_path": "rows", "answers_path": "out.p"},
        {"_c0": [1, 2], "prediction": [5, 6]},
    ),
    "base64": (
        [line(payload(b64encode(b"1,2").decode(), "BASE64"), "1")],
        {},
        {"_c0": ["1"], "_c1": ["2"], "prediction": ["1"]},
    ),
    "an answer for each of many rows": (
        [
            line(
                payload(json.dumps({"instances": [[number] for number in range(2000)]}), "JSON", JSON),
                payload(json.dumps({"predictions": [*range(2000)]}), "JSON", JSON),
            )
        ],
        {"features": ["a"]},
        {"a": [*range(2000)], "prediction": [*range(2000)]},
    ),
    "more answers than columns may be": (
        [line("1", ",".join(map(str, range(2000)))), line("2", "7")],
        {"features": ["a"]},
        {"a": ["1", "2"], "prediction": [None, "7"]},
    ),
    "too many columns": (
        [
            line(payload({f"k{number}": 1 for number in range(100_000)}, "JSON", JSON), "1"),
            line(",".join(["7"] * 100_000), "1"),
            line(payload({"age": 3}, "JSON", JSON), "1"),
        ],
        {"features": ["age"]},
        {"age": [3], "prediction": ["1"]},
    ),
    "another time": (
        [line("1", "2", "2026-11-29T08:59:59Z"), line("3", "4"), line("5", "6", "2026-11-29T10:00:00Z")],
        {"since": "2026-11-29T09:00:00Z", "until": "2026-11-29T10:00:00Z"},
        {"_c0": ["3"], "prediction": ["4"]},
    ),
    "labelled": (
        [line("1", "2", name="a"), line("3", "4", name="b"), line("5", "6")],
        {"labels": {"a": "yes", "e": "no"}},
        {"_c0": ["1", "5"], "prediction": ["2", "6"], "label": ["yes", "no"]},
    ),
    "a label with a comma": (
        [line("1", "2", name="a")],
        {"labels": {"a": "yes, no"}},
        {"_c0": ["1"], "prediction": ["2"], "label": ["yes, no"]},
    ),
    "wider than others": (
        [line("1", "2"), line("1,7", "2")],
        {},
        {"_c0": ["1", "1"], "prediction": ["2", "2"], "_c1": [None, "7"]},
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_of_what_was_captured(case: str, tmp_path: Path) -> None:
    lines, options, wanted = ROWS[case]
    assert rows(tmp_path, lines, **options) == wanted


def test_what_cannot_be_read_is_counted_and_left_out(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    deep = line(payload("[" * 40 + "1" + "]" * 40, "JSON", JSON))
    wrong = ["no JSON", '{"a": 1}', line(payload("!", "BASE64"), "1"), "[" * 2000, deep]
    lines = [line("1", "2"), *wrong, line("3", "4")]
    found = rows(tmp_path, lines, seen=lambda read, lost: told.append((read, lost)))
    assert (found["_c0"], told) == (["1", "3"], [(7, 5)])


def test_a_cell_that_is_too_long_is_counted_and_left_out(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = rows(
        tmp_path, [line("1", "2"), line("3" * 140_000, "4")], seen=lambda read, lost: told.append((read, lost))
    )
    assert (found["_c0"], told) == (["1"], [(2, 1)])


BLOCKS = {
    "numbers": ["1,2.5", "3,-4e1"],
    "empty": ["1,", ",2", ",", "3,nan"],
    "texts": ["a,1", "b,2", ",3"],
    "categories with gaps": ["x,1.0", ",", "x,2"],
    "not finite": ["1,inf", "2,1e999"],
    "ragged": ["1,2", "3"],
    "spaces": [" 1, 2", "3 ,4"],
    "quoted": ['"1",2', "3,4"],
    "numbers that become texts": ["1,2"] * 300 + ["a,2"],
    "other letters": ["é,1", "b,2"],
}


def same(first: Cells, second: Cells) -> bool:
    told = [
        (len(cells.rows), cells.integral, cells.fractional, cells.missing, cells.present) for cells in (first, second)
    ]
    return told[0] == told[1] and np.array_equal(np.sort(first.numbers), np.sort(second.numbers))


@pytest.mark.parametrize("case", BLOCKS)
def test_blocks_are_what_is_read_one_by_one(case: str, tmp_path: Path) -> None:
    lines = BLOCKS[case]
    (tmp_path / "a.csv").write_text("".join(f"{text}\n" for text in lines))
    slow = list(data_at(tmp_path, {"csv": {"header": False}}).chunks())
    quick = list(data_at(tmp_path, {"csv": {"header": False}}).chunks(texts=()))
    assert len(slow) == len(quick) == 1
    assert all(same(slow[0][name], quick[0][name]) for name in slow[0]), case
    again = Blocks(["_c0", "_c1"], ())
    first, second = again.chunk(lines), again.chunk(lines)  # the second time it is known what is in it
    assert first is not None and second is not None
    assert all(same(first[name], second[name]) and same(first[name], slow[0][name]) for name in first)


def test_statistics_of_captured_lines_are_those_of_the_same_CSV(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    data = [f"{random.normal():.3f},{random.integers(9)},{'ab'[random.integers(2)]}" for _ in range(900)]
    for name in ("csv", "captured"):
        (tmp_path / name).mkdir()
    (tmp_path / "csv" / "a.csv").write_text("_c0,_c1,_c2\n" + "\n".join(data))
    (tmp_path / "captured" / "a.jsonl").write_text("\n".join(line(row) for row in data))
    first = statistics(profile(data_at(tmp_path / "csv", {"csv": {"header": True}})))
    second = statistics(profile(data_at(tmp_path / "captured", {LAYOUT: {}})))
    assert first == second


def test_a_wide_request_makes_no_wide_columns_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as may be, and beside each row of them no more cells than a chunk may have."""
    monkeypatch.setattr("mlops.monitor.formats.json._MOST_CELLS", 100_000)
    wide = payload({f"k{number}": 1 for number in range(900)}, "JSON", JSON)
    text = [*[line(payload({"age": 1}, "JSON", JSON))] * 2_000, line(wide)]
    (tmp_path / "a.jsonl").write_text("".join(f"{item}\n" for item in text))
    read = sizes = 0
    for chunk in data_at(tmp_path, {LAYOUT: {"features": ["age"]}}).chunks():
        read += len(chunk["age"].rows)
        sizes = max(sizes, len({id(cells.rows) for cells in chunk.values()}) * len(chunk["age"].rows))
    assert read == 2_001
    assert sizes <= 100_000
