"""The official SDK's own classes of Model Monitor's files read what a check writes; it obeys what they change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.monitor.data import data_at
from mlops.monitor.data_quality import assess
from mlops.monitor.files import write_json
from mlops.monitor.watch import run as watch

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


def test_the_sdk_reads_what_a_monitor_leaves(tmp_path: Path) -> None:
    from sagemaker.core.model_monitor import Constraints, ConstraintViolations, Statistics

    inputs = tmp_path / "processing" / "input"
    for name in ("monitor", "baseline", "captured"):
        (inputs / name).mkdir(parents=True)
    told = {"monitor": "watch", "endpoint": "churn", "data_quality": {}, "drift": {}}
    (inputs / "monitor" / "monitor.json").write_text(json.dumps(told))
    (inputs / "baseline" / "a.csv").write_text("n,s\n" + "".join(f"{at},{'ab'[at % 2]}\n" for at in range(300)))
    lines = []
    for at in range(300):
        payload = {"observedContentType": "text/csv", "mode": "INPUT", "data": f"{at + 100},c", "encoding": "CSV"}
        metadata = {"eventId": str(at), "inferenceTime": "2026-11-29T09:00:00Z"}
        lines.append(json.dumps({"captureData": {"endpointInput": payload}, "eventMetadata": metadata}))
    (inputs / "captured" / "a.jsonl").write_text("\n".join(lines))
    watch({}, tmp_path)
    for kind, check in (("data_quality", "categorical_values_check"), ("drift", "baseline_drift_check")):
        folder = tmp_path / "processing" / "output" / kind
        read = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
        statistics = Statistics(read["statistics.json"], "s3://b/statistics.json").body_dict
        constraints = Constraints(read["constraints.json"], "s3://b/constraints.json").body_dict
        found = ConstraintViolations(read["constraint_violations.json"], "s3://b/constraint_violations.json").body_dict
        assert [item["name"] for item in statistics["features"]] == ["n", "s"]
        assert [item["name"] for item in constraints["features"]] == ["n", "s"]
        assert {item["constraint_check_type"] for item in found["violations"]} == {check}
        assert all(
            {"feature_name", "constraint_check_type", "description"} == item.keys() for item in found["violations"]
        )
