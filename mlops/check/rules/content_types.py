"""Content types that are said twice: of the channels of one algorithm, of a batch and of the model's registration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.algorithm_trainings import trainings
from mlops.check.expressions import literal
from mlops.check.jobs import TRANSFORM
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.serving import containers, made
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Ref, Severity, Value
from mlops.ir.members import get

_ONE_READER = frozenset({"xgboost", "sagemaker-xgboost"})
"""Algorithms whose container reads all data as the type of the channel train."""


@rule(
    "X977",
    "channels-of-two-types",
    Severity.WARNING,
    source="sagemaker-xgboost-container: train.py; the content type of the channel train is that of validation, too",
)
def channels_of_two_types(subject: Subject) -> Iterator[Fault]:
    """XGBoost is given its data for validation as another type than that for training, and reads both as that of
    training: it fails, or takes numbers for what they are not.

    Bad:  "ContentType": "text/csv" of train, "ContentType": "text/libsvm" of validation
    Good: both "text/csv"
    """
    for found in trainings(subject):
        if found.name not in _ONE_READER:
            continue
        said = {
            channel.get("ChannelName"): (f"{found.job.at}{where}/ContentType", _bare(subject, channel))
            for where, channel in entries(found.job.request, "InputDataConfig")
            if isinstance(channel.get("ChannelName"), str)
        }
        _, read = said.get("train", ("", None))
        at, kind = said.get("validation", ("", None))
        if read is not None and kind is not None and _WORDS.get(read, read) != _WORDS.get(kind, kind):
            message = f"the channel train is {read}, and validation, which is read as that, is {kind}"
            yield Fault(at, message, f"write {read} for both, or convert the data", found.job.placed)


_WORDS = {
    "csv": "text/csv",
    "libsvm": "text/libsvm",
    "text/x-libsvm": "text/libsvm",
    "parquet": "application/x-parquet",
    "recordio-protobuf": "application/x-recordio-protobuf",
}


def _bare(subject: Subject, holder: Mapping[str, Value], member: str = "ContentType") -> str | None:
    """Without its parameters; None where it is not known."""
    value = literal(subject, holder.get(member))
    return value.partition(";")[0].strip().lower() if isinstance(value, str) and value else None


@rule(
    "X978",
    "batch-of-another-type",
    Severity.WARNING,
    source="InferenceSpecification API: SupportedContentTypes, SupportedResponseMIMETypes",
)
def batch_of_another_type(subject: Subject) -> Iterator[Fault]:
    """A batch is sent to a model, or its answers are asked for, in a type that the registration of the same model says
    it does not take or give: one of the two is wrong.

    Bad:  "Accept": "application/json" where "SupportedResponseMIMETypes" is ["text/csv"]
    Good: "Accept": "text/csv"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        model = made(subject, job.get("ModelName"), "Model", "ModelName")
        registration = _registration(subject, model) if model is not None else None
        for holder, member, listed, does in _SAID if registration is not None else ():
            asked, known = job.get(holder), _listed(subject, registration, listed)
            kind = _bare(subject, asked, member) if isinstance(asked, Mapping) else None
            if kind is not None and known and kind not in known and not known & {"*", "*/*"}:
                named = registration.step.name if registration is not None else ""
                message = f"{shown(kind)} is asked for, and {named!r} registers that the model {does} {_and(known)}"
                yield Fault(f"{start}/{holder}/{member}", message, "say the same in both", placed)


_SAID = (
    ("TransformInput", "ContentType", "SupportedContentTypes", "takes"),
    ("TransformOutput", "Accept", "SupportedResponseMIMETypes", "gives"),
)


def _and(known: frozenset[str]) -> str:
    return ", ".join(sorted(known))


def _registration(subject: Subject, model: Placed) -> Placed | None:
    """That of a model which takes a version of it, or is made of the same data and image."""
    listed = containers(model)
    if len(listed) != 1:
        return None
    (_, own), found = listed[0], list(subject.of_type("RegisterModel"))
    version = own.get("ModelPackageName")
    path = version.path if isinstance(version, Ref) else None
    if path is not None and path.root == "Steps":
        return next((placed for placed, _ in found if placed.step.name == path.name), None)
    for placed, arguments in found:
        registered = [item for _, item in entries(arguments, "InferenceSpecification", "Containers")]
        data, image = own.get("ModelDataUrl"), own.get("Image")
        if data is None or image is None or len(registered) != 1:
            continue
        if registered[0].get("ModelDataUrl") == data and registered[0].get("Image") == image:
            return placed
    return None


def _listed(subject: Subject, registration: Placed | None, member: str) -> frozenset[str]:
    """The types that all ways of serving it name; none where one is not known."""
    arguments = registration.step.arguments if registration is not None else None
    holders = [get(arguments, "InferenceSpecification")]
    holders += [item for _, item in entries(arguments, "AdditionalInferenceSpecifications")]
    found: set[str] = set()
    for holder in holders:
        values = literal(subject, get(holder, member))
        items = [literal(subject, item) for item in values] if isinstance(values, tuple) else []
        if not items or not all(isinstance(item, str) for item in items):
            return frozenset()
        found |= {item.partition(";")[0].strip().lower() for item in items if isinstance(item, str)}
    return frozenset(found)
