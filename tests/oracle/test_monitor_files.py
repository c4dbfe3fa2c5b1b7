"""The official SDK's own classes of Model Monitor's files read what a check writes; it obeys what they change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.monitor.data import data_at
from mlops.monitor.data_quality import assess
from mlops.monitor.files import write_json

pytestmark = pytest.mark.proof("sdk")


def test_the_sdk_reads_them_and_switches_a_feature_off(tmp_path: Path) -> None:
    from sagemaker.core.model_monitor import Constraints, ConstraintViolations, Statistics

    layout = {"csv": {"header": True}}
    data, other = tmp_path / "data.csv", tmp_path / "other.csv"
    data.write_text("n,s\n" + "".join(f"{number},{'ab'[number % 2]}\n" for number in range(100)))
    other.write_text("n,s\n" + "".join(f"{number},{'ac'[number % 2]}\n" for number in range(100)))
    report = assess(data_at(data, layout), None, None)
    write_json(tmp_path, "statistics.json", report.statistics)
    write_json(tmp_path, "constraints.json", report.constraints)
    statistics = Statistics(json.loads((tmp_path / "statistics.json").read_text()), "s3://b/statistics.json")
    constraints = Constraints(json.loads((tmp_path / "constraints.json").read_text()), "s3://b/constraints.json")
    assert [feature["name"] for feature in statistics.body_dict["features"]] == ["n", "s"]
    found = assess(data_at(other, layout), constraints.body_dict, statistics.body_dict).violations
    violations = ConstraintViolations({"violations": found}, "s3://b/constraint_violations.json")
    assert {item["feature_name"] for item in violations.body_dict["violations"]} == {"s"}
    constraints.set_monitoring(False, "s")
    assert assess(data_at(other, layout), constraints.body_dict, statistics.body_dict).violations == []
    constraints.set_monitoring(False)
    assert assess(data_at(other, layout), constraints.body_dict, None).violations == []
