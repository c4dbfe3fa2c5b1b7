"""What AWS's serving images need to have something to serve: model data, code, or the name of a model of a hub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.named_images import named_image
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.serving import packs_its_model, training_of
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS

_DATA = ("ModelDataUrl", "ModelDataSource", "ModelPackageName")
_NEEDS_DATA = re.compile(r"(pytorch|tensorflow|mxnet)-inference(-graviton)?|sagemaker-scikit-learn")
_TASKS = (
    "audio-classification", "automatic-speech-recognition", "conversational", "custom", "depth-estimation",
    "document-question-answering", "feature-extraction", "fill-mask", "image-classification",
    "image-feature-extraction", "image-segmentation", "image-text-to-text", "image-to-image", "image-to-text",
    "keypoint-matching", "mask-generation", "ner", "object-detection", "question-answering", "sentence-embeddings",
    "sentence-ranking", "sentence-similarity", "sentiment-analysis", "summarization", "table-question-answering",
    "text-classification", "text-generation", "text-to-audio", "text-to-image", "text-to-speech",
    "text2text-generation", "token-classification", "translation", "video-classification",
    "visual-question-answering", "vqa", "zero-shot-audio-classification", "zero-shot-classification",
    "zero-shot-image-classification", "zero-shot-object-detection",
)  # fmt: skip
_TRANSLATION = re.compile(r"translation_\w+_to_\w+")


@rule(
    "X915",
    "nothing-to-serve",
    Severity.WARNING,
    source="sagemaker-inference-toolkit, sagemaker-tensorflow-serving-container: they load what is in /opt/ml/model",
)
def nothing_to_serve(subject: Subject) -> Iterator[Fault]:
    """A container of one of AWS's framework images gets neither model data nor sources: it starts, and has nothing to
    answer with.

    Bad:  {"Image": ".../sagemaker-scikit-learn:1.2-1-cpu-py3", "Environment": {"SAGEMAKER_PROGRAM": "serve.py"}}
    Good: the same with "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    """
    for container in subject.serving:
        image = named_image(subject, container.image)
        if image is None or _NEEDS_DATA.fullmatch(image.repository) is None:
            continue
        sources = get(container.settings, "Environment", "SAGEMAKER_SUBMIT_DIRECTORY")
        brought = sources is not None and not (isinstance(sources, str) and sources.startswith("/opt/ml/model"))
        is_of_aws = image.framework is not None or image.account in ALGORITHM_ACCOUNTS
        if is_of_aws and not brought and all(container.settings.get(name) is None for name in _DATA):
            message = f"{image.repository} serves what is in its model data, and there is none"
            help_text = "give the archive of the trained model"
            yield Fault(f"{container.at}/ModelDataUrl", message, help_text, container.placed)


@rule(
    "X917",
    "packed-otherwise",
    Severity.WARNING,
    source="OutputDataConfig API: CompressionType; ContainerDefinition API: ModelDataUrl is a .tar.gz",
)
def packed_otherwise(subject: Subject) -> Iterator[Fault]:
    """A model takes as an archive what a training job leaves unpacked in a folder, or as a folder what a job packs.

    Bad:  "ModelDataUrl" of a job with "OutputDataConfig": {"CompressionType": "NONE", ...}
    Good: "ModelDataSource" of that job, with "S3DataType": "S3Prefix" and "CompressionType": "None"
    """
    for container in subject.serving:
        source = get(container.settings, "ModelDataSource", "S3DataSource")
        if _is_archive(subject, container.settings.get("ModelDataUrl")) is False:
            message = "the training job leaves its model unpacked, and ModelDataUrl is an archive"
            help_text = "use ModelDataSource with S3Prefix and CompressionType None"
            yield Fault(f"{container.at}/ModelDataUrl", message, help_text, container.placed)
        if get(source, "CompressionType") == "None" and _is_archive(subject, get(source, "S3Uri")):
            message = "the training job packs its model into an archive, and a folder is taken"
            help_text = "let the job write it with CompressionType NONE, or use ModelDataUrl"
            at = f"{container.at}/ModelDataSource/S3DataSource/S3Uri"
            yield Fault(at, message, help_text, container.placed)


