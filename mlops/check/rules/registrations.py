"""Details of registrations that say one thing twice, or another than they may."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops.check.expressions import fold, literal
from mlops.check.jobs import registered
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity

_TASKS = (
    "IMAGE_CLASSIFICATION", "OBJECT_DETECTION", "TEXT_GENERATION", "IMAGE_SEGMENTATION", "FILL_MASK", "CLASSIFICATION",
    "REGRESSION", "OTHER",
)  # fmt: skip
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})", re.IGNORECASE)
_CONTENT = "ContentType"


@rule("X951", "registration-details", Severity.WARNING, source="botocore: CreateModelPackageInput, MetricsSource")
def registration_details(subject: Subject) -> Iterator[Fault]:
    """A registration names a task that there is not, a digest that is not its image's, a group as what it is made from,
    or a folder where one file of metrics is wanted.

    Bad:  "Task": "regression"
    Good: "Task": "REGRESSION"
    """
    for placed, arguments in subject.of_type("RegisterModel"):
        at = f"{placed.pointer}/Arguments"
        task, source = (literal(subject, arguments.get(name)) for name in ("Task", "SourceUri"))
        if isinstance(task, str) and task not in _TASKS:
            help_text = did_you_mean(task, _TASKS) or f"one of {', '.join(_TASKS)}"
            yield Fault(f"{at}/Task", f"there is no task {task!r}", help_text, placed)
        if isinstance(source, str) and ":model-package-group/" in source:
            message = f"{shown(source)} is a group, and a version or a model is registered anew"
            yield Fault(f"{at}/SourceUri", message, "give the ARN of a version, or of a model", placed)
        for container in registered(placed, arguments):
            image, digest = (literal(subject, container.settings.get(name)) for name in ("Image", "ImageDigest"))
            found = _DIGEST.search(image) if isinstance(image, str) else None
            if found is not None and isinstance(digest, str) and found[1].lower() != digest.lower():
                message = "Image and ImageDigest name different images"
                yield Fault(f"{container.at}/ImageDigest", message, "remove it, or give the same twice", placed)
    for at, value, placed in subject.objects:
        # Reports of metrics and baselines alone have both members.
        if placed.step.type == "RegisterModel" and _CONTENT in value and "S3Uri" in value:
            uri = fold(subject, value["S3Uri"])
            if uri is not None and uri.endswith("/"):
                yield Fault(f"{at}/S3Uri", f"{shown(uri)} is a folder, one file is wanted", "name the file", placed)


@rule("X952", "model-channel-twice", Severity.ERROR, source="botocore: AdditionalModelDataSource.ChannelName")
def model_channel_twice(subject: Subject) -> Iterator[Fault]:
    """Two further sources of a model's data come to one folder, since they have one name.

    Bad:  "AdditionalModelDataSources": two of "ChannelName": "draft"
    Good: "draft" and "adapters"
    """
    for container in subject.serving:
        seen = set[str]()
        for where, item in entries(container.settings, "AdditionalModelDataSources"):
            name = item.get("ChannelName")
            if isinstance(name, str) and name in seen:
                message = f"two sources are called {name!r}"
                yield Fault(f"{container.at}{where}/ChannelName", message, "rename one of them", container.placed)
            seen.add(str(name))
