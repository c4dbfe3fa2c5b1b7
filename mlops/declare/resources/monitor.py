"""A monitor: what an endpoint captured, looked at by the clock, held against the data that its model was trained on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import Image, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import PLAIN, REQUIRED, TEXT, Constructor, Field, Record, hidden, made
from mlops.ir.resource import SHORT_NAME
from mlops.ir.shape_notation import ANY_SHAPE, ROLE_SHAPE, STRING_SHAPE, ShapeNotation, structure
from mlops.ir.values import from_json

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Attributions", "Bias", "DataQuality", "Drift", "FeatureDrift", "ModelQuality", "Monitor"]

_PROGRAM = Path(__file__).parents[2] / "monitor"
_MAP: ShapeNotation = {"type": "map", "key": STRING_SHAPE, "value": ANY_SHAPE}
_TEXTS: ShapeNotation = {"type": "list", "member": STRING_SHAPE}

STEP_TYPE = StepType(
    type="Monitor",
    service="scheduler",
    arguments=structure(
        ("monitor", "endpoint", "code", "role", "instance"),
        monitor=STRING_SHAPE,
        endpoint=STRING_SHAPE,
        schedule=STRING_SHAPE,
        window=STRING_SHAPE,
        baseline=STRING_SHAPE,
        label=STRING_SHAPE,
        label_column=STRING_SHAPE,
        features=_TEXTS,
        answers=_TEXTS,
        features_path=STRING_SHAPE,
        answers_path=STRING_SHAPE,
        data_quality=_MAP,
        drift=_MAP,
        model_quality=_MAP,
        bias=_MAP,
        attributions=_MAP,
        image=STRING_SHAPE,
        instance=STRING_SHAPE,
        role=ROLE_SHAPE,
        code=STRING_SHAPE,
        results=STRING_SHAPE,
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)

Statistic: TypeAlias = Literal["ks", "psi", "linf", "chi2"]
Aggregate: TypeAlias = Literal["mean_abs", "median", "mean_sq"]
Problem: TypeAlias = Literal["Regression", "BinaryClassification", "MulticlassClassification"]
_KINDS = ("data_quality", "drift", "model_quality", "bias", "attributions")
_WINDOW = re.compile(r"([1-9]\d{0,3})([mhd])")


@record
class DataQuality:
    """Types, missing values, categories and columns, as the constraints of the baseline say. ``types`` and ``domain``
    are the shares of values that have to fit, ``distance`` is how far a distribution may go (without a ``Drift`` beside
    it); the baseline's own where they are left out."""

    types: float | None = None
    domain: float | None = None
    distance: float | None = None


@record
class FeatureDrift:
    """Of one feature: another ``statistic``, another ``least`` distance, or not ``watched`` at all."""

    statistic: Statistic | None = None
    least: float | None = None
    watched: bool = True


@record
class Drift:
    """Distributions, each feature's and how features go together. Of runs in which nothing drifted at most the share
    ``false_alarms`` tells of any drift, over all features. A drift of less than ``least`` is not told, and of fewer
    than ``fewest`` values none."""

    false_alarms: float = 0.05
    statistic: Statistic | None = None
    least: float | None = None
    fewest: int = 100
    features: Mapping[str, FeatureDrift] | None = None
    together: bool = True


@record
class ModelQuality:
    """Answers against what became of the requests. ``at_least`` and ``at_most`` are limits by metric, e.g.
    ``{"accuracy": 0.8}``; without them the baseline's constraints are. ``prediction`` and ``probability`` are columns
    of the answer, ``threshold`` is the score from which on it is the label 1."""

    problem: Problem
    prediction: str | None = None
    probability: str | None = None
    threshold: float | None = None
    at_least: Mapping[str, float] | None = None
    at_most: Mapping[str, float] | None = None


@record
class Bias:
    """Clarify's metrics of bias, of requests whose label is known. ``facets`` are features with the values, or the
    threshold, of who is looked at; ``positive`` is what a label is that is wished for, ``predicted``
    the column of the answer, of whose scores ``threshold`` makes labels. ``at_most`` is how far a metric
    may be from equality, e.g. ``{"DPPL": 0.1}``."""

    facets: Mapping[str, Sequence[str | int | float] | str | int | float]
    positive: Sequence[str | int | float] | str | int | float
    group: str | None = None
    predicted: str | None = None
    threshold: float | None = None
    at_most: Mapping[str, float] | None = None


@record
class Attributions:
    """What answers hang on, by kernel SHAP: told where the order of the features is not the training data's any more,
    an NDCG below ``least``. At most ``rows`` requests of a window are explained, each by ``samples`` coalitions of its
    features (Clarify's number without), against ``reference`` rows or the ordinary row of the baseline. The model is
    asked, never the endpoint: in ``content_type``, by a ``template`` such as ``{"features": $features}`` where that is
    JSON Lines; ``probability`` says where its scores are, ``labels`` what they are called."""

    least: float = 0.9
    rows: int = 100
    samples: int | None = None
    aggregate: Aggregate = "mean_abs"
    logit: bool = False
    reference: Sequence[Sequence[str | int | float]] = ()
    content_type: Literal["text/csv", "application/jsonlines"] = "text/csv"
    accept: str | None = None
    template: str | None = None
    probability: str | int | None = None
    labels: Sequence[str] = ()


