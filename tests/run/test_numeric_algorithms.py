"""Linear learner, k-means, PCA, random cut forest and k-nearest neighbours train, print and answer as the developer
guide has it for each (``LL-in-formats``, ``km-in-formats``, ``PCA-in-formats``, ``rcf-in-formats``,
``kNN-inference-formats``)."""

from __future__ import annotations

import json
import re
import struct
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from xgboost_requests import frame

from mlops.knowledge.algorithms import algorithm
from mlops.run.algorithms import implementation
from mlops.run.algorithms.job import TrainingJob, UserFault
from mlops.run.log import compiled_metrics, final_metrics
from mlops.run.serving.handlers import RequestFault, Service

pytestmark = pytest.mark.proof("algorithms")

JSON, LINES, CSV, RECORDIO = (
    "application/json",
    "application/jsonlines",
    "text/csv",
    "application/x-recordio-protobuf",
)


def member(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2, len(body)]) + body


def record(features: Any, label: float | None = None) -> bytes:
    def values(number: int, numbers: Any) -> bytes:
        packed = member(1, struct.pack(f"<{len(numbers)}f", *numbers))
        return member(number, member(1, b"values") + member(2, member(2, packed)))

    return frame(values(1, features) + (b"" if label is None else values(2, [label])))


def csv_of(table: Any) -> bytes:
    return "".join(",".join(str(cell) for cell in row) + "\n" for row in table.tolist()).encode()


def points(rows: int, seed: int) -> Any:
    import numpy

    return numpy.random.default_rng(seed).normal(size=(rows, 3))


