"""RegisterModel: CreateModelPackage, a version in a group or, without a group, a package with a made-up name."""

from __future__ import annotations

from mlops.run.outcome import Done, Outcome, Task
from mlops.run.resolve import as_texts
from mlops.run.work import Work


def start(work: Work) -> Task:
    request = dict(work.request)
    if "ModelPackageGroupName" not in request:
        request["ModelPackageName"] = work.name
    if "CustomerMetadataProperties" in request:
        request["CustomerMetadataProperties"] = as_texts(request["CustomerMetadataProperties"])
    reply = work.ports.registry.create("CreateModelPackage", request)
    return Done(Outcome("Succeeded", None, {"RegisterModel": {"Arn": reply["ModelPackageArn"]}}, reply))