def _told(**members: Any) -> Value:
    return from_json({name: value for name, value in members.items() if value is not None})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else [value]


def _data_quality(monitor: Monitor, *_: object) -> Value:
    found = monitor.data_quality
    if found is None:
        return None
    return _told(
        datatype_check_threshold=found.types,
        domain_content_threshold=found.domain,
        comparison_threshold=found.distance,
    )


def _drift(monitor: Monitor, *_: object) -> Value:
    found = monitor.drift
    if found is None:
        return None
    features = {
        name: {key: value for key, value in (("statistic", item.statistic), ("least", item.least)) if value is not None}
        if item.watched
        else False
        for name, item in (found.features or {}).items()
    }
    return _told(
        false_alarms=found.false_alarms,
        statistic=found.statistic,
        least=found.least,
        fewest=found.fewest,
        features=features or None,
        together=None if found.together else False,
    )


def _model_quality(monitor: Monitor, *_: object) -> Value:
    found = monitor.model_quality
    if found is None:
        return None
    scored = found.problem == "BinaryClassification" and found.prediction is None
    return _told(
        problem_type=found.problem,
        inference_attribute=found.prediction or (None if scored else "prediction"),
        probability_attribute=found.probability or ("prediction" if scored else None),
        probability_threshold_attribute=found.threshold,
        at_least=None if found.at_least is None else dict(found.at_least),
        at_most=None if found.at_most is None else dict(found.at_most),
    )


def _bias(monitor: Monitor, *_: object) -> Value:
    found = monitor.bias
    if found is None:
        return None
    facets = [{"name_or_index": name, "value_or_threshold": _listed(value)} for name, value in found.facets.items()]
    return _told(
        facet=facets,
        label_values_or_threshold=_listed(found.positive),
        group_variable=found.group,
        predicted_label=found.predicted,
        probability_threshold=found.threshold,
        at_most=None if found.at_most is None else dict(found.at_most),
    )


def _attributions(monitor: Monitor, *_: object) -> Value:
    found = monitor.attributions
    if found is None:
        return None
    return _told(
        least=found.least,
        rows=found.rows,
        samples=found.samples,
        aggregate=found.aggregate,
        logit=found.logit or None,
        reference=[list(row) for row in found.reference] or None,
        content_type=found.content_type,
        accept=found.accept,
        template=found.template,
        probability=found.probability,
        labels=list(found.labels) or None,
    )


_OF_DATA = Record(DataQuality, (hidden("types"), hidden("domain"), hidden("distance")), positional=0)
_OF_DRIFT = Record(
    Drift,
    tuple(hidden(name) for name in ("false_alarms", "statistic", "least", "fewest", "features", "together")),
    positional=0,
)
_OF_MODEL = Record(
    ModelQuality,
    tuple(hidden(name) for name in ("problem", "prediction", "probability", "threshold", "at_least", "at_most")),
)
_OF_BIAS = Record(
    Bias, tuple(hidden(name) for name in ("facets", "positive", "group", "predicted", "threshold", "at_most"))
)


_OF_ATTRIBUTIONS = Record(
    Attributions,
    tuple(
        hidden(name)
        for name in (
            *("least", "rows", "samples", "aggregate", "logit", "reference"),
            *("content_type", "accept", "template", "probability", "labels"),
        )
    ),
    positional=0,
)


def _code(monitor: Monitor, lowering: Lowering, *_: object) -> Value:
    """The program, which goes with the job here and there."""
    asset = lowering.bundle([_PROGRAM], step=monitor)
    return None if asset is None else asset.uri


def _image(monitor: Monitor, lowering: Lowering, *_: object) -> Value:
    if monitor.image is None:
        return None
    return lowering.image(monitor.image, scope="training", instance=lowering.instance(monitor.instance), step=monitor)