class Trained:
    """A model of ``name``, and what was printed."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.base = base
        self._capsys = capsys
        self.said = ""

    def train(self, name: str, given: Mapping[str, str], channels: Mapping[str, tuple[str, bytes]]) -> Trained:
        config: dict[str, dict[str, str]] = {}
        (self.base / "model").mkdir(parents=True, exist_ok=True)
        for channel, (kind, content) in channels.items():
            folder = self.base / "input" / "data" / channel
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "part-0").write_bytes(content)
            config[channel] = {
                "ContentType": kind,
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
            }
        job = TrainingJob(self.base, "1", given, config, ("algo-1",), "algo-1")
        implementation(name).train(job)
        self.said = self._capsys.readouterr().out
        return self

    def metrics(self, name: str) -> dict[str, float]:
        """As the step finds them in its log."""
        known = algorithm(name)
        assert known is not None
        log = self.base / "log.txt"
        log.write_text(self.said, encoding="utf-8")
        found = final_metrics(compiled_metrics(known.metric_definitions), [log])
        return {item["MetricName"]: item["Value"] for item in found}

    def service(self, name: str) -> Service:
        service: Service = implementation(name).service(self.base / "model")
        return service


@pytest.fixture
def trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Trained:
    return Trained(tmp_path, capsys)


def asked(service: Service, body: str | bytes, kind: str = JSON, accept: str = JSON) -> Any:
    raw = body if isinstance(body, bytes) else body.encode()
    answer = service.answer(raw, kind, accept, {})
    return json.loads(answer.body) if accept.startswith(JSON) and "lines" not in accept else answer.body


def linear(rows: int, seed: int) -> Any:
    import numpy

    found = points(rows, seed)
    return numpy.column_stack([found @ [2.0, -1.0, 0.0] + 5, found])


def test_regressor(trained: Trained) -> None:
    channels = {"train": (CSV, csv_of(linear(200, 1))), "validation": (CSV, csv_of(linear(50, 2)))}
    trained.train("linear-learner", {"predictor_type": "regressor", "feature_dim": "3"}, channels)
    assert re.search(
        r"^\[\S+ \S+ INFO \d+\] #quality_metric: host=algo-1, validation mse <loss>=\S+$", trained.said, re.M
    )
    metrics = trained.metrics("linear-learner")
    assert {"validation:mse", "validation:rmse", "validation:absolute_loss", "validation:objective_loss"} <= set(
        metrics
    )
    assert metrics["validation:rmse"] < 0.01
    service = trained.service("linear-learner")
    body = json.dumps({"instances": [{"features": [1, 1, 1]}, {"data": {"features": {"values": [0, 0, 0]}}}]})
    assert [item["score"] for item in asked(service, body)["predictions"]] == pytest.approx([6, 5], abs=0.01)
    assert float(asked(service, "0,0,0", CSV, CSV)) == pytest.approx(5, abs=0.01)
    assert asked(service, "0,0,0\n1,1,1", CSV, LINES).count(b'{"score": ') == 2


@pytest.mark.parametrize(
    "loss",
    ["absolute_loss", "quantile_loss", "huber_loss", "eps_insensitive_squared_loss", "eps_insensitive_absolute_loss"],
)
def test_losses(trained: Trained, loss: str) -> None:
    given = {"predictor_type": "regressor", "loss": loss}
    trained.train("linear-learner", given, {"train": (CSV, csv_of(linear(300, 1)))})
    assert float(asked(trained.service("linear-learner"), "1,1,1", CSV, CSV)) == pytest.approx(6, abs=0.4)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({}, int),
        ({"l1": "0.01"}, int),
        ({"loss": "hinge_loss"}, int),
        ({"binary_classifier_model_selection_criteria": "recall_at_target_precision", "target_precision": "0.9"}, int),
    ],
)
def test_binary_classifier(trained: Trained, given: dict[str, str], label: type) -> None:
    table = linear(300, 1)
    table[:, 0] = table[:, 0] > 5
    test = linear(80, 2)
    test[:, 0] = test[:, 0] > 5
    trained.train(
        "linear-learner",
        {"predictor_type": "binary_classifier", **given},
        {"train": (RECORDIO, b"".join(record(row[1:], row[0]) for row in table)), "test": (CSV, csv_of(test))},
    )
    metrics = trained.metrics("linear-learner")
    assert metrics["test:binary_classification_accuracy"] > 0.9 and metrics["test:roc_auc_score"] > 0.95
    assert {"test:binary_f_beta", "test:precision", "test:recall", "test:objective_loss"} <= set(metrics)
    (found,) = asked(trained.service("linear-learner"), '{"instances": [{"features": [3, -3, 0]}]}')["predictions"]
    assert set(found) == {"score", "predicted_label"} and found["predicted_label"] == 1
    assert isinstance(found["predicted_label"], label)


def test_multiclass_classifier(trained: Trained) -> None:
    import numpy

    table = linear(400, 1)
    table[:, 0] = numpy.digitize(table[:, 0], [4, 6])
    given = {"predictor_type": "multiclass_classifier", "num_classes": "4"}
    trained.train("linear-learner", given, {"train": (CSV, csv_of(table)), "validation": (CSV, csv_of(table))})
    metrics = trained.metrics("linear-learner")
    assert metrics["validation:multiclass_accuracy"] > 0.8
    assert {"validation:dcg", "validation:macro_f_beta", "validation:multiclass_top_k_accuracy"} <= set(metrics)
    (found,) = asked(trained.service("linear-learner"), '{"instances": [{"features": [3, -3, 0]}]}')["predictions"]
    assert len(found["score"]) == 4 and found["predicted_label"] == 2 and found["score"][3] == 0


def test_kmeans(trained: Trained) -> None:
    import numpy

    table = numpy.vstack([points(60, 1) * 0.1 + 5, points(60, 2) * 0.1 - 5])
    channels = {"train": (RECORDIO, b"".join(map(record, table))), "test": ("text/csv;label_size=0", csv_of(table))}
    trained.train("kmeans", {"k": "2", "feature_dim": "3", "eval_metrics": '["msd","ssd"]'}, channels)
    metrics = trained.metrics("kmeans")
    assert metrics["test:ssd"] == pytest.approx(metrics["test:msd"] * 120)
    assert "host=algo-1, train msd <loss>=" in trained.said
    service = trained.service("kmeans")
    near, far = asked(service, "5,5,5\n-5,-5,-5", CSV)["predictions"]
    assert set(near) == {"closest_cluster", "distance_to_cluster"}
    assert near["closest_cluster"] != far["closest_cluster"] and near["distance_to_cluster"] < 0.1
    answer = asked(service, record([5, 5, 5]), RECORDIO, RECORDIO)
    assert b"closest_cluster" in answer and answer.startswith(struct.pack("<I", 0xCED7230A))
    assert [len(line.split(b",")) for line in asked(service, "5,5,5\n1,1,1", CSV, CSV).splitlines()] == [2, 2]


def test_pca(trained: Trained) -> None:
    from sklearn.decomposition import PCA

    table = points(100, 1) @ [[3, 0, 0], [0, 1, 0], [1, 0, 0.1]]
    given = {"feature_dim": "3", "num_components": "2", "mini_batch_size": "10"}
    trained.train("pca", given, {"train": ("text/csv;label_size=0", csv_of(table))})
    (found,) = asked(trained.service("pca"), "1,2,3", CSV)["projections"]
    theirs = PCA(2).fit(table).transform([[1, 2, 3]])[0]
    assert [abs(value) for value in found["projection"]] == pytest.approx([abs(value) for value in theirs])


def test_random_cut_forest(trained: Trained) -> None:
    import numpy

    test = numpy.column_stack([[0.0] * 30 + [1.0] * 5, numpy.vstack([points(30, 2), points(5, 3) + 20])])
    trained.train(
        "randomcutforest",
        {"feature_dim": "3", "num_trees": "50"},
        {"train": ("text/csv;label_size=0", csv_of(points(500, 1))), "test": ("text/csv;label_size=1", csv_of(test))},
    )
    assert trained.metrics("randomcutforest")["test:f1"] > 0.8
    usual, odd = asked(trained.service("randomcutforest"), "0,0,0\n20,20,20", CSV)["scores"]
    assert odd["score"] > usual["score"]


@pytest.mark.parametrize("metric", ["L2", "COSINE", "INNER_PRODUCT"])
def test_knn(trained: Trained, metric: str) -> None:
    import numpy

    table = points(200, 1)
    labels = (table[:, 0] > 0).astype(float)
    rows = numpy.column_stack([labels, table])
    given = {"k": "3", "feature_dim": "3", "predictor_type": "classifier", "sample_size": "200", "index_metric": metric}
    trained.train("knn", given, {"train": (CSV, csv_of(rows)), "test": (CSV, csv_of(rows))})
    assert trained.metrics("knn")["test:accuracy"] > 0.85
    service = trained.service("knn")
    assert asked(service, "5,0,0", CSV) == {"predictions": [{"predicted_label": 1.0}]}
    (found,) = asked(service, "5,0,0", CSV, f"{JSON}; verbose=true")["predictions"]
    assert set(found) == {"predicted_label", "distances", "labels"}
    assert found["distances"] == sorted(found["distances"]) and len(found["labels"]) == 3


def test_knn_regressor_on_fewer_dimensions(trained: Trained) -> None:
    given = {
        "k": "5",
        "feature_dim": "3",
        "predictor_type": "regressor",
        "sample_size": "100",
        "dimension_reduction_type": "sign",
        "dimension_reduction_target": "2",
    }
    trained.train("knn", given, {"train": (CSV, csv_of(linear(200, 1))), "test": (CSV, csv_of(linear(20, 2)))})
    assert "test:mse" in trained.metrics("knn")


REGRESSOR = {"predictor_type": "regressor"}
KMEANS = {"k": "2", "feature_dim": "3"}


@pytest.mark.parametrize(
    ("name", "given", "channels", "told"),
    [
        ("kmeans", {"k": "2"}, {}, "No value(s) were specified for 'feature_dim' which are required hyperparameter(s)"),
        ("kmeans", {**KMEANS, "k": "0"}, {}, "k is 0, an integer of at least 1 is wanted"),
        ("kmeans", {**KMEANS, "clusters": "2"}, {}, "Additional hyperparameters are not allowed: clusters"),
        ("kmeans", KMEANS, {}, "channel train is missing"),
        ("kmeans", KMEANS, {"train": ("text/csv;label_size=0", b"1,2,3\n")}, "k is 2, but channel train has 1 rows"),
        ("kmeans", KMEANS, {"train": (CSV, b"1,2,3\n")}, "feature_dim is 3, but rows of channel train have 2 features"),
        ("kmeans", KMEANS, {"train": (RECORDIO, b"1,2,3\n4,5,6\n")}, f"channel train is no {RECORDIO}: "),
        ("kmeans", KMEANS, {"train": (JSON, b"{}")}, "channel train: application/json is not read"),
        ("kmeans", KMEANS, {"train": (CSV, b"")}, "channel train holds no rows"),
        ("linear-learner", REGRESSOR, {"train": (RECORDIO, record([1, 2]))}, "rows of channel train have no labels"),
        (
            "linear-learner",
            {"predictor_type": "binary_classifier"},
            {"train": (CSV, b"2,1\n0,1\n")},
            "labels of a binary classifier are 0 and 1, but there is 2",
        ),
        (
            "linear-learner",
            {"predictor_type": "multiclass_classifier", "num_classes": "3"},
            {"train": (CSV, b"1,1\n0,1\n"), "validation": (CSV, b"2,1\n7,1\n")},
            "labels of 3 classes are 0 to 2, but there is 7 in channel validation",
        ),
        (
            "linear-learner",
            {"predictor_type": "binary_classifier"},
            {"train": (CSV, b"1,1\n0,1\n"), "test": (CSV, b"3,1\n")},
            "labels of a binary classifier are 0 and 1, but there is 3 in channel test",
        ),
        (
            "linear-learner",
            REGRESSOR,
            {"train": (CSV, b"1,1\nnan,1\n")},
            "row 2 of channel train has a value",
        ),
        (
            "kmeans",
            KMEANS,
            {"train": ("text/csv;label_size=0", b"1,2,inf\n")},
            "row 1 of channel train has a",
        ),
        ("kmeans", KMEANS, {"train": ("text/csv;label_size=no", b"1,2,3\n")}, "channel train is no text/csv: invalid"),
        (
            "linear-learner",
            {"predictor_type": "multiclass_classifier"},
            {},
            "predictor_type needs num_classes",
        ),
        (
            "pca",
            {"feature_dim": "2", "num_components": "2", "mini_batch_size": "1"},
            {"train": ("text/csv;label_size=0", b"1,2\n")},
            "num_components is 2, channel train has 1 rows of 2 features",
        ),
    ],
)
def test_faults(
    trained: Trained, name: str, given: dict[str, str], channels: dict[str, tuple[str, bytes]], told: str
) -> None:
    with pytest.raises(UserFault) as fault:
        trained.train(name, given, channels)
    assert str(fault.value).startswith(told)


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status", "told"),
    [
        ("1,2", CSV, JSON, 400, "unable to evaluate payload provided: rows have 2 features, the model has 3"),
        ("a,b,c", CSV, JSON, 400, "unable to evaluate payload provided: the body is no text/csv"),
        ("", CSV, JSON, 400, "unable to evaluate payload provided: there are no rows"),
        ("{}", JSON, JSON, 400, "unable to evaluate payload provided: the body is no application/json"),
        ('{"instances": [1]}', JSON, JSON, 400, "unable to evaluate payload provided"),
        ("1,2,nan", CSV, JSON, 400, "unable to evaluate payload provided: row 1 has a value that is no finite number"),
        pytest.param(
            "[" * 100_000, JSON, JSON, 400, "unable to evaluate payload provided: the body is no", id="nested deeply"
        ),
        (
            '{"instances": [{"data": {"features": {"keys": [9], "shape": [3], "values": [1]}}}]}',
            JSON,
            JSON,
            400,
            "unable to evaluate payload provided: the body is no application/json: a key is outside",
        ),
        ("x", "image/png", JSON, 415, "content type image/png is not supported"),
        ("1,2,3", CSV, "image/png", 406, "image/png is not supported; accept"),
    ],
)
def test_requests_that_are_refused(trained: Trained, body: str, kind: str, accept: str, status: int, told: str) -> None:
    table = ("text/csv;label_size=0", csv_of(points(10, 1)))
    service = trained.train("kmeans", KMEANS, {"train": table}).service("kmeans")
    with pytest.raises(RequestFault) as fault:
        asked(service, body, kind, accept)
    assert fault.value.status == status and str(fault.value).startswith(told)


@pytest.mark.parametrize("name", ["kmeans", "pca", "linear-learner", "knn", "randomcutforest"])
def test_what_was_not_trained_here_is_no_model(tmp_path: Path, name: str) -> None:
    (tmp_path / "model_algo-1").write_bytes(b"\0")
    with pytest.raises(RuntimeError, match="that was trained here"):
        implementation(name).service(tmp_path)
    for content in (b"", b"PK\x03\x04 and no more", b"\x80\x04\x95"):
        for file in ("model.npz", "model.pkl"):
            (tmp_path / file).write_bytes(content)
        with pytest.raises(RuntimeError, match="that was trained here"):
            implementation(name).service(tmp_path)


def test_distances_to_many_centres_take_little_more_than_the_data(trained: Trained) -> None:
    """All differences at once are as many times the data as there are centres."""
    table = ("text/csv;label_size=0", csv_of(points(200, 1)))
    service = trained.train("kmeans", {"k": "100", "feature_dim": "3"}, {"train": table}).service("kmeans")
    body = csv_of(points(10_000, 2))
    tracemalloc.start()
    try:
        assert len(asked(service, body, CSV)["predictions"]) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 10_000 * 3 * 8 * 100
    finally:
        tracemalloc.stop()
