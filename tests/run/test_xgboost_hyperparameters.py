# ruff: noqa: E501 - a row holds a whole message
"""XGBoost's hyperparameters and channels are taken and refused as its container does, in its words.

Lines are of aws/sagemaker-xgboost-container at cb8df91, below ``src/``: ``hpv`` is
``sagemaker_xgboost_container/algorithm_mode/hyperparameter_validation.py``, ``toolkit``
``sagemaker_algorithm_toolkit/hyperparameter_validation.py``, ``channels``
``sagemaker_algorithm_toolkit/channel_validation.py``, ``data`` ``sagemaker_xgboost_container/data_utils.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from mlops.knowledge.algorithms import algorithm
from mlops.run.algorithms.job import UserFault
from mlops.run.algorithms.xgboost import channels
from mlops.run.algorithms.xgboost.hyperparameters import validated
from mlops.run.algorithms.xgboost.metrics import MAXIMIZED, MINIMIZED

METRICS = [*MAXIMIZED, *MINIMIZED]
LOGISTIC = {"objective": "binary:logistic"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {}),
        ({"eta": "0.2", "max_depth": "5"}, {"eta": 0.2, "max_depth": 5}),
        ({"learning_rate": "0.2", "reg_alpha": "1"}, {"eta": 0.2, "alpha": 1.0}),  # hpv:341-344
        ({"max_depth": " 5 "}, {"max_depth": 5}),
        ({"eval_metric": "error@0.4,auc", **LOGISTIC}, {"eval_metric": ["error@0.4", "auc"], **LOGISTIC}),  # hpv:97-109
        ({"updater": "refresh,prune", "process_type": "update"}, {"updater": ["refresh", "prune"], "process_type": "update"}),
        ({"updater": "shotgun", "booster": "gblinear"}, {"updater": ["shotgun"], "booster": "gblinear"}),
        ({"monotone_constraints": "(1,-1)", "tree_method": "hist"}, {"monotone_constraints": (1, -1), "tree_method": "hist"}),
        ({"interaction_constraints": "[[1,2],[3]]", "tree_method": "approx"}, {"interaction_constraints": [[1, 2], [3]], "tree_method": "approx"}),
        ({"save_model_on_termination": "true"}, {"save_model_on_termination": "true"}),
        ({"eta": "nan"}, {"eta": pytest.approx(float("nan"), nan_ok=True)}),  # toolkit:366-372: it compares to nothing
        ({"silent": "1"}, {"silent": 1}),  # known to older images
    ],
)  # fmt: skip
def test_taken(given: dict[str, str], found: dict[str, Any]) -> None:
    assert validated({"num_round": "3", **given}) == {"num_round": 3, **found}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"num_round": None}, "Missing required hyperparameter: num_round"),  # toolkit:266-269
        ({"depth": "3"}, "Extraneous hyperparameter found: depth"),  # toolkit:276-279
        ({"max_depth": "3.0"}, "Hyperparameter max_depth: could not parse value (caused by ValueError)"),  # toolkit:280-283
        ({"eta": "fast"}, "Hyperparameter eta: could not parse value (caused by ValueError)"),
        ({"eta": '"0.2"'}, "Hyperparameter eta: could not parse value (caused by ValueError)"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),  # hpv:142-148, toolkit:50-52
        ({"eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),  # hpv:154-160
        ({"learning_rate": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),  # hpv:189-195
        ({"sketch_eps": "1"}, "Hyperparameter sketch_eps: 1.0 is not in (0, 1)"),  # hpv:232
        ({"scale_pos_weight": "0"}, "Hyperparameter scale_pos_weight: 0.0 is not in (0, +inf)"),  # hpv:233
        ({"rate_drop": "2"}, "Hyperparameter rate_drop: 2.0 is not in [0, 1]"),  # hpv:274
        ({"tweedie_variance_power": "2"}, "Hyperparameter tweedie_variance_power: 2.0 is not in (1, 2)"),  # hpv:280-282
        ({"aft_loss_distribution_scale": "-1"}, "Hyperparameter aft_loss_distribution_scale: -1.0 is not in [0, +inf)"),
        ({"prob_buffer_row": "1"}, "Hyperparameter prob_buffer_row: 1 is not in (1.0, +inf)"),  # hpv:336
        ({"seed": "2147483647"}, "Hyperparameter seed: 2147483647 is not in (-2147483648, 2147483647)"),  # hpv:323-325
        ({"verbosity": "4"}, "Hyperparameter verbosity: 4 is not in [0, 3]"),  # hpv:152
        ({"csv_weights": "2"}, "Hyperparameter csv_weights: 2 is not in [0, 1]"),  # hpv:149
        ({"_kfold": "1"}, "Hyperparameter _kfold: 1 is not in [2, +inf)"),  # hpv:312
        ({"booster": "tree"}, "Hyperparameter booster: tree is not in ['gbtree', 'gblinear', 'dart']"),  # hpv:151
        ({"tree_method": "fast"}, "Hyperparameter tree_method: fast is not in ['auto', 'exact', 'approx', 'hist', 'gpu_hist']"),
        ({"objective": "reg:mse"}, "Hyperparameter objective: reg:mse is not in ['aft_loss_distribution', 'binary:logistic', 'binary:logitraw', 'binary:hinge', 'count:poisson', 'multi:softmax', 'multi:softprob', 'rank:pairwise', 'rank:ndcg', 'rank:map', 'reg:linear', 'reg:squarederror', 'reg:logistic', 'reg:gamma', 'reg:pseudohubererror', 'reg:squaredlogerror', 'reg:absoluteerror', 'reg:tweedie', 'survival:aft', 'survival:cox']"),  # hpv:283-309
        ({"deterministic_histogram": "yes"}, "Hyperparameter deterministic_histogram: yes is not in ['true', 'false']"),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),  # hpv:82-86
        ({"eval_metric": "loss", **LOGISTIC}, f"Hyperparameter eval_metric: value ['loss'] not in range {METRICS}"),  # toolkit:176-178
        ({"eval_metric": "rmse@2", **LOGISTIC}, "Metric 'rmse@2' is not supported. Parameter 'eval_metric' with customized threshold should be one of these options: 'error', 'ndcg', 'map'."),  # hpv:100-104
        ({"eval_metric": "error@x", **LOGISTIC}, "Threshold value 't' in 'error@t' expects float input."),  # hpv:105-108
        ({"eval_metric": "<function f>", **LOGISTIC}, "User defined evaluation metric <function f> is not supported yet."),
        ({"eval_metric": "auc", "objective": "reg:gamma"}, "Metric 'auc' can only be applied for classification and ranking problems."),  # hpv:116-118
        ({"eval_metric": "auc", "objective": "multi:softprob", "num_class": "3"}, "Metric 'auc' can only be applied for classification and ranking problems."),
        ({"eval_metric": "aft-nloglik", "objective": "survival:cox"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."),
        ({"updater": "grow_fast"}, "Hyperparameter updater: value ['grow_fast'] not in range ['grow_colmaker', 'distcol', 'grow_histmaker', 'grow_skmaker', 'sync', 'refresh', 'prune', 'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_colmaker', 'shotgun', 'coord_descent', 'refresh', 'prune']"),  # hpv:234-252
        ({"updater": "prune", "booster": "gblinear"}, "Linear updater should be one of these options: 'shotgun', 'coord_descent'."),
        ({"updater": "sync", "process_type": "update"}, "process_type 'update' can only be used with updater 'refresh' and 'prune'"),
        ({"updater": "grow_colmaker,distcol"}, "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_skmaker'"),
        ({"monotone_constraints": "(1,2)", "tree_method": "hist"}, "Hyperparameter monotone_constraints: value (1, 2) not in range [-1, 0, 1]"),
        ({"monotone_constraints": "(1,1)"}, "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."),
        ({"interaction_constraints": "[[1,2]]"}, "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' or 'approx'."),
        ({"interaction_constraints": "[[0]]", "tree_method": "hist"}, "Hyperparameter interaction_constraints: value [[0]] not in range [1, +inf)"),
        ({"_tuning_objective_metric": "validation:loss"}, f"Hyperparameter _tuning_objective_metric: validation:loss is not in {[f'validation:{name}' for name in METRICS]}"),
    ],
)  # fmt: skip
def test_refused(given: dict[str, str | None], told: str) -> None:
    values = {name: text for name, text in {"num_round": "3", **given}.items() if text is not None}
    with pytest.raises(UserFault) as fault:
        validated(values)
    assert str(fault.value) == told


def test_metrics_without_an_objective_end_as_there() -> None:
    """hpv:115: it is looked up without asking whether it is there."""
    with pytest.raises(UserFault, match=r"^'objective'\n"):
        validated({"num_round": "3", "eval_metric": "rmse"})


def channel(**changes: str) -> dict[str, str]:
    return {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", **changes}


@pytest.mark.parametrize(
    "given",
    [
        {"train": channel()},
        {"train": channel(S3DistributionType="ShardedByS3Key"), "validation": channel(ContentType="libsvm")},
        {"train": channel(TrainingInputMode="Pipe", ContentType="parquet")},
        {"train": channel(TrainingInputMode="FastFile")},
        {"train": channel(), "code": channel(ContentType="text/python")},
        {"train": {name: value for name, value in channel().items() if name != "ContentType"}},
    ],
)
def test_channels(given: dict[str, dict[str, str]]) -> None:
    assert channels.validated(given)["train"]["ContentType"] == given["train"].get("ContentType", "text/libsvm")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "Missing required channel: train"),  # channels:88-91
        ({"train": channel(), "test": channel()}, "Extraneous channel found: test"),  # channels:96-99
        (
            {"train": channel(ContentType="text/csv; label_size=1")},  # channels:53-54: types are compared as they are
            "Channel configuration for 'train' channel is not supported: {'ContentType': 'text/csv; label_size=1', "
            "'TrainingInputMode': 'File', 'S3DistributionType': 'FullyReplicated'}",
        ),
        (
            {"train": channel(TrainingInputMode="Pipe", ContentType="libsvm")},
            "Channel configuration for 'train' channel is not supported: {'ContentType': 'libsvm', "
            "'TrainingInputMode': 'Pipe', 'S3DistributionType': 'FullyReplicated'}",
        ),
    ],
)
def test_channels_that_are_refused(given: dict[str, dict[str, str]], told: str) -> None:
    with pytest.raises(UserFault) as fault:
        channels.validated(given)
    assert str(fault.value) == told


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, "libsvm"),  # data:92-93
        ("text/libsvm ;charset=utf8", "libsvm"),
        ("TEXT/CSV;label_size=1", "csv"),
        ("application/x-parquet", "parquet"),
        ("application/x-recordio-protobuf", "recordio-protobuf"),
    ],
)
def test_formats(given: str | None, found: str) -> None:
    assert channels.data_format(given) == found


def test_what_it_prints_is_what_the_service_looks_for() -> None:
    """``algorithm_mode/metrics.py``:24-40."""
    known = algorithm("xgboost")
    assert known is not None
    definitions = {item["Name"]: item["Regex"] for item in known.metric_definitions}
    assert definitions["validation:cox-nloglik"] == r".*\[[0-9]+\].*#011validation-cox-nloglik:(\S+)"
    assert {name.partition(":")[0] for name in definitions} == {"train", "validation"}
