"""What AutoML's mode, its data and its algorithms must agree on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.jobs import AUTOML
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

_ENSEMBLING = ("catboost", "extra-trees", "fastai", "lightgbm", "linear-learner", "nn-torch", "randomforest", "xgboost")
_DOCS = (
    "AWS docs: autopilot-automate-model-development-create-experiment; botocore: AutoMLAlgorithmConfig, AutoMLChannel"
)


@rule("X894", "automl-data", Severity.ERROR, source=_DOCS)
def automl_data(subject: Subject) -> Iterator[Fault]:
    """An AutoML job splits its data in parts of which one is empty, its channels have different formats or the same
    use, or data in a form that it does not read: neither CSV nor Parquet, or an augmented manifest. That it splits data
    although a channel is there to validate with, keeps half of them or more from training, or weighs rows by what it is
    to predict, is a warning.

    Bad:  "DataSplitConfig": {"ValidationFraction": 1}
    Good: "DataSplitConfig": {"ValidationFraction": 0.2}
    """
    for start, request, placed in subject.jobs[AUTOML]:
        at = f"{start}/AutoMLJobConfig/DataSplitConfig/ValidationFraction"
        fraction = literal(subject, get(request, "AutoMLJobConfig", "DataSplitConfig", "ValidationFraction"))
        if isinstance(fraction, float) and 0.5 <= fraction < 1:
            message = f"{fraction:g} of the data are kept from training"
            yield Fault(at, message, "use less than 0.5", placed, severity=Severity.WARNING)
        channels = list(entries(request, "InputDataConfig"))
        kinds = [channel.get("ChannelType", "training") for _, channel in channels]
        if isinstance(fraction, int | float) and not isinstance(fraction, bool) and not 0 < fraction < 1:
            yield Fault(at, f"{shown(fraction)} leaves nothing for one of the two parts", "e.g. 0.2", placed)
        elif fraction is not None and "validation" in kinds:
            message = "there is a channel to validate with, so the other one is not split"
            yield Fault(at, message, "remove it", placed, severity=Severity.WARNING)
        yield from _channels(start, [(start + where, channel) for where, channel in channels], placed)


def _channels(start: str, channels: list[tuple[str, Mapping[str, Value]]], placed: Placed) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    first: str | None = None
    for at, channel in channels:
        kind = channel.get("ChannelType") or "training"
        if isinstance(kind, str) and kind in ("training", "validation"):
            if kind in seen:
                message = f"two channels are for {kind}, AutoML takes one of each"
                yield Fault(f"{at}/ChannelType", message, 'write "validation"' if kind == "training" else None, placed)
            seen.setdefault(kind, at)
        content = channel.get("ContentType")
        if isinstance(content, str):
            form = content.partition(";")[0].strip()
            if first is not None and form != first:
                message = f"this channel is {form}, the other {first}"
                yield Fault(f"{at}/ContentType", message, "use one format", placed)
            elif form not in ("text/csv", "x-application/vnd.amazon+parquet"):
                message = f"AutoML reads CSV and Parquet, not {form}"
                help_text = "text/csv;header=present or x-application/vnd.amazon+parquet"
                yield Fault(f"{at}/ContentType", message, help_text, placed)
            first = first or form
        if get(channel, "DataSource", "S3DataSource", "S3DataType") == "AugmentedManifestFile":
            message = "augmented manifests are read by the second version of AutoML's API, a step uses the first"
            yield Fault(f"{at}/DataSource/S3DataSource/S3DataType", message, "use S3Prefix or ManifestFile", placed)
        target, weight = channel.get("TargetAttributeName"), channel.get("SampleWeightAttributeName")
        if isinstance(target, str) and target == weight:
            message = f"{shown(target)} is what is to be predicted, it cannot weigh the rows"
            yield Fault(
                f"{at}/SampleWeightAttributeName", message, "name another column", placed, severity=Severity.WARNING
            )


@rule("X895", "automl-algorithm", Severity.ERROR, source=_DOCS)
def automl_algorithm(subject: Subject) -> Iterator[Fault]:
    """An algorithm that AutoML does not have in ENSEMBLING, the one mode that pipelines take.

    Bad:  "AutoMLAlgorithms": ["xgboost", "mlp"]
    Good: "AutoMLAlgorithms": ["xgboost", "catboost"]
    """
    for start, request, placed in subject.jobs[AUTOML]:
        if get(request, "AutoMLJobConfig", "Mode") not in ("ENSEMBLING", None):
            continue
        generation = ("AutoMLJobConfig", "CandidateGenerationConfig")
        for where, item in entries(get(request, *generation), "AlgorithmsConfig"):
            listed = item.get("AutoMLAlgorithms")
            for index, name in enumerate(listed if isinstance(listed, tuple) else ()):
                if isinstance(name, str) and name in _OTHERS:
                    at = f"{start}/{'/'.join(generation)}{where}/AutoMLAlgorithms/{index}"
                    yield Fault(
                        at, f"{name} is no algorithm of the mode ENSEMBLING", f"it has {', '.join(_ENSEMBLING)}", placed
                    )


_OTHERS: tuple[Value, ...] = ("mlp", "cnn-qr", "deepar", "prophet", "npts", "arima", "ets")
