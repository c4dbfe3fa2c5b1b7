"""What is made of a trained model: the image that serves it, and the batch that it is asked with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops.check.expressions import literal
from mlops.check.images import Image
from mlops.check.jobs import TRANSFORM
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.serving import containers, made, training_of
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS, built_in
from mlops.knowledge.algorithms import label_size
from mlops.knowledge.framework_images import PUBLISHED

_FAMILY = re.compile(r"(?:sagemaker-)?(?:huggingface-)?(xgboost|scikit-learn|pytorch|tensorflow|mxnet)(?:-.*)?")
_NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})-(\d{1,4})")


def _image(subject: Subject, value: Value) -> Image | None:
    """One of AWS's own."""
    found = named_image(subject, value)
    return found if found is not None and (found.framework or found.account in ALGORITHM_ACCOUNTS) else None


def _family(image: Image) -> str | None:
    match = _FAMILY.fullmatch(image.repository)
    return match[1] if match is not None else None


@rule(
    "X867",
    "served-by-another-framework",
    Severity.WARNING,
    source="AWS's framework images: each loads the models of its own framework; XGBoost reads no models of newer ones",
)
def served_by_another_framework(subject: Subject) -> Iterator[Fault]:
    """A model that a framework's image trained is served by another framework's image, or one of XGBoost by an image of
    an older version.

    Bad:  a model of sagemaker-xgboost:1.7-1 served by sagemaker-scikit-learn:1.2-1-cpu-py3
    Good: the same served by sagemaker-xgboost:1.7-1
    """
    for container in subject.serving:
        training = training_of(subject, container.settings.get("ModelDataUrl"))
        if training is None:
            continue
        name, request = training.step.name, training.step.arguments
        trained = _image(subject, get(request, "AlgorithmSpecification", "TrainingImage"))
        served = _image(subject, container.image)
        # The official SDK packs models of any framework anew by a job with scikit-learn's image.
        if trained is None or served is None or get(request, "HyperParameters", "model_archive") is not None:
            continue
        own, other = _family(trained), _family(served)
        if own is not None and other is not None and own != other:
            message = f"{name!r} trains with {own}, and {served.repository} serves models of {other}"
            yield Fault(container.image_at, message, f"use an image of {own}", container.placed)
        elif own == other == "xgboost" and _is_older(served, trained):
            message = f"{name!r} trains with {trained.tag}, and the older {served.tag} serves"
            yield Fault(container.image_at, message, f"use {trained.tag} or newer", container.placed)


def _is_older(image: Image, other: Image) -> bool:
    """False where a tag says no version: an image may be named by its digest."""
    first, second = _version(image), _version(other)
    return first is not None and second is not None and first < second


def _version(image: Image) -> tuple[int, ...] | None:
    match = _NUMBERS.match(image.tag or "") if image.repository in PUBLISHED else None
    return tuple(int(number) for number in match.groups()) if match is not None else None


@rule(
    "X798",
    "batch-for-an-algorithm",
    Severity.WARNING,
    source="AWS docs: common-data-formats for inference; CreateTransformJob API: MaxPayloadInMB, chunked encoding;"
    " sagemaker-xgboost-container#74",
)
def batch_for_an_algorithm(subject: Subject) -> Iterator[Fault]:
    """A batch goes to a model of a built-in algorithm in a type that it does not answer, or streamed, which no such
    algorithm takes; or (an error) to XGBoost as CSV that is said to have no label, which its container refuses.

    Bad:  "ContentType": "application/json" for XGBoost
    Good: "ContentType": "text/csv" for XGBoost
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        model = made(subject, job.get("ModelName"), "Model", "ModelName")
        listed = containers(model) if model is not None else []
        text = literal(subject, listed[0][1].get("Image")) if listed else None
        found = built_in(text) if isinstance(text, str) else None
        if found is None or get(listed[0][1], "Environment", "SAGEMAKER_PROGRAM") is not None:
            continue
        content = get(job, "TransformInput", "ContentType")
        form = content.partition(";")[0].strip().lower() if isinstance(content, str) else None
        if form is not None and found.algorithm.answers and form not in found.algorithm.answers:
            message = f"{found.algorithm.title} does not answer {shown(content)}"
            help_text = f"e.g. {found.algorithm.answers[0]}"
            yield Fault(f"{start}/TransformInput/ContentType", message, help_text, placed)
        size = found.algorithm.answered_label_size
        if isinstance(content, str) and size is not None and label_size(content) not in (None, size):
            message = f"{found.algorithm.title} takes CSV with label_size={size} alone, and this is {shown(content)}"
            yield Fault(
                f"{start}/TransformInput/ContentType", message, f"write {form}", placed, severity=Severity.ERROR
            )
        if job.get("MaxPayloadInMB") == 0 and job.get("MaxPayloadInMB") is not False:
            message = f"0 streams the payload, and {found.algorithm.title} takes none that is streamed"
            yield Fault(f"{start}/MaxPayloadInMB", message, "e.g. 6", placed)
