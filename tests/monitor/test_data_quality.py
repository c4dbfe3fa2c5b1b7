"""Statistics and constraints of data, and what of other data violates them. Rows are small; what is large is asked by
the judge `monitor`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mlops.monitor.data import data_at
from mlops.monitor.data_quality import assess
from mlops.monitor.distinct import Distinct
from mlops.monitor.fault import Fault
from mlops.monitor.profile import profile, statistics
from mlops.monitor.sketch import Sketch, buckets, weighted

CSV, LINES = {"csv": {"header": True}}, {"json": {"lines": True}}


def written(folder: Path, text: str | bytes, name: str = "data.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def features(folder: Path, text: str | bytes, layout: Any = CSV, name: str = "data.csv") -> dict[str, Any]:
    told = statistics(profile(data_at(written(folder, text, name), layout)))
    return {item["name"]: item for item in told["features"]}


TYPES = [
    ("1\n2", "Integral", 0),
    ("1.0\n2", "Fractional", 0),
    ("1e-5\n2", "Fractional", 0),
    (" 1\n-2", "Integral", 0),
    ("1\nx", "String", 0),
    ("true\nfalse", "String", 0),
    ('""\n""', "Unknown", 2),
    ('1\n""', "Integral", 1),
    ("1.5\nNaN", "Fractional", 1),
    ("1_000\n2", "String", 0),
    ("inf\n2", "String", 0),
    ("1e999\n2", "String", 0),
    ('"1,5"\n"2,5"', "String", 0),
]


def test_types_and_what_is_missing(tmp_path: Path) -> None:
    for cells, kind, missing in TYPES:
        found = features(tmp_path, f"a\n{cells}\n")["a"]
        common = (found.get("numerical_statistics") or found["string_statistics"])["common"]
        assert (found["inferred_type"], common) == (kind, {"num_present": 2 - missing, "num_missing": missing}), cells


def bucket(at: int, count: float) -> dict[str, Any]:
    low, high = pytest.approx(1 + 0.3 * at), pytest.approx(1.3 + 0.3 * at)
    return {"lower_bound": low, "upper_bound": high, "count": count}


def test_statistics_are_those_of_the_guide_member_by_member(tmp_path: Path) -> None:
    found = features(tmp_path, "n,s\n1,a\n2,b\n4,a\n")
    assert found["n"] == {
        "name": "n",
        "inferred_type": "Integral",
        "numerical_statistics": {
            "common": {"num_present": 3, "num_missing": 0},
            "mean": pytest.approx(7 / 3),
            "sum": 7.0,
            "std_dev": pytest.approx(1.247219128924647),
            "min": 1.0,
            "max": 4.0,
            "distribution": {
                "kll": {
                    "buckets": [bucket(at, float(at in (0, 3, 9))) for at in range(10)],
                    "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[1.0, 2.0, 4.0]]},
                }
            },
        },
    }  # fmt: skip
    assert found["s"] == {
        "name": "s",
        "inferred_type": "String",
        "string_statistics": {
            "common": {"num_present": 3, "num_missing": 0},
            "distinct_count": 2.0,
            "distribution": {"categorical": {"buckets": [{"value": "a", "count": 2}, {"value": "b", "count": 1}]}},
        },
    }


@pytest.mark.parametrize(
    ("layout", "name", "text"),
    [
        ({"csv": {"header": False}}, "d.csv", "1,a\n2,b\n"),
        (LINES, "d.jsonl", '{"_c0": 1, "_c1": "a"}\n\n{"_c0": 2, "_c1": "b"}\n'),
        ({"json": {"lines": False}}, "d.json", '[{"_c0": 1, "_c1": "a"}, {"_c1": "b", "_c0": 2}]'),
        ({"csv": {}}, "d.csv.gz", gzip.compress(b"1,a\n2,b\n", mtime=0)),
    ],
    ids=["csv without names", "JSON lines", "a JSON list", "gzipped csv"],
)
def test_each_format_gives_the_same(tmp_path: Path, layout: Any, name: str, text: str | bytes) -> None:
    found = features(tmp_path / "data", text, layout, name)
    assert [(item["name"], item["inferred_type"]) for item in found.values()] == [
        ("_c0", "Integral"),
        ("_c1", "String"),
    ]
    assert found["_c0"]["numerical_statistics"]["sum"] == 3.0


def test_what_is_nested_is_flattened_and_what_a_line_lacks_is_missing(tmp_path: Path) -> None:
    found = features(tmp_path, '{"a": {"b": [1, 2]}}\n{"c": "x"}\n', LINES, "d.jsonl")
    assert {name: item["inferred_type"] for name, item in found.items()} == {
        "a.b.0": "Integral",
        "a.b.1": "Integral",
        "c": "String",
    }
    assert found["c"]["string_statistics"]["common"] == {"num_present": 1, "num_missing": 1}


UNREADABLE = [
    (CSV, "a,a\n1,2\n", "more than one column 'a'"),
    (CSV, "a\n1,2\n", "has 2 cells near line 2, and 1 columns"),
    (CSV, "a\n", "no rows"),
    (CSV, b"a\n\xff\n", "is not UTF-8"),
    (LINES, b"\xff\n", "is not UTF-8"),
    (LINES, "[1]\n", "line 1 of data.csv is no JSON object"),
    (LINES, "{\n", "line 1 of data.csv is no JSON"),
    ({"xml": {}}, "a", "data written as xml cannot be read yet"),
    ("csv", "a", "csv, json, parquet with its options is wanted"),
]


def test_data_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    for layout, text, reason in UNREADABLE:
        with pytest.raises(Fault, match=reason):
            profile(data_at(written(tmp_path, text), layout))
    whole = gzip.compress(b"a\n1\n" * 1000)
    for content in (b"a\n1\n", whole[:-9], whole[:20] + b"\xff" * 20):
        data = data_at(written(tmp_path / "zipped", content, "d.gz"), CSV)
        with pytest.raises(Fault, match=r"d\.gz is no gzip file, or not all of one"):
            profile(data)
    with pytest.raises(Fault, match=r"d\.gz is no gzip file"):
        profile(data_at(tmp_path / "zipped", LINES))
    with pytest.raises(Fault, match="no file with data"):
        data_at(tmp_path / "nothing", CSV)


def test_a_column_that_turns_out_to_hold_text_counts_all_its_values(tmp_path: Path) -> None:
    data = data_at(written(tmp_path, "a\n1\n1\nx\n"), CSV)
    columns = profile(data)
    assert columns["a"].distinct.counts == {"1": 2, "x": 1}
    assert columns["a"].share_of("Integral") == 2 / 3


BASELINE = "n,s,t\n" + "".join(f"{number},{'ab'[number % 2]},{number / 2}\n" for number in range(100))
VIOLATING: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    ("the same", BASELINE, []),
    ("an integer in a column of fractions", BASELINE.replace("\n1,b,0.5", "\n1,b,1"), []),
    (
        "a fraction in a column of integers",
        BASELINE.replace("\n1,b", "\n1.5,b"),
        [
            (
                "n",
                "data_type_check",
                "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
                "Observed: Only 99.0% of data is Integral.",
            )
        ],
    ),
    (
        "one cell is missing",
        BASELINE.replace("\n1,b", "\n,b"),
        [("n", "completeness_check", "Completeness requirement is not met.")],
    ),
    (
        "a new category",
        BASELINE.replace("\n1,b", "\n1,c"),
        [
            (
                "s",
                "categorical_values_check",
                "Categorical values requirement is not met. Expected match: 100.0%. Observed: Only 99.0% of data is in "
                "the baseline's domain. New: c.",
            )
        ],
    ),
    (
        "other numbers",
        "n,s,t\n" + "".join(f"{number + 60},{'ab'[number % 2]},{number / 2}\n" for number in range(100)),
        [("n", "baseline_drift_check", "Baseline drift distance: 0.3454")],
    ),
    (
        "other shares",
        "n,s,t\n" + "".join(f"{number},{'ab'[number % 10 == 0]},{number / 2}\n" for number in range(100)),
        [("s", "baseline_drift_check", "Baseline drift distance: 0.145")],
    ),
    (
        "a column less",
        "n,s\n" + "".join(f"{number},{'ab'[number % 2]}\n" for number in range(100)),
        [
            (
                "Missing columns",
                "missing_column_check",
                "There are missing columns in current dataset. Number of columns in current dataset: 2, Number of "
                "columns in baseline constraints: 3. Missing: t",
            )
        ],
    ),
    (
        "a column more",
        BASELINE.replace("\n", ",1\n").replace("n,s,t,1", "n,s,t,u"),
        [("Extra columns", "extra_column_check", "There are extra columns in current dataset.")],
    ),
    (
        "a column by another name",
        BASELINE.replace("n,s,t", "n,s,u"),
        [("t", "missing_column_check", "The current dataset has no column t, and has u instead")],
    ),
]


def test_each_check_fires_and_does_not(tmp_path: Path) -> None:
    before = assess(data_at(written(tmp_path, BASELINE), CSV), None, None)
    assert before.violations is None
    for name, text, expected in VIOLATING:
        report = assess(data_at(written(tmp_path, text), CSV), before.constraints, before.statistics)
        found = [*(report.violations or ())]
        told = [(item["feature_name"], item["constraint_check_type"]) for item in found]
        assert told == [(feature, check) for feature, check, _ in expected], name
        for item, (_, _, words) in zip(found, expected, strict=True):
            assert item["description"].startswith(words), name


def test_what_is_switched_off_does_not_fire(tmp_path: Path) -> None:
    before = assess(data_at(written(tmp_path, BASELINE), CSV), None, None)
    changed = data_at(written(tmp_path, VIOLATING[5][1].replace("\n60,a", "\n60.5,a")), CSV)

    def checks(*path: str, value: Any) -> list[str]:
        constraints = json.loads(json.dumps(before.constraints))
        here: Any = constraints
        for member in path[:-1]:
            here = here[int(member)] if isinstance(here, list) else here.setdefault(member, {})
        here[path[-1]] = value
        return [
            item["constraint_check_type"] for item in assess(changed, constraints, before.statistics).violations or ()
        ]

    kind, drift = "data_type_check", "baseline_drift_check"
    config = "monitoring_config"
    assert checks("version", value=0) == [kind, drift]
    assert checks(config, "evaluate_constraints", value="Disabled") == []
    assert checks("features", "0", "monitoringConfigOverrides", "evaluate_constraints", value="Disabled") == []
    assert checks(config, "datatype_check_threshold", value=0.9) == [drift]
    assert checks(config, "distribution_constraints", "perform_comparison", value="Disabled") == [kind]
    assert checks(config, "distribution_constraints", "comparison_threshold", value=0.9) == [kind]
    with pytest.raises(Fault, match="comparison_threshold of the baseline's constraints is 'x'"):
        checks(config, "distribution_constraints", "comparison_threshold", value="x")
    with pytest.raises(Fault, match="none of a data-quality check"):
        checks("features", value=None)


def test_categories_of_a_baseline_that_somebody_changed(tmp_path: Path) -> None:
    before = assess(data_at(written(tmp_path, BASELINE), CSV), None, None)
    for buckets_, reason in (
        ([{"value": "a"}], "categories of s cannot be read: KeyError"),
        ([{"value": "a", "count": "many"}], "categories of s cannot be read"),
        ("ab", "categories of s cannot be read"),
    ):
        statistics = json.loads(json.dumps(before.statistics))
        statistics["features"][1]["string_statistics"]["distribution"]["categorical"]["buckets"] = buckets_
        with pytest.raises(Fault, match=reason):
            assess(data_at(tmp_path, CSV), before.constraints, statistics)
    distribution = statistics["features"][1]["string_statistics"]["distribution"]
    distribution["categorical"]["buckets"] = [{"value": "a", "count": 0}]
    assert assess(data_at(tmp_path, CSV), before.constraints, statistics).violations == []


def test_half_a_character_is_counted_too() -> None:
    """JSON may write one, and no encoding has it."""
    distinct = Distinct()
    distinct.add(["\ud800", *map(str, range(10_000))])
    assert distinct.count == pytest.approx(10_001, rel=0.1)


def test_a_sketch_keeps_the_count_and_the_distribution() -> None:
    sketch = Sketch()
    for start in range(0, 50_000, 10_000):
        sketch.add([float((number * 7919) % 50_000) for number in range(start, start + 10_000)])
    assert sum(map(len, sketch.data())) < 3 * 2048
    _, ranks = weighted(sketch.data())
    assert ranks[-1] == 50_000
    for bucket in buckets(sketch, 0.0, 49_999.0):
        assert bucket["count"] == pytest.approx(5000, abs=250)
