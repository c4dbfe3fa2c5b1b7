"""Training as the container has it: what is refused, the rounds with their lines of metrics, the model's file."""

from __future__ import annotations

import pickle
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from mlops.run.algorithms.job import AlgorithmFault, TrainingJob, UserFault
from mlops.run.algorithms.xgboost import channels, data, metrics
from mlops.run.algorithms.xgboost.checkpoints import Intermediate, Saving, newest
from mlops.run.algorithms.xgboost.folds import Predictions, folds, report
from mlops.run.algorithms.xgboost.hosts import together

MODEL = "xgboost-model"
_SAVED_BY_LIBRARY = (1, 3)
"""Images before pickle their models, which their users unpickle (developer guide, xgboost: 1.3-1)."""

_FAULTS_OF_USERS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "Check failed: base_score > 0.0f && base_score < 1.0f base_score must be in (0,1) for logistic loss",
    "Check failed: label_correct PoissonRegression: label must be nonnegative",
    "Check failed: label_correct TweedieRegression: label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)
_OF_GPUS: Mapping[str, Mapping[str, str]] = {
    "tree_method": {"gpu_hist": "hist"},
    "predictor": {"gpu_predictor": "cpu_predictor"},
}


def train(job: TrainingJob, values: dict[str, Any], given: Mapping[str, Mapping[str, str]]) -> None:
    """``values`` are hyperparameters, ``given`` channels, as they were found to be right. Raises :class:`UserFault` and
    :class:`AlgorithmFault`."""
    kind = channels.data_format(given["train"].get("ContentType"))
    if given["train"]["TrainingInputMode"] == "Pipe":
        raise data.refuse_pipe(kind)
    _need_no_gpu(values)
    folders = [
        _with_data(job, folder, name, kind)
        for folder, name in ((job.channel("train"), "training"), (job.channel("validation"), "validation"))
        if folder is not None
    ]
    with together(job):
        _train(job, values, folders, kind)


def _with_data(job: TrainingJob, folder: Path, name: str, kind: str) -> Path:
    """A folder whose files look like what they are to be. Raises :class:`UserFault`."""
    if data.size_of(folder):
        data.validate(folder, kind, words_refused=job.release is None)
        return folder
    if len(job.hosts) == 1:
        raise UserFault(f"No data in {name} channel path {folder}")
    raise UserFault(
        f"Host {job.host} does not have {name} data; the container would leave it out, here each host is to have some: "
        "divide the data into at least as many files"
    )


