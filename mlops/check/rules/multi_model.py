"""Containers that host many models, and models that a batch transform cannot use."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.expressions import literal
from mlops.check.jobs import TRANSFORM
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.serving import containers, made
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.ir.members import get


@rule(
    "X910",
    "multi-model-container",
    Severity.ERROR,
    source="'More than one container in MultiModel mode is not supported with inference pipeline'; CreateModel API",
)
def multi_model_container(subject: Subject) -> Iterator[Fault]:
    """Two containers of a model host many models; or one does without a prefix to find them under, or with
    ModelDataSource in its place. Settings of such a container where it is none, and images of AWS for GPUs, which lack
    the label that is wanted, are a warning.

    Bad:  "Containers": [{"Mode": "MultiModel", ...}, {"Mode": "MultiModel", ...}]
    Good: "Containers": [{"Mode": "SingleModel", ...}, {"Mode": "MultiModel", ...}]
    """
    for placed, _ in subject.of_type("Model"):
        at, seen = f"{placed.pointer}/Arguments", 0
        for where, container in containers(placed):
            here = f"{at}{where}"
            if literal(subject, container.get("Mode")) != "MultiModel":
                if container.get("MultiModelConfig") is not None:
                    message = "MultiModelConfig is for a container whose Mode is MultiModel"
                    help_text = 'remove it, or set "Mode": "MultiModel"'
                    yield Fault(f"{here}/MultiModelConfig", message, help_text, placed, severity=Severity.WARNING)
                continue
            seen += 1
            if seen == 2:
                message = "one container of an inference pipeline may be multi-model, and this is the second"
                yield Fault(f"{here}/Mode", message, 'set "Mode": "SingleModel", or make another model of it', placed)
            if container.get("ModelDataSource") is not None:
                message = "a multi-model container finds its models by ModelDataUrl, not by ModelDataSource"
                yield Fault(f"{here}/ModelDataSource", message, "give their prefix as ModelDataUrl", placed)
            elif container.get("ModelDataUrl") is None and container.get("ModelPackageName") is None:
                message = "a multi-model container, and nothing says where its models are"
                yield Fault(f"{here}/ModelDataUrl", message, "give their prefix, e.g. s3://<bucket>/models/", placed)
            image = named_image(subject, container.get("Image"))
            if image is not None and image.framework is not None and image.processor == "gpu":
                message = f"{image.repository} for GPUs hosts no many models (ex#3925: it lacks a label)"
                help_text = "use Triton's image, or one for CPUs"
                yield Fault(f"{here}/Image", message, help_text, placed, severity=Severity.WARNING)


@rule(
    "X911",
    "model-for-endpoints-alone",
    Severity.ERROR,
    source="'SageMaker Batch currently doesn't support ... ModelDataSource' (sdk#4777); CreateModel API",
)
def model_for_endpoints_alone(subject: Subject) -> Iterator[Fault]:
    """A batch transform uses a model that only an endpoint can serve: one fed by ModelDataSource, or (a warning) one of
    many models or of containers that are called one by one, since a transform cannot say which is meant.

    Bad:  a Transform of a model with "ModelDataSource"
    Good: a Transform of a model with "ModelDataUrl"
    """
    for start, job, placed in subject.jobs[TRANSFORM]:
        model = made(subject, job.get("ModelName"), "Model", "ModelName")
        if model is None:
            continue
        at, name = f"{start}/ModelName", model.step.name
        settings = [container for _, container in containers(model)]
        if any(item.get("ModelDataSource") is not None for item in settings):
            message = f"{name!r} takes its data by ModelDataSource, which a batch transform does not"
            yield Fault(at, message, "pack the data and give ModelDataUrl", placed)
        if any(literal(subject, item.get("Mode")) == "MultiModel" for item in settings):
            message = f"{name!r} hosts many models, and a transform cannot say which is meant"
            yield Fault(at, message, "make a model of one archive for it", placed, severity=Severity.WARNING)
        if literal(subject, get(model.step.arguments, "InferenceExecutionConfig", "Mode")) == "Direct":
            message = f"the containers of {name!r} are called one by one, and a transform cannot say which is meant"
            yield Fault(at, message, "use Serial, or a model of one container", placed, severity=Severity.WARNING)
