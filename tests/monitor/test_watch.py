"""The job of a declared monitor, in this process: what it is given, and what it leaves."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops.monitor.fault import Fault
from mlops.monitor.predictor import PORTS
from mlops.monitor.watch import run

from .test_captured import line, payload

ROWS = 400


def requests(seed: int, moved: float = 0.0, hour: int = 9) -> list[str]:
    random = np.random.default_rng(seed)
    found = []
    for number in range(ROWS):
        age, plan = random.normal(40 + moved, 10), "paid" if random.random() < 0.4 else "free"
        at = f"2026-11-29T{hour:02}:{number // 60 % 60:02}:{number % 60:02}Z"
        found.append(line(f"{age:.2f},{plan}", f"{random.random():.3f}", at, f"{hour}-{number}"))
    return found


def training(seed: int = 0) -> str:
    random = np.random.default_rng(seed)
    told = [f"{random.normal(40, 10):.2f},{'paid' if random.random() < 0.4 else 'free'},1" for _ in range(1000)]
    return "\n".join(["age,plan,churned", *told])


def label(name: str, value: object) -> str:
    return json.dumps({"groundTruthData": {"data": str(value), "encoding": "CSV"}, "eventMetadata": {"eventId": name}})


class Job:
    def __init__(self, folder: Path, **told: Any) -> None:
        self.inputs, self.folder = folder / "processing" / "input", folder
        given = {"monitor": "watch", "endpoint": "churn", "label_column": "churned", **told}
        self.put("monitor/monitor.json", json.dumps(given))
        self.put("baseline/train.csv", training())

    def put(self, name: str, text: str) -> None:
        place = self.inputs / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def read(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads((self.folder / "processing" / name).read_text())
        return found

    def violations(self, kind: str) -> list[tuple[str, str]]:
        found = self.read(f"output/{kind}/constraint_violations.json")["violations"]
        return [(item.get("feature_name") or item["metric_name"], item["constraint_check_type"]) for item in found]


ALL = {
    "data_quality": {},
    "drift": {},
    "model_quality": {
        "problem_type": "BinaryClassification",
        "probability_attribute": "prediction",
        "at_least": {"accuracy": 0.9},
    },
    "bias": {
        "facet": [{"name_or_index": "plan", "value_or_threshold": ["free"]}],
        "label_values_or_threshold": [1],
        "at_most": {"DPPL": 0.3},
    },
}


def test_a_window_is_looked_at_in_each_way(tmp_path: Path) -> None:
    job = Job(tmp_path, **ALL)
    job.put("captured/A/a.jsonl", "\n".join([*requests(1), "no JSON"]))
    scores = [float(json.loads(text)["captureData"]["endpointOutput"]["data"]) for text in requests(1)]
    truth = [label(f"9-{number}", int(score > 0.5)) for number, score in enumerate(scores[:300])]
    job.put("labels/2026/11/29/09/00-00-000-a.jsonl", "\n".join([label("9-0", "?"), *truth]))
    assert run({}, tmp_path) is None
    told = job.read("output/run.json")
    assert (told["lines"], told["unreadable"]) == (401, 1)
    assert {kind: (found["rows"], found["violations"]) for kind, found in told["kinds"].items()} == {
        "data_quality": (400, 0),
        "drift": (400, 0),
        "model_quality": (300, 0),
        "bias": (300, 0),
    }
    names = {metric["MetricName"] for metric in job.read("output/metrics.json")["metrics"]}
    assert {
        "feature_data_age",
        "feature_non_null_plan",
        "feature_baseline_drift_age",
        "accuracy",
        "bias_metric_DPPL",
    } <= names
    assert not {name for name in names if "prediction" in name}


def test_what_went_wrong_is_told_by_each_look(tmp_path: Path) -> None:
    job = Job(tmp_path, **ALL)
    wrong = [text.replace("free", "gratis") for text in requests(1, moved=8.0)]
    job.put("captured/A/a.jsonl", "\n".join(wrong))
    job.put("labels/a.jsonl", "\n".join(label(f"9-{number}", number % 2) for number in range(ROWS)))
    assert run({}, tmp_path) == 5
    assert job.violations("data_quality") == [("plan", "categorical_values_check")]
    assert {name for name, _ in job.violations("drift")} == {"age", "plan", "All features together"}
    assert job.violations("model_quality") == [("accuracy", "LessThanThreshold")]
    assert job.read("output/run.json")["kinds"]["bias"]["violations"] == 0  # nobody is left of who is looked at


def test_the_next_run_goes_by_what_the_first_made_of_the_training_data(tmp_path: Path) -> None:
    first = Job(tmp_path / "first", drift={})
    first.put("captured/A/a.jsonl", "\n".join(requests(1, moved=5.0)))
    run({}, tmp_path / "first")
    made = tmp_path / "first" / "processing" / "baseline"
    assert {path.name for path in made.iterdir()} == {"statistics.json", "constraints.json", "drift_baseline.json"}
    second = Job(tmp_path / "second", drift={})
    second.put("captured/A/a.jsonl", "\n".join(requests(1, moved=5.0)))
    (second.inputs / "baseline" / "train.csv").unlink()
    for path in made.iterdir():
        second.put(f"baseline/{path.name}", path.read_text())
    run({}, tmp_path / "second")
    assert first.read("output/drift/drift.json") == second.read("output/drift/drift.json")
    assert first.violations("drift")


def test_baselines_of_a_version_lie_beside_each_other(tmp_path: Path) -> None:
    """As DriftCheckBaselines bring them, each in a folder of its own."""
    first = Job(tmp_path / "first", **ALL)
    first.put("captured/A/a.jsonl", "\n".join(requests(1)))
    first.put("labels/a.jsonl", "\n".join(label(f"9-{number}", number % 2) for number in range(ROWS)))
    run({}, tmp_path / "first")
    sound = {"problem_type": "BinaryClassification", "probability_attribute": "prediction"}
    told = {**ALL, "model_quality": sound, "bias": {**ALL["bias"], "at_most": {}}}
    second = Job(tmp_path / "second", **told)
    (second.inputs / "baseline" / "train.csv").unlink()
    for place, made in (
        ("statistics/statistics.json", "baseline/statistics.json"),
        ("constraints/constraints.json", "baseline/constraints.json"),
        ("model_quality/constraints/constraints.json", "output/model_quality/constraints.json"),
        ("bias/posttrainingconstraints/analysis.json", "output/bias/analysis.json"),
    ):
        second.put(f"baseline/{place}", json.dumps(first.read(made)))
    for name in ("captured/A/a.jsonl", "labels/a.jsonl"):
        second.put(name, (first.inputs / name).read_text())
    assert run({}, tmp_path / "second") is None
    kinds = second.read("output/run.json")["kinds"]
    assert {kind: found["violations"] for kind, found in kinds.items()} == dict.fromkeys(kinds, 0)
    beside = Job(tmp_path / "third", **told)
    beside.put(
        "baseline/model_quality/constraints.json", json.dumps(first.read("output/model_quality/constraints.json"))
    )
    for name in ("captured/A/a.jsonl", "labels/a.jsonl"):
        beside.put(name, (first.inputs / name).read_text())
    run({}, tmp_path / "third")
    kinds = beside.read("output/run.json")["kinds"]
    assert [kinds[kind]["violations"] for kind in ("data_quality", "drift", "model_quality")] == [0, 0, 0]


LIMITS: dict[str, tuple[dict[str, Any], Any]] = {
    "a least and a greatest value": ({"at_least": {"accuracy": 1.0}, "at_most": {"accuracy": 1.0}}, 1),
    "of no such metric": ({"at_least": {"acuracy": 0.8}}, "a limit of acuracy, and there are"),
}


@pytest.mark.parametrize("case", LIMITS)
def test_each_limit_is_looked_at(case: str, tmp_path: Path) -> None:
    limits, wanted = LIMITS[case]
    job = Job(tmp_path, model_quality={**ALL["model_quality"], "at_least": None, **limits})
    job.put("captured/A/a.jsonl", "\n".join(requests(1)))
    job.put("labels/a.jsonl", "\n".join(label(f"9-{number}", number % 2) for number in range(ROWS)))
    run({}, tmp_path)
    found = job.read("output/run.json")["kinds"]["model_quality"]
    if isinstance(wanted, int):
        assert found["violations"] == wanted
    else:
        assert wanted in found["not_compared"]


def test_no_request_makes_metrics_that_cloudwatch_refuses(tmp_path: Path) -> None:
    """It would refuse the others with them."""
    job = Job(tmp_path, data_quality={})
    sent = {"age": 1e300, "plan": "free", "x" * 300: 1, "n\u00e4me": 2}
    job.put(
        "captured/A/a.jsonl", "\n".join([*requests(1), line(payload(json.dumps(sent), "JSON", "application/json"))])
    )
    run({}, tmp_path)
    names = {metric["MetricName"] for metric in job.read("output/metrics.json")["metrics"]}
    assert names == {"feature_non_null_age", "feature_non_null_plan"}
    (job.inputs / "baseline" / "train.csv").unlink()
    run({}, tmp_path)
    names = {metric["MetricName"] for metric in job.read("output/metrics.json")["metrics"]}
    assert "feature_non_null__c0" in names
    assert all(len(name) < 256 and name.isascii() for name in names)


SILENT = {
    "nothing captured": ("", "", "drift", "nothing was captured"),
    "of another hour": (requests(1, hour=8), "", "data_quality", "nothing was captured"),
    "no labels yet": (requests(1), "", "model_quality", "no request of this time has a label yet"),
    "labels of others": (requests(1), [label("x", 1)], "bias", "no request of this time has a label yet"),
}


@pytest.mark.parametrize("case", SILENT)
def test_where_there_is_nothing_to_compare_that_is_told(case: str, tmp_path: Path) -> None:
    captured, labels, kind, why = SILENT[case]
    job = Job(tmp_path, **ALL, since="2026-11-29T09:00:00Z", until="2026-11-29T10:00:00Z")
    for name, lines in (("captured/A/a.jsonl", captured), ("labels/a.jsonl", labels)):
        if lines:
            job.put(name, "\n".join(lines))
    assert run({}, tmp_path) is None
    assert why in job.read("output/run.json")["kinds"][kind]["not_compared"]


@pytest.mark.parametrize(("told", "why"), [({}, "looks for nothing"), ({"drift": {"least": "x"}}, "drift.least")])
def test_a_monitor_that_cannot_be_run_is_told(told: Any, why: str, tmp_path: Path) -> None:
    job = Job(tmp_path, **told)
    job.put("captured/A/a.jsonl", "\n".join(requests(1)))
    with pytest.raises(Fault, match=why):
        run({}, tmp_path)


@pytest.fixture(scope="module")
def model() -> Iterator[dict[str, str]]:
    """Answers with the sum of a row's numbers, and has a word of more where a category is ``paid``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answered("")

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            rows = [line.split(",") for line in text.splitlines()]
            self.answered("\n".join(str(sum(3.0 if cell == "paid" else float(cell) for cell in row)) for row in rows))

        def answered(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {PORTS: str(server.server_port)}
    server.shutdown()
    server.server_close()


def spread(seed: int, *deviations: float, many: int = 200) -> list[str]:
    random = np.random.default_rng(seed)
    return [
        ",".join(f"{random.normal(0, deviation):.3f}" for deviation in deviations)
        + f",{'paid' if random.random() < 0.2 else '0'}"
        for _ in range(many)
    ]


ATTRIBUTED: dict[str, tuple[tuple[float, ...], dict[str, Any], int]] = {
    "the same": ((10, 1, 1), {}, 0),
    "a little else": ((9, 1.4, 0.8), {}, 0),
    "what counted does not vary any more": ((0.01, 5, 5), {}, 1),
    "and that is wished for": ((0.01, 5, 5), {"least": 0.3}, 0),
}


@pytest.mark.parametrize("case", ATTRIBUTED)
def test_what_answers_hang_on_is_held_against_the_training_data(
    case: str, tmp_path: Path, model: dict[str, str]
) -> None:
    """Measured of them in the first run, and read by the next one; the model alone is asked."""
    deviations, more, wanted = ATTRIBUTED[case]
    first = Job(tmp_path / "first", attributions={"rows": 40, **more})
    first.put("baseline/train.csv", "\n".join(["a,b,c,plan,churned", *(f"{row},1" for row in spread(0, 10, 1, 1))]))
    first.put("captured/A/a.jsonl", "\n".join(line(row, "0.5") for row in spread(1, *deviations)))
    assert run(model, tmp_path / "first") == (wanted or None)
    told = first.read("output/run.json")["kinds"]["attributions"]
    assert told == {"rows": 40, "violations": wanted}
    analysis = first.read("output/attributions/analysis.json")
    (found,) = analysis["explanations"]["kernel_shap"].values()
    assert analysis == first.read("output/attributions/constraints.json")
    assert found["global_shap_values"].keys() == {"a", "b", "c", "plan"}
    violations = first.read("output/attributions/constraint_violations.json")
    assert [
        (item["label"], item["metric_name"], item["constraint_check_type"]) for item in violations["violations"]
    ] == [("label0", "shap", "feature_attribution_drift_check")] * wanted
    metrics = {item["MetricName"]: item for item in first.read("output/metrics.json")["metrics"]}
    assert metrics.keys() == {"feature_a", "feature_b", "feature_c", "feature_plan", "ExpectedValue"}
    assert metrics["feature_a"]["Namespace"] == "aws/sagemaker/Endpoints/explainability-metrics"
    dimensions = {item["Name"]: item["Value"] for item in metrics["feature_a"]["Dimensions"]}
    assert dimensions == {
        "Endpoint": "churn",
        "MonitoringSchedule": "watch",
        "ExplainabilityMethod": "KernelShap",
        "Label": "label0",
        "ValueType": "GlobalShapValues",
    }
    second = Job(tmp_path / "second", attributions={"rows": 40, **more})
    (second.inputs / "baseline" / "train.csv").unlink()
    made = tmp_path / "first" / "processing" / "baseline"
    for path in made.rglob("*.json"):
        second.put(f"baseline/{path.relative_to(made)}", path.read_text())
    second.put("captured/A/a.jsonl", (first.inputs / "captured/A/a.jsonl").read_text())
    assert run(model, tmp_path / "second") == (wanted or None)
    assert second.read("output/attributions/analysis.json") == analysis


UNEXPLAINED: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "nobody serves the model": ({}, {}, "names its model, and nobody serves it"),
    "an NDCG beyond 1": ({"least": 2}, {PORTS: "1"}, "attributions.least is 2"),
    "another content type": ({"content_type": "text/html"}, {PORTS: "1"}, "content_type is 'text/html'"),
}


@pytest.mark.parametrize("case", UNEXPLAINED)
def test_what_cannot_be_explained_is_told_and_keeps_no_other_look_from_being_told(case: str, tmp_path: Path) -> None:
    given, environment, why = UNEXPLAINED[case]
    job = Job(tmp_path, data_quality={}, attributions=given)
    job.put("captured/A/a.jsonl", "\n".join(requests(1)))
    assert run(environment, tmp_path) is None
    kinds = job.read("output/run.json")["kinds"]
    assert kinds["data_quality"]["violations"] == 0
    assert why in kinds["attributions"]["not_compared"]