def _is_archive(subject: Subject, value: Value) -> bool | None:
    """Of a training job's model; None where it is something else, or not known."""
    training = training_of(subject, value)
    return packs_its_model(subject, training) if training is not None else None


@rule(
    "X916",
    "hub-model",
    Severity.WARNING,
    source="sagemaker-huggingface-inference-toolkit: README, transformers_utils.py",
)
def hub_model(subject: Subject) -> Iterator[Fault]:
    """A Hugging Face container is given a task that there is not, or the name of a model of the hub where it cannot
    come to it: cut off from the network.

    Bad:  "HF_TASK": "sentiment"
    Good: "HF_TASK": "text-classification"
    """
    for container in subject.serving:
        image = named_image(subject, container.image)
        values = container.settings.get("Environment")
        if image is None or not image.repository.startswith("huggingface-") or not isinstance(values, Mapping):
            continue
        task = values.get("HF_TASK")
        if isinstance(task, str) and task not in _TASKS and _TRANSLATION.fullmatch(task) is None:
            help_text = did_you_mean(task, _TASKS) or "e.g. text-classification"
            yield Fault(
                f"{container.at}/Environment/HF_TASK",
                f"{shown(task)} is no task of Hugging Face's models",
                help_text,
                container.placed,
            )
        model = values.get("HF_MODEL_ID")
        local = isinstance(model, str) and model.startswith("/")
        if model is not None and not local and get(container.placed.step.arguments, "EnableNetworkIsolation") is True:
            message = "the model comes from the hub, and the container is cut off from the network"
            help_text = "bring it by ModelDataUrl, or leave EnableNetworkIsolation out"
            yield Fault(f"{container.at}/Environment/HF_MODEL_ID", message, help_text, container.placed)


@rule("X852", "serving-code", Severity.WARNING, source="sagemaker-inference-toolkit: SAGEMAKER_SUBMIT_DIRECTORY")
def serving_code(subject: Subject) -> Iterator[Fault]:
    """A model's serving code is a path of the author's machine, or a folder in S3 where an archive is wanted.

    Bad:  "SAGEMAKER_SUBMIT_DIRECTORY": "./serve"
    Good: "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"
    """
    for at, text, placed in subject.texts:
        elsewhere = text and not text.startswith(("s3://", "https://", "/opt/ml/"))
        if elsewhere and at.endswith("/Environment/SAGEMAKER_SUBMIT_DIRECTORY"):
            yield Fault(at, f"{shown(text)} is not in the container", "e.g. /opt/ml/model/code", placed)
        elif text.startswith("s3://") and text.endswith("/") and at.endswith("/Environment/SAGEMAKER_SUBMIT_DIRECTORY"):
            message = f"{shown(text)} is a folder, and the container unpacks an archive"
            yield Fault(at, message, f"e.g. {text}sourcedir.tar.gz", placed)


@rule(
    "X869",
    "model-without-role",
    Severity.WARNING,
    source="AWS docs: sagemaker-roles; without a role nothing may pull the image or read the archive",
)
def model_without_role(subject: Subject) -> Iterator[Fault]:
    """A model has no ExecutionRoleArn: the request is taken, and nobody may pull its image or read its archive.

    Bad:  a Model without "ExecutionRoleArn"
    Good: "ExecutionRoleArn": "arn:aws:iam::111122223333:role/serving"
    """
    for placed, arguments in subject.of_type("Model"):
        if arguments.get("ExecutionRoleArn") is None and ("PrimaryContainer" in arguments or "Containers" in arguments):
            at = f"{placed.pointer}/Arguments/ExecutionRoleArn"
            yield Fault(at, "no role says what the model's containers may do", "add it", placed)
