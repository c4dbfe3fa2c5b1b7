"""RegisterModel: CreateModelPackage, a version in a group or, without a group, a package with a made-up name.

The service registers anew whatever is there. Here a rerun whose steps were served by the cache finds the version that
is made of the same, and says so; without the cache it registers."""

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
    earlier = work.ports.registry.identical(request) if work.execution.use_cache else None
    if earlier is not None:
        arn = earlier["ModelPackageArn"]
        work.note(f"{arn} is made of the same, so nothing was registered; --no-cache registers anew")
        return Done(Outcome("Succeeded", None, {"RegisterModel": {"Arn": arn}}, earlier))
    reply = work.ports.registry.create("CreateModelPackage", request)
    return Done(Outcome("Succeeded", None, {"RegisterModel": {"Arn": reply["ModelPackageArn"]}}, reply))
