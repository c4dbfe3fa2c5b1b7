"""Answers of the container in algorithm mode: what it takes, what it refuses and with which words."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from mlops.run.algorithms import execution_parameters
from mlops.run.algorithms.content_types import parsed as parsed_header
from mlops.run.algorithms.execution_parameters import MOST
from mlops.run.algorithms.job import UserFault
from mlops.run.algorithms.xgboost import requests
from mlops.run.algorithms.xgboost.answers import HINGE, SOFTMAX, NoEncoder, encoded, selected
from mlops.run.algorithms.xgboost.channels import LIBSVM
from mlops.run.serving.handlers import Answer, RequestFault, Service

_ACCEPTED = ["application/json", "application/jsonlines", "application/x-recordio-protobuf", "text/csv"]
_HTML = "text/html; charset=utf-8"
"""Of what the container's web framework is given without a type."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def service(model_folder: Path) -> Service:
    """Raises RuntimeError where a model cannot be loaded."""
    ensemble = os.environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true"
    models = _loaded(model_folder, ensemble=ensemble)
    if os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true":
        return _OneOfMany(models)
    return _Scoring(models)


@dataclass(frozen=True, slots=True)
class _Models:
    """``objective`` and ``classes`` are of the first. ``pickled``: its file was no model of the library's own form."""

    boosters: Sequence[Any]
    pickled: bool
    objective: str
    classes: str

    def predict(self, matrix: Any, kind: str, *, knows_objective: bool = True) -> Any:
        """Raises ValueError and what the library raises."""
        first = self.boosters[0]
        if self.pickled:
            _need_features(first.num_features(), matrix.num_col(), kind)
        predictions = [booster.predict(matrix, validate_features=False) for booster in self.boosters]
        if len(predictions) == 1:
            return predictions[0]
        if knows_objective and self.objective in (SOFTMAX, HINGE):
            return _most_frequent(np.array(predictions))
        return np.mean(predictions, axis=0)


def _loaded(folder: Path, *, ensemble: bool) -> _Models:
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    if not files:
        raise RuntimeError(f"Unable to load model: {folder} holds no file")
    boosters, pickled = [], []
    for file in files if ensemble else files[:1]:
        booster, is_pickled = _booster(file)
        booster.set_param("nthread", 1)
        boosters.append(booster)
        pickled.append(is_pickled)
    learner = json.loads(boosters[0].save_config())["learner"]
    classes = learner["learner_model_param"].get("num_class", "")
    return _Models(tuple(boosters), pickled[0], learner["objective"]["name"], classes)


def _booster(file: Path) -> tuple[Any, bool]:
    try:
        with file.open("rb") as opened:
            return pickle.load(opened), True  # noqa: S301 - of the model's own author, in his sandbox
    except Exception as first:
        try:
            booster = xgboost.Booster()
            booster.load_model(file)
            return booster, False
        except Exception as second:
            raise RuntimeError(
                f"Model {file} cannot be loaded:\nPickle load error={first}\nXGB load model error={second}"
            ) from second


def _need_features(wanted: int, given: int, kind: str) -> None:
    if kind == LIBSVM:
        if given > wanted + 1:
            raise ValueError(
                f"Feature size of libsvm inference data {given} is larger than feature size of trained model {wanted}."
            )
    elif wanted not in (given, given + 1):
        raise ValueError(
            f"Feature size of {kind} inference data {given} is not consistent with feature size of trained model "
            f"{wanted}."
        )


def _most_frequent(votes: Any) -> Any:
    """Of each column; of several the smallest."""
    found = []
    for column in votes.T:
        values, counts = np.unique(column, return_counts=True)
        found.append(values[counts.argmax()])
    return np.array(found)


