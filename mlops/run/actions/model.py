"""Model: CreateModel."""

from __future__ import annotations

from mlops.run.outcome import Done, Outcome, Task
from mlops.run.resolve import as_texts
from mlops.run.work import Work


def start(work: Work) -> Task:
    request = {**work.request, "ModelName": work.name}
    if isinstance(primary := request.get("PrimaryContainer"), dict) and "Environment" in primary:
        request["PrimaryContainer"] = {**primary, "Environment": as_texts(primary["Environment"])}
    if isinstance(listed := request.get("Containers"), list):
        request["Containers"] = [
            {**item, "Environment": as_texts(item["Environment"])} if "Environment" in item else item for item in listed
        ]
    reply = work.ports.registry.create("CreateModel", request)
    return Done(Outcome("Succeeded", None, {"Model": {"Arn": reply["ModelArn"]}}, reply))
