"""Built-in algorithms: what their containers want."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.images import ALGORITHM_ACCOUNTS
from mlops.check.members import entries, get
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/(?P<name>[a-z0-9-]+)(:.*)?")
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "xgboost": ("num_round",),
    "sagemaker-xgboost": ("num_round",),
    "kmeans": ("k", "feature_dim"),
    "linear-learner": ("predictor_type",),
    "factorization-machines": ("feature_dim", "num_factors", "predictor_type"),
    "pca": ("feature_dim", "num_components", "mini_batch_size"),
    "lda": ("num_topics", "feature_dim", "mini_batch_size"),
    "ntm": ("feature_dim", "num_topics"),
    "randomcutforest": ("feature_dim",),
    "knn": ("feature_dim", "k", "predictor_type", "sample_size"),
    "forecasting-deepar": ("context_length", "epochs", "prediction_length", "time_freq"),
    "image-classification": ("num_classes", "num_training_samples"),
    "object-detection": ("num_classes", "num_training_samples"),
}
"""AWS docs, one page per algorithm: hyperparameters marked as required."""
_NUMBERS = frozenset({"num_round", "k", "feature_dim", "num_components", "num_topics", "num_factors"})


def _jobs(subject: Subject) -> Iterator[tuple[str, str, Mapping[str, Value], Placed]]:
    """Training steps of a built-in algorithm, not in script mode."""
    for placed, arguments in subject.of_type("Training"):
        image = get(arguments, "AlgorithmSpecification", "TrainingImage")
        match = _IMAGE.fullmatch(image) if isinstance(image, str) else None
        values = arguments.get("HyperParameters", {})
        if (
            match is None
            or image is None
            or str(image)[:12] not in ALGORITHM_ACCOUNTS
            or not isinstance(values, Mapping)
        ):
            continue
        script = {"sagemaker_program", "sagemaker_submit_directory", "sagemaker_container_log_level"}
        if not script & values.keys() and get(arguments, "AlgorithmSpecification", "ContainerEntrypoint") is None:
            yield match["name"], f"{placed.pointer}/Arguments", arguments, placed


@rule(
    "X850",
    "algorithm-hyperparameter",
    Severity.ERROR,
    source="'No value(s) were specified for ... which are required hyperparameter(s)'; AWS docs",
)
def algorithm_hyperparameter(subject: Subject) -> Iterator[Fault]:
    """A built-in algorithm misses a hyperparameter that it requires, or gets a word for a number.

    Bad:  k-means without "feature_dim"
    Good: {"k": "10", "feature_dim": "784"}
    """
    for name, at, arguments, placed in _jobs(subject):
        values = arguments.get("HyperParameters", {})
        if not isinstance(values, Mapping):
            continue
        for wanted in _REQUIRED.get(name, ()):
            here = f"{at}/HyperParameters/{wanted}"
            value = values.get(wanted)
            if wanted not in values:
                # An AWS notebook leaves out all of them, which may be a stub.
                severity = None if values else Severity.WARNING
                yield Fault(here, f"{name} requires {wanted}", "add it", placed, severity=severity)
            elif wanted in _NUMBERS and isinstance(value, str) and not value.strip('"').isdigit():
                yield Fault(here, f"{wanted} is {shown(value)}, a number is wanted", None, placed)


@rule("X851", "algorithm-input", Severity.WARNING, source="AWS docs: XGBoost reads CSV, LIBSVM, Parquet and RecordIO")
def algorithm_input(subject: Subject) -> Iterator[Fault]:
    """The built-in XGBoost gets a channel of a type that it does not read.

    Bad:  "ContentType": "application/json"
    Good: "ContentType": "text/csv"
    """
    for name, at, arguments, placed in _jobs(subject):
        for where, channel in entries(arguments, "InputDataConfig"):
            kind = channel.get("ContentType")
            if (
                "xgboost" in name
                and isinstance(kind, str)
                and kind.startswith(("application/json", "application/jsonlines"))
            ):
                yield Fault(f"{at}{where}/ContentType", f"{name} does not read {kind}", "e.g. text/csv", placed)


@rule("X852", "serving-code", Severity.WARNING, source="sagemaker-inference-toolkit: SAGEMAKER_SUBMIT_DIRECTORY")
def serving_code(subject: Subject) -> Iterator[Fault]:
    """A model's serving code is a path of the author's machine.

    Bad:  "SAGEMAKER_SUBMIT_DIRECTORY": "./serve"
    Good: "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"
    """
    for at, text, placed in subject.texts:
        elsewhere = text and not text.startswith(("s3://", "https://", "/opt/ml/"))
        if elsewhere and at.endswith("/Environment/SAGEMAKER_SUBMIT_DIRECTORY"):
            yield Fault(at, f"{shown(text)} is not in the container", "e.g. /opt/ml/model/code", placed)
