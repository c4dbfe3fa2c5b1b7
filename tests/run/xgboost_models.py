"""Small models, trained by the library itself."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

PARAMETERS = {
    "regression": {"objective": "reg:squarederror"},
    "logistic": {"objective": "binary:logistic"},
    "logitraw": {"objective": "binary:logitraw"},
    "softprob": {"objective": "multi:softprob", "num_class": 3},
    "poisson": {"objective": "count:poisson"},
}


def matrix(objective: str) -> Any:
    import numpy
    import xgboost

    random = numpy.random.default_rng(7)
    features = random.random((120, 2))
    label = features @ [3.0, -1.0] + 1
    if objective.startswith("binary:"):
        label = (label > 2).astype(int)
    elif objective.startswith("multi:"):
        label = numpy.digitize(label, [1.5, 2.5])
    return xgboost.DMatrix(features, label=label)


def trained(name: str, rounds: int = 4) -> Any:
    import xgboost

    parameters = {"max_depth": 3, "seed": 1, **PARAMETERS[name]}
    return xgboost.train(parameters, matrix(str(parameters["objective"])), rounds)


def place(folder: Path, name: str) -> list[Any]:
    """Files of a model in ``folder``; answers its boosters."""
    folder.mkdir(parents=True, exist_ok=True)
    match name:
        case "pickled":
            boosters = [trained("regression")]
            (folder / "xgboost-model").write_bytes(pickle.dumps(boosters[0]))
        case "pair":
            boosters = [trained("regression", rounds) for rounds in (2, 5)]
            for number, booster in enumerate(boosters):
                (folder / f"xgboost-model-{number}").write_bytes(booster.save_raw("ubj"))
        case _:
            boosters = [trained(name)]
            (folder / "xgboost-model").write_bytes(boosters[0].save_raw("ubj"))
    return boosters