class Monitor(DeclaredResource):
    """Looks each ``window`` by the clock (``schedule``) at what ``endpoint`` captured: at ``data_quality``, ``drift``,
    ``model_quality``, ``bias`` and ``attributions``, as far as they are declared.

    ``baseline`` is an S3 folder with the files of an earlier check, or with training data (``label_column`` is what
    requests do not have of them); without one, the ``DriftCheckBaselines`` of the version that serves. ``features``
    and ``answers`` name the columns of requests and answers in CSV, in their order, where the baseline does not;
    ``features_path`` and ``answers_path`` say where they are in JSON. ``truth`` is the outcome that says what was
    right. In an account the job needs an ``image`` with Python 3.11 or later, numpy and boto3. Without a ``schedule``
    it runs by ``mlops monitor run``.
    """

    named_by: ClassVar[str | None] = "monitor"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("endpoint", "endpoint", TEXT, REQUIRED),
            Field("schedule", "schedule", PLAIN),
            Field("window", "window", PLAIN, "1h"),
            Field("baseline", "baseline", TEXT),
            Field("truth", "label", PLAIN, "label"),
            Field("label_column", "label_column", PLAIN),
            Field("features", "features", PLAIN, (), to=lambda monitor, *_: tuple(monitor.features) or None),
            Field("answers", "answers", PLAIN, (), to=lambda monitor, *_: tuple(monitor.answers) or None),
            Field("features_path", "features_path", PLAIN),
            Field("answers_path", "answers_path", PLAIN),
            Field("data_quality", "data_quality", made(_OF_DATA), to=_data_quality),
            Field("drift", "drift", made(_OF_DRIFT), to=_drift),
            Field("model_quality", "model_quality", made(_OF_MODEL), to=_model_quality),
            Field("bias", "bias", made(_OF_BIAS), to=_bias),
            Field("attributions", "attributions", made(_OF_ATTRIBUTIONS), to=_attributions),
            Field("image", "image", TEXT, to=_image),
            Field("instance", "instance", TEXT, otherwise="instance"),
            Field("role", "role", TEXT, otherwise="role"),
            Field("", "code", PLAIN, to=_code),
            Field("results", "results", TEXT),
        )
    )

    def __init__(
        self,
        name: str,
        *,
        endpoint: Text,
        data_quality: DataQuality | None = None,
        drift: Drift | None = None,
        model_quality: ModelQuality | None = None,
        bias: Bias | None = None,
        attributions: Attributions | None = None,
        schedule: str | None = None,
        window: str = "1h",
        baseline: Text | None = None,
        truth: str = "label",
        label_column: str | None = None,
        features: Sequence[str] = (),
        answers: Sequence[str] = (),
        features_path: str | None = None,
        answers_path: str | None = None,
        image: Image | None = None,
        instance: Text | None = None,
        role: Text | None = None,
        results: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.endpoint, self.schedule, self.window, self.baseline = endpoint, schedule, window, baseline
        self.data_quality, self.drift, self.model_quality, self.bias = data_quality, drift, model_quality, bias
        self.attributions = attributions
        self.label_column, self.features, self.answers = label_column, tuple(features), tuple(answers)
        self.truth = truth
        self.features_path, self.answers_path = features_path, answers_path
        self.image, self.instance, self.role, self.results = image, instance, role, results
        self._judge()

    def _judge(self) -> None:
        if all(getattr(self, kind) is None for kind in _KINDS):
            help = "give data_quality=resources.DataQuality(), drift=resources.Drift() or another one of them"
            misuse("D064", f"{self.label}: it looks for nothing", help=help, step=self.name)
        if isinstance(self.window, str) and not _WINDOW.fullmatch(self.window):
            help = 'write it as "1h", "30m" or "1d"'
            misuse("D042", f"{self.label}: {self.window!r} is no window", help=help, step=self.name)
        if isinstance(self.schedule, str):
            from mlops.knowledge.eventbridge.schedule_expressions import Malformed, judge  # few have one

            try:
                judge(self.schedule)
            except Malformed as wrong:
                help = 'e.g. "rate(1 hour)" or "cron(20 * * * ? *)"'
                misuse("D042", f"{self.label}: {self.schedule!r} is no schedule: {wrong}", help=help, step=self.name)
        drift = self.drift
        if drift is not None and not (0 < drift.false_alarms < 1 and drift.fewest >= 2):
            help = "false_alarms is a share between 0 and 1, fewest a number of values of 2 or more"
            message = f"{self.label}: false_alarms={drift.false_alarms!r} and fewest={drift.fewest!r} hold for nothing"
            misuse("D042", message, help=help, step=self.name)
        of = self.attributions
        if of is not None and not (0 < of.least <= 1 and of.rows >= 1 and (of.samples is None or of.samples >= 1)):
            help = "least is an NDCG above 0 and up to 1, rows and samples are numbers of 1 or more"
            said = f"least={of.least!r}, rows={of.rows!r} and samples={of.samples!r}"
            message = f"{self.label}: {said} measure nothing"
            misuse("D042", message, help=help, step=self.name)
        if of is not None and of.content_type != "text/csv" and "$features" not in (of.template or ""):
            help = "give template='{\"features\": $features}', as the model wants it"
            message = f"{self.label}: a model that takes {of.content_type} wants a template with $features"
            misuse("D042", message, help=help, step=self.name)
        if not re.fullmatch(SHORT_NAME, self.declared_name):
            help = "use 1 to 40 letters, digits and dashes"
            misuse("D042", f"{self.declared_name!r} is no name for a monitor", help=help, step=self.name)
