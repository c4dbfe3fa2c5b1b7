"""The data files of algorithms hold together, and a value is judged as the algorithm would."""

from __future__ import annotations

import pytest

from mlops.knowledge.algorithms import algorithm, names
from mlops.run.algorithms.xgboost.channels import validated

every_algorithm = pytest.mark.parametrize("name", names())


def test_amazons_own_are_there() -> None:
    assert set(names()) == {
        "blazingtext",
        "factorization-machines",
        "forecasting-deepar",
        "image-classification",
        "ipinsights",
        "kmeans",
        "knn",
        "lda",
        "linear-learner",
        "ntm",
        "object-detection",
        "object2vec",
        "pca",
        "randomcutforest",
        "semantic-segmentation",
        "seq2seq",
        "xgboost",
    }


def test_a_repository_that_is_none_is_no_algorithm() -> None:
    assert algorithm("churn") is None
    found = algorithm("sagemaker-xgboost")
    assert found is not None
    assert found is algorithm("xgboost")


@every_algorithm
def test_what_a_file_speaks_of_is_in_it(name: str) -> None:
    found = algorithm(name)
    assert found is not None
    assert found.source
    assert "train" in found.channels
    assert set(found.tunable) <= set(found.hyperparameters)
    assert set(found.tunable.values()) <= {"Integer", "Continuous", "Categorical"}
    assert set(found.metrics.values()) <= {"Maximize", "Minimize"}
    assert set(found.devices) <= {"cpu", "gpu"}
    assert set(found.input_modes) <= {"File", "Pipe", "FastFile"}
    for condition in found.told_if:
        assert set(condition.names) <= set(found.metrics)
        assert set(condition.when) <= set(found.hyperparameters)
    for condition in (*found.required_if, *found.only_if):
        assert set(condition.names) | set(condition.when) <= set(found.hyperparameters)
        for key, values in condition.when.items():
            assert all(found.hyperparameters[key].takes(value) for value in values)


@every_algorithm
def test_limits_are_limits(name: str) -> None:
    found = algorithm(name)
    assert found is not None
    for item in found.hyperparameters.values():
        for limit, wanted in ((item.min, True), (item.max, True), (item.above, False), (item.below, False)):
            assert limit is None or item.takes(str(limit)) is wanted, (item.name, limit)
        for word in (*item.alternatives, *item.one_of):
            assert item.takes(str(word)), (item.name, word)
        assert item.wanted


@pytest.mark.parametrize(
    ("name", "key", "value", "taken"),
    [
        ("kmeans", "k", "10", True),
        ("kmeans", "k", '"10"', True),
        ("kmeans", "k", "ten", False),
        ("kmeans", "k", "0", False),
        ("kmeans", "eval_metrics", '["msd","ssd"]', True),
        ("kmeans", "eval_metrics", '["rmse"]', False),
        ("kmeans", "extra_center_factor", "auto", True),
        ("kmeans", "force_dense", "True", True),
        ("xgboost", "updater", "grow_local_histmaker,prune", True),
        ("xgboost", "updater", "grow_fast", False),
        ("xgboost", "eval_metric", "error@1e-3,auc", True),
        ("xgboost", "eval_metric", "error@x", False),
        pytest.param("xgboost", "eval_metric", "[" * 100_000, False, id="a list in a list in a list"),
        ("xgboost", "eta", "0.2", True),
        ("xgboost", "eta", "1.2", False),
        ("xgboost", "eta", "nan", False),
        ("xgboost", "subsample", "0", False),
        ("xgboost", "objective", "reg:squarederror", True),
        ("xgboost", "objective", "reg:squared", False),
        ("xgboost", "max_depth", "5.0", True),
        ("xgboost", "max_depth", "5.5", False),
        ("linear-learner", "predictor_type", "binary_classifier", True),
        ("linear-learner", "predictor_type", "classifier", False),
        ("linear-learner", "normalize_data", "true", True),
        ("linear-learner", "normalize_data", "True", True),
        ("linear-learner", "unbias_label", "auto", True),
        ("linear-learner", "binary_classifier_model_selection_criteria", "cross_entropy_loss", True),
        ("linear-learner", "unbias_label", "yes", False),
        ("forecasting-deepar", "time_freq", "5min", True),
        ("forecasting-deepar", "time_freq", "D", True),
        ("forecasting-deepar", "time_freq", "daily", False),
        ("blazingtext", "subwords", "False", True),
        ("blazingtext", "subwords", "no", False),
        ("ntm", "num_topics", "1", False),
        ("image-classification", "image_shape", "3,224,224", True),
        ("image-classification", "image_shape", "224", False),
    ],
)
def test_a_value_is_judged_as_the_algorithm_would(name: str, key: str, value: str, taken: bool) -> None:
    found = algorithm(name)
    assert found is not None
    assert found.hyperparameters[key].takes(value) is taken


def test_xgboost_takes_the_channels_that_its_container_takes() -> None:
    found = algorithm("xgboost")
    assert found is not None
    for name, kind in found.channels.items():
        given = {"ContentType": kind.content_types[0], "TrainingInputMode": "File"}
        given["S3DistributionType"] = "FullyReplicated"
        assert name in validated({"train": {**given, "ContentType": "text/csv"}, name: given})
    assert found.channels.keys() == {"train", "validation", "code"}
