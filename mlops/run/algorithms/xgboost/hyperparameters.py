"""XGBoost's hyperparameters as its container takes them, told in its words: types, limits, what depends on what.

Limits and choices are those of the knowledge. Names that only some images know (``silent``) are taken: the library
passes over what it does not know, and says so.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from mlops.knowledge.algorithms import Hyperparameter, algorithm
from mlops.run.algorithms.job import UserFault
from mlops.run.algorithms.xgboost.metrics import MAXIMIZED, MINIMIZED

_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
_TREE_UPDATERS = (
    "grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune",
    "grow_quantile_histmaker",
)  # fmt: skip
_GROWING = ("grow_colmaker", "distcol", "grow_histmaker", "grow_quantile_histmaker")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_UPDATERS = (
    "grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune", "grow_colmaker",
    "distcol", "grow_histmaker", "grow_colmaker", *_LINEAR_UPDATERS, "refresh", "prune",
)  # fmt: skip
"""As the container lists them."""

_WITH_THRESHOLD = ("error", "ndcg", "map")


def validated(given: Mapping[str, str]) -> dict[str, Any]:
    """With the library's names and types. Raises :class:`UserFault` for the first thing that the container refuses."""
    known = _known()
    named = {_ALIASES.get(name, name): text for name, text in given.items()}
    for name, one in known.items():
        if one.required and name not in named:
            raise UserFault(f"Missing required hyperparameter: {name}")
    values: dict[str, Any] = {}
    for name, text in named.items():
        if name not in known:
            raise UserFault(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = _READERS.get(name, _READ_KIND[known[name].kind])(text)
        except (ValueError, SyntaxError) as fault:
            kind = type(fault).__name__
            raise UserFault(f"Hyperparameter {name}: could not parse value (caused by {kind})") from fault
    for name, value in values.items():
        try:
            _within(known[name], value)
        except TypeError as fault:
            told = f"Hyperparameter {name}: unexpected failure when validating {value} (caused by TypeError)"
            raise UserFault(told) from fault
    _dependencies(values)
    return values


def _known() -> Mapping[str, Hyperparameter]:
    found = algorithm("xgboost")
    if found is None:
        raise RuntimeError("what is known of XGBoost is missing")
    return found.hyperparameters


def _split(text: str) -> list[str]:
    return text.split(",")


_READ_KIND: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": str,
    "text": str,
    "list": _split,
}
_READERS: Mapping[str, Callable[[str], Any]] = {
    "eval_metric": _split,
    "updater": _split,
    "monotone_constraints": ast.literal_eval,
    "interaction_constraints": ast.literal_eval,
}


def _within(one: Hyperparameter, value: Any) -> None:
    name = one.name
    match name:
        case "eval_metric":
            for metric in value:
                _metric(metric)
            if any("@" not in metric and metric not in (*MAXIMIZED, *MINIMIZED) for metric in value):
                raise UserFault(_outside_of_list(name, value, [*MAXIMIZED, *MINIMIZED]))
        case "updater":
            if any(item not in _UPDATERS for item in value):
                raise UserFault(_outside_of_list(name, value, list(_UPDATERS)))
        case "monotone_constraints":
            if any(item not in (-1, 0, 1) for item in value):
                raise UserFault(_outside_of_list(name, value, [-1, 0, 1]))
        case "interaction_constraints":
            if any(item < 1 for group in value for item in group):
                raise UserFault(_outside_of_list(name, value, "[1, +inf)"))
        case "_tuning_objective_metric":
            _one_of(name, value, [f"validation:{metric}" for metric in (*MAXIMIZED, *MINIMIZED)])
        case "objective":
            # The container lists one of its other hyperparameters among the objectives.
            _one_of(name, value, ["aft_loss_distribution", *one.one_of])
        case _ if one.one_of:
            _one_of(name, value, list(one.one_of))
        case _ if one.kind == "boolean":
            _one_of(name, value, ["true", "false"])
        case _ if isinstance(value, int | float) and not _in_limits(one, value):
            raise UserFault(f"Hyperparameter {name}: {value} is not in {limits(one)}")


def _one_of(name: str, value: Any, choices: list[Any]) -> None:
    if value not in choices:
        raise UserFault(f"Hyperparameter {name}: {value} is not in {choices}")


def _outside_of_list(name: str, value: Any, choices: Any) -> str:
    return f"Hyperparameter {name}: value {value} not in range {choices}"


def _in_limits(one: Hyperparameter, value: float) -> bool:
    """What is not a number passes, as it does there: it compares to nothing."""
    return not (
        (one.min is not None and value < one.min)
        or (one.max is not None and value > one.max)
        or (one.above is not None and value <= one.above)
        or (one.below is not None and value >= one.below)
    )


def limits(one: Hyperparameter) -> str:
    """
    >>> limits(Hyperparameter("eta", "number", min=0, max=1)), limits(Hyperparameter("sketch_eps", "number", above=0))
    ('[0, 1]', '(0, +inf)')
    """
    low = f"({one.above}" if one.above is not None else f"[{one.min}" if one.min is not None else "(-inf"
    high = f"{one.below})" if one.below is not None else f"{one.max}]" if one.max is not None else "+inf)"
    return f"{low}, {high}"


def _metric(text: str) -> None:
    if "<function" in text:
        raise UserFault(f"User defined evaluation metric {text} is not supported yet.")
    if "@" not in text:
        return
    name, threshold = (part.strip() for part in text.split("@")[:2])
    if name not in _WITH_THRESHOLD:
        raise UserFault(
            f"Metric '{text}' is not supported. Parameter 'eval_metric' with customized threshold should be one of "
            "these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError as fault:
        raise UserFault(f"Threshold value 't' in '{name}@t' expects float input.") from fault


def _dependencies(values: Mapping[str, Any]) -> None:
    objective, metrics = values.get("objective"), values.get("eval_metric")
    if objective in ("multi:softmax", "multi:softprob") and values.get("num_class") is None:
        raise UserFault("Require input for parameter 'num_class' for multi-classification")
    if metrics is not None:
        _of_objective(metrics, objective)
    if "updater" in values:
        _updaters(values["updater"], values.get("booster"), values.get("process_type"))
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise UserFault(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise UserFault(
            "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' "
            "or 'approx'."
        )


def _of_objective(metrics: list[str], objective: str | None) -> None:
    if objective is None:
        # Its container looks the objective up without asking whether it is there, and ends with these words.
        raise UserFault(
            "'objective'\neval_metric is given without objective, which the container looks up then: give it"
        )
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise UserFault("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise UserFault("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _updaters(updaters: list[str], booster: str | None, process: str | None) -> None:
    if booster == "gblinear":
        if not (len(updaters) == 1 and updaters[0] in _LINEAR_UPDATERS):
            raise UserFault("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif process == "update":
        if not all(item in ("refresh", "prune") for item in updaters):
            raise UserFault("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif not all(item in _TREE_UPDATERS for item in updaters):
        raise UserFault(
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'."
        )
    elif sum(item in _GROWING for item in updaters) > 1:
        raise UserFault(
            "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', 'distcol', "
            "'grow_histmaker', 'grow_skmaker'"
        )