class _Scoring:
    """One model, or several that are asked together."""

    def __init__(self, models: _Models) -> None:
        self._models = models
        self.most = int(os.environ.get("MAX_CONTENT_LENGTH") or MOST)
        self._batch = bool(os.environ.get("SAGEMAKER_BATCH"))
        self._default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
        self._selected = os.environ.get("SAGEMAKER_INFERENCE_OUTPUT")

    def told(self, path: str) -> Answer | None:
        return execution_parameters.told(path, self.most)

    def answer(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """Raises :class:`RequestFault`."""
        # What looks like a form has no body that the container's web framework would hand out.
        if not body or parsed_header(content_type)[0].lower() in _FORMS:
            raise _fault(204, "")
        try:
            matrix, kind = requests.parsed(body, content_type or None)
        except Exception as fault:
            raise _fault(415, str(fault)) from fault
        try:
            predictions = self._models.predict(matrix, kind)
        except Exception as fault:
            raise _fault(400, f"Unable to evaluate payload provided: {fault}") from fault
        wanted = self._accepted(accept)
        if self._selected is not None:
            return Answer(self._selection(predictions, wanted), _typed(wanted))
        try:
            return Answer(encoded(predictions, wanted, batch=self._batch), _typed(wanted))
        except NoEncoder as fault:
            # The container looks only here whether it can write what it has said that it accepts.
            told = (
                f"there is no encoder for {fault}; select an output with SAGEMAKER_INFERENCE_OUTPUT, or accept others"
            )
            sys.stderr.write(f"{told}\n")
            raise _fault(500, "Internal Server Error") from fault

    def _accepted(self, accept: str) -> str:
        kind, _ = parsed_header(accept)
        if not kind or kind == "*/*":
            return self._default_accept
        if kind.lower() not in _ACCEPTED:
            raise _fault(406, f"Accept type {kind} is not supported. Please use supported accept types: {_ACCEPTED}.")
        return kind.lower()

    def _selection(self, predictions: Any, accept: str) -> bytes:
        keys = (self._selected or "").replace(" ", "").lower().split(",")
        models = self._models
        try:
            return selected(predictions, keys, models.objective, models.classes, accept, batch=self._batch)
        except Exception as fault:
            raise _fault(500, str(fault)) from fault


class _OneOfMany:
    """A model of a MultiModel container, which another server answers for: other forms, other words."""

    def __init__(self, models: _Models) -> None:
        self._models = models
        self.most = int(os.environ.get("SAGEMAKER_MAX_REQUEST_SIZE") or os.environ.get("MAX_CONTENT_LENGTH") or MOST)
        self._default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
        self._batch = bool(os.environ.get("SAGEMAKER_BATCH"))

    def told(self, path: str) -> Answer | None:
        return None

    def answer(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """Raises :class:`RequestFault`."""
        wanted = self._default_accept if accept in ("", "*/*") else accept
        if not body:
            raise RequestFault(204, "")
        try:
            matrix, kind = requests.parsed(body, content_type or None)
        except (UserFault, RuntimeError) as fault:
            raise RequestFault(400, str(fault)) from fault
        try:
            predictions = self._models.predict(matrix, kind, knows_objective=False)
        except Exception as fault:
            raise RequestFault(400, f"Unable to evaluate payload provided: {fault}") from fault
        match wanted.lower():
            case "text/csv" | "csv":
                lines = map(str, predictions.tolist())
                return Answer(("\n".join(lines) + "\n" if self._batch else ",".join(lines)).encode(), wanted)
            case "application/json":
                return Answer(json.dumps(predictions.tolist()).encode(), wanted)
            case "json":
                told = "Content type json is not supported by this framework."
            case _:
                told = (
                    f"{wanted} is not an accepted Accept type. Please choose one of the following: ['text/csv', "
                    "'application/json']."
                )
        raise RequestFault(415, f"Encoding to accept type {wanted} failed with exception: {told}")


def _fault(status: int, message: str) -> RequestFault:
    return RequestFault(status, message, content_type=_HTML)


def _typed(kind: str) -> str:
    """The web framework tells the characters of text."""
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