def _train(job: TrainingJob, values: dict[str, Any], folders: Sequence[Path], kind: str) -> None:
    """``folders`` are that of training, and that of validation where there is one."""
    weights = values.pop("csv_weights", 0) == 1
    train_matrix, *others = [data.matrix([folder], kind, weights=weights) for folder in folders]
    _tell(f"Train matrix has {train_matrix.num_row()} rows and {train_matrix.num_col()} columns")
    for validation_matrix in others:
        _tell(f"Validation matrix has {validation_matrix.num_row()} rows")
    both = data.matrix(folders, kind, weights=weights) if "_kfold" in values else train_matrix
    if isinstance(values.get("updater"), list):
        values["updater"] = ",".join(values["updater"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # told by the library on its own stream too
        models = _fitted(job, values, train_matrix, others[0] if others else None, both)
    for name, model in models.items():
        _save(job, model, job.model / name)


def _need_no_gpu(values: dict[str, Any]) -> None:
    """There is none here; what it computes is the same."""
    for name, choices in _OF_GPUS.items():
        value = values.get(name)
        if isinstance(value, str) and value in choices:
            _tell(f"there is no GPU here: {name} is {choices[value]} instead of {value}")
            values[name] = choices[value]
    if values.pop("use_dask_gpu_training", "false") == "true":
        _tell("there is no GPU here: use_dask_gpu_training is left out")


def _fitted(
    job: TrainingJob, values: dict[str, Any], train_matrix: Any, validation_matrix: Any, both: Any
) -> dict[str, Any]:
    """By the names of their files."""
    kfold, repeats = values.pop("_kfold", None), values.pop("_num_cv_round", 1)
    rounds = _rounds(job, values, train_matrix, validation_matrix)
    if rounds.keeps:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if kfold is None:
            return {MODEL: rounds.fit(train_matrix, None)}
        return _cross_validated(rounds, both, kfold, repeats)
    except (UserFault, AlgorithmFault):
        raise
    except Exception as fault:
        told = str(fault).partition("\nStack trace:")[0].rstrip()
        if any(known in told for known in _FAULTS_OF_USERS):
            raise UserFault(told) from fault
        raise AlgorithmFault(f"XGB train call failed with exception:\n {told}") from fault


@dataclass(frozen=True, slots=True)
class _Rounds:
    """What one booster is trained by, and the next one of a cross validation too. ``own`` are metrics of ours;
    ``keeps``: each round's model is written; ``patience`` is early stopping's, by the metric ``deciding``."""

    job: TrainingJob
    values: Mapping[str, Any]
    count: int
    watched: Sequence[tuple[Any, str]]
    own: Sequence[str]
    keeps: bool
    patience: int | None
    deciding: str | None

    def fit(self, matrix: Any, fold: int | None, results: dict[str, Any] | None = None) -> Any:
        checkpoints = self.job.checkpoints
        if checkpoints is not None and fold is not None:
            checkpoints = checkpoints / f"model-{fold}"
        before, done = newest(checkpoints)
        if before is not None:
            _tell(f"Checkpoint loaded from {before}\nResuming from iteration {done}")
        return xgboost.train(
            self.values,
            matrix,
            num_boost_round=self.count - done,
            evals=self.watched,
            custom_metric=metrics.evaluation(self.own, self.values.get("objective")) if self.own else None,
            callbacks=[*self._callbacks(fold, checkpoints, done)],
            evals_result=results,
            xgb_model=before,
            verbose_eval=False,
        )

    def _callbacks(self, fold: int | None, checkpoints: Path | None, done: int) -> Iterator[Any]:
        job = self.job
        yield xgboost.callback.EvaluationMonitor()
        if checkpoints is not None and job.is_first:
            yield Saving(checkpoints, done)
        if self.keeps and job.is_first:
            yield Intermediate(job.model / _name(fold))
        if self.patience and self.deciding is not None and len(self.watched) > 1:
            yield xgboost.callback.EarlyStopping(
                rounds=self.patience,
                data_name="validation",
                metric_name=self.deciding,
                maximize=self.deciding in metrics.MAXIMIZED,
                save_best=job.is_first,
            )


def _rounds(job: TrainingJob, values: dict[str, Any], train_matrix: Any, validation_matrix: Any) -> _Rounds:
    """What is no parameter of the library's goes out of ``values``."""
    count = values.pop("num_round")
    keeps = values.pop("save_model_on_termination", "false") == "true"
    tuned = values.pop("_tuning_objective_metric", None)
    asked = [*values.pop("eval_metric", ())]
    patience = values.pop("early_stopping_rounds", None)
    wanted = _union([tuned.split(":")[1]] if tuned is not None else None, asked or None)
    own = [name for name in wanted if name in metrics.OWN]
    if library := [name for name in wanted if name not in own]:
        values["eval_metric"] = library
    deciding = tuned.split(":")[1] if tuned is not None else asked[-1] if asked else None
    watched = [(train_matrix, "train")]
    if validation_matrix is not None:
        watched.append((validation_matrix, "validation"))
    return _Rounds(job, values, count, watched, own, keeps, patience, deciding)


def _cross_validated(rounds: _Rounds, matrix: Any, kfold: int, repeats: int) -> dict[str, Any]:
    job, values = rounds.job, rounds.values
    _tell(f"Run {repeats}-round of {kfold}-fold cross validation with {matrix.num_row()} rows")
    objective = str(values.get("objective") or "")
    is_classification = bool(values.get("num_class")) or objective.startswith("binary:")
    truth = matrix.get_label()
    seen = Predictions(truth, repeats, classification=is_classification)
    models: list[Any] = []
    results: list[dict[str, Any]] = []
    for train_rows, rows in folds(len(truth), kfold, repeats, truth if is_classification else None):
        _tell(f"Train cross validation fold {len(models) % kfold + 1}")
        results.append({})
        models.append(rounds.fit(matrix.slice(train_rows), len(models), results[-1]))
        seen.add(rows, models[-1].predict(matrix.slice(rows)))
        if len(models) % kfold == 0:
            _tell(f"The metrics of round {len(models) // kfold} cross validation")
            _tell(report(rounds.count, results[-kfold:]))
    if job.is_first:
        seen.save(job.output_data)
    if repeats > 1:
        _tell(f"The overall metrics of {repeats}-round cross validation")
        _tell(report(rounds.count, results))
    return {_name(fold): model for fold, model in enumerate(models)}


def _union(first: list[str] | None, second: list[str] | None) -> list[str]:
    if first is None or second is None:
        return first or second or []
    return sorted({*first, *second})


def _name(fold: int | None) -> str:
    return MODEL if fold is None else f"{MODEL}-{fold}"


def _save(job: TrainingJob, model: Any, file: Path) -> None:
    if not job.is_first:
        return
    release = job.release
    if release is None or release < _SAVED_BY_LIBRARY:
        file.write_bytes(pickle.dumps(model))
    else:
        # What save_model writes into a file without an ending, without its warning.
        file.write_bytes(model.save_raw("ubj"))


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
