"""Metrics of a model's predictions, by the developer guide's own examples and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops.monitor.data import data_at
from mlops.monitor.fault import Fault
from mlops.monitor.model_quality import asked, assess
from mlops.monitor.report import Report

CSV = {"csv": {"header": True}}
BASE = {"ground_truth_attribute": "y", "inference_attribute": "p"}
TWO, MANY, NUMBERS = (
    {**BASE, "problem_type": name} for name in ("BinaryClassification", "MulticlassClassification", "Regression")
)


def report(folder: Path, rows: str, constraints: Any = None, **environment: str) -> Report:
    (folder / "data.csv").write_text(rows)
    return assess(data_at(folder, CSV), asked(environment), constraints)


def values(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: told["value"] for name, told in metrics.items() if "value" in told}


def test_two_classes_as_in_the_guide(tmp_path: Path) -> None:
    told = report(tmp_path, "y,p\n0,0\n0,1\n0,1\n1,1\n", **TWO).statistics
    metrics = told["binary_classification_metrics"]
    assert told["dataset"] == {"item_count": 4}
    assert metrics["confusion_matrix"] == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    assert metrics["recall"]["standard_deviation"] != metrics["recall"]["standard_deviation"], "NaN below 200 rows"
    assert values(metrics) == pytest.approx(
        {
            "recall": 1.0,
            "precision": 0.3333333333333333,
            "accuracy": 0.5,
            "recall_best_constant_classifier": 1.0,
            "precision_best_constant_classifier": 0.25,
            "accuracy_best_constant_classifier": 0.25,
            "true_positive_rate": 1.0,
            "true_negative_rate": 0.33333333333333337,
            "false_positive_rate": 0.6666666666666666,
            "false_negative_rate": 0.0,
            "f0_5": 0.3846153846153846,
            "f1": 0.5,
            "f2": 0.7142857142857143,
            "f0_5_best_constant_classifier": 0.29411764705882354,
            "f1_best_constant_classifier": 0.4,
            "f2_best_constant_classifier": 0.625,
        }
    )


def test_many_classes_as_in_the_guide(tmp_path: Path) -> None:
    rows = "y,p\n" + "0,0\n" * 1180 + "0,1\n" * 510 + "1,0\n" * 268 + "1,1\n" * 138
    metrics = report(tmp_path, rows, **MANY).statistics["multiclass_classification_metrics"]
    assert metrics["confusion_matrix"] == {"0": {"0": 1180, "1": 510}, "1": {"0": 268, "1": 138}}
    assert values(metrics) == pytest.approx(
        {
            "accuracy": 0.6288167938931297,
            "weighted_recall": 0.6288167938931297,
            "weighted_precision": 0.6983172269629505,
            "weighted_f0_5": 0.6803947317178771,
            "weighted_f1": 0.6571162346664904,
            "weighted_f2": 0.6384024354394601,
            "accuracy_best_constant_classifier": 0.19370229007633588,
            "weighted_recall_best_constant_classifier": 0.19370229007633588,
            "weighted_precision_best_constant_classifier": 0.03752057718081697,
            "weighted_f0_5_best_constant_classifier": 0.04473443104152011,
            "weighted_f1_best_constant_classifier": 0.06286421244683643,
            "weighted_f2_best_constant_classifier": 0.10570313141262414,
        }
    )
    assert 0 < metrics["accuracy"]["standard_deviation"] < 0.02


def test_numbers(tmp_path: Path) -> None:
    told = report(tmp_path, "y,p\n1,1\n2,3\n3,5\n,1\n", **NUMBERS)
    assert told.statistics["dataset"]["item_count"] == 4
    found = values(told.statistics["regression_metrics"])
    assert found == pytest.approx({"mae": 1.0, "mse": 5 / 3, "rmse": (5 / 3) ** 0.5, "r2": -1.5})
    above, below = "GreaterThanThreshold", "LessThanThreshold"
    assert told.constraints["regression_constraints"] == {
        name: {"threshold": value, "comparison_operator": below if name == "r2" else above}
        for name, value in found.items()
    }


def test_probabilities_make_classes_and_curves(tmp_path: Path) -> None:
    given = {"problem_type": "BinaryClassification", "ground_truth_attribute": "0", "probability_attribute": "$.q"}
    rows = "y,q\n0,0.1\n0,0.4\n1,0.35\n1,0.8\n"
    metrics = report(tmp_path, rows, **given).statistics["binary_classification_metrics"]
    assert metrics["auc"]["value"] == 0.75
    assert metrics["recall"]["value"] == 0.5
    assert metrics["receiver_operating_characteristic_curve"] == {
        "false_positive_rates": [0.0, 0.0, 0.5, 0.5, 1.0],
        "true_positive_rates": [0.0, 0.5, 0.5, 1.0, 1.0],
    }
    assert metrics["precision_recall_curve"]["recalls"] == [0.0, 0.5, 0.5, 1.0, 1.0]
    lower = report(tmp_path, rows, **given, probability_threshold_attribute="0.3")
    assert lower.statistics["binary_classification_metrics"]["recall"]["value"] == 1.0


def test_worse_metrics_violate_and_equal_ones_do_not(tmp_path: Path) -> None:
    good, bad = "y,p\n1,1\n2,2.5\n3,3\n", "y,p\n1,2\n2,2.5\n3,3\n"
    constraints = report(tmp_path, good, **NUMBERS).constraints
    assert report(tmp_path, good, constraints, **NUMBERS).violations == []
    found = report(tmp_path, bad, constraints, **NUMBERS).violations or ()
    assert [(item["metric_name"], item["constraint_check_type"]) for item in found] == [
        ("mae", "GreaterThanThreshold"),
        ("mse", "GreaterThanThreshold"),
        ("rmse", "GreaterThanThreshold"),
        ("r2", "LessThanThreshold"),
    ]
    assert found[0]["description"] == "Metric mae with 0.5 +/- NaN was GreaterThanThreshold '0.16666666666666666'"
    with pytest.raises(Fault, match="no binary_classification_constraints"):
        report(tmp_path, "y,p\n1,1\n0,0\n", constraints, **TWO)


@pytest.mark.parametrize(
    ("environment", "rows", "reason"),
    [
        ({**TWO, "problem_type": "Binary"}, "y,p\n1,1\n", "problem_type is 'Binary'"),
        ({**TWO, "inference_attribute": "q"}, "y,p\n1,1\n", "the data have no column q; they have y, p"),
        ({**TWO, "inference_attribute": ""}, "y,p\n1,1\n", "no inference_attribute"),
        (TWO, "y,p\n1,a\n0,b\n", "of two classes, the data have 0, 1, a, b"),
        (NUMBERS, "y,p\n1,a\n", "no row has both"),
        ({**TWO, "probability_threshold_attribute": "x"}, "y,p\n1,1\n", "probability_threshold_attribute is 'x'"),
    ],
)
def test_what_cannot_be_measured_says_why(tmp_path: Path, environment: Any, rows: str, reason: str) -> None:
    with pytest.raises(Fault, match=reason):
        report(tmp_path, rows, **environment)
