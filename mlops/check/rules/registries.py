"""Images from private registries, and images in registrations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.jobs import TRAINING
from mlops.check.members import entries
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

_FUNCTION = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:.+")


@rule(
    "X892",
    "registry-credentials",
    Severity.ERROR,
    source="botocore: ImageConfig, RepositoryAuthConfig, TrainingImageConfig; AWS docs: private Docker registries",
)
def registry_credentials(subject: Subject) -> Iterator[Fault]:
    """Credentials for a private registry are given although the image is not pulled through a VPC, or by the ARN of
    something else than a Lambda function; or a training job pulls through a VPC and is in none.

    Bad:  {"RepositoryAccessMode": "Platform", "RepositoryAuthConfig": {...}}
    Good: {"RepositoryAccessMode": "Vpc", "RepositoryAuthConfig": {...}}
    """
    for container in subject.containers:
        config = container.settings.get("ImageConfig")
        if container.job is None and isinstance(config, Mapping):
            names = ("RepositoryAccessMode", "RepositoryAuthConfig", "RepositoryCredentialsProviderArn")
            yield from _credentials(f"{container.at}/ImageConfig", config, names, container.placed)
    for at, job, placed in subject.jobs[TRAINING]:
        config = get(job, "AlgorithmSpecification", "TrainingImageConfig")
        here = f"{at}/AlgorithmSpecification/TrainingImageConfig"
        if isinstance(config, Mapping):
            yield from _credentials(here, config, _TRAINING, placed)
        if get(config, _TRAINING[0]) == "Vpc" and job.get("VpcConfig") is None:
            message = "the image is pulled through a VPC, and the job is in none"
            yield Fault(f"{here}/{_TRAINING[0]}", message, "add VpcConfig", placed)


_TRAINING = ("TrainingRepositoryAccessMode", "TrainingRepositoryAuthConfig", "TrainingRepositoryCredentialsProviderArn")


def _credentials(at: str, config: Mapping[str, Value], names: tuple[str, str, str], placed: Placed) -> Iterator[Fault]:
    mode, holder, member = names
    if config.get(holder) is None:
        return
    if isinstance(config.get(mode), str) and config[mode] != "Vpc":
        message = f"{holder} is for images pulled through a VPC, and {mode} is {config[mode]}"
        yield Fault(f"{at}/{holder}", message, "remove it, or write Vpc", placed)
    arn = get(config, holder, member)
    if isinstance(arn, str) and not _FUNCTION.fullmatch(arn):
        message = f"{shown(arn)} is no Lambda function, and a function gives the credentials"
        yield Fault(f"{at}/{holder}/{member}", message, "give the function's ARN", placed)


@rule(
    "X893",
    "registered-image",
    Severity.WARNING,
    source="names of AWS's deep learning containers; botocore: lists of instances",
)
def registered_image(subject: Subject) -> Iterator[Fault]:
    """A registration serves with one of AWS's training images, or names an instance type or a content type twice.

    Bad:  "Image": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311"
    Good: "Image": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.3.0-cpu-py311"
    """
    for placed, arguments in subject.of_type("RegisterModel"):
        at = f"{placed.pointer}/Arguments/InferenceSpecification"
        specification = arguments.get("InferenceSpecification")
        for where, item in entries(specification, "Containers"):
            image = named_image(subject, item.get("Image"))
            if image is not None and image.scope == "training":
                message = f"{image.repository} is an image for training, this is for serving"
                help_text = f"use {image.repository.replace('training', 'inference')}"
                yield Fault(f"{at}{where}/Image", message, help_text, placed)
        for name in _LISTS:
            listed = get(specification, name)
            texts = [item for item in listed if isinstance(item, str)] if isinstance(listed, tuple) else []
            repeated = next((index for index, item in enumerate(texts) if item in texts[:index]), None)
            if repeated is not None:
                yield Fault(f"{at}/{name}/{repeated}", f"{shown(texts[repeated])} stands twice", "remove one", placed)


_LISTS = (
    "SupportedContentTypes",
    "SupportedResponseMIMETypes",
    "SupportedRealtimeInferenceInstanceTypes",
    "SupportedTransformInstanceTypes",
)
