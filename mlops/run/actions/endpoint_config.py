"""EndpointConfig: CreateEndpointConfig. A name that the definition gives is kept; a second one of it is refused."""

from __future__ import annotations

from mlops.run.outcome import Done, Outcome, Task
from mlops.run.work import Work


def start(work: Work) -> Task:
    work.need_possible(work.request)
    request = {"EndpointConfigName": work.name, **work.request}
    reply = work.ports.registry.create("CreateEndpointConfig", request)
    return Done(Outcome("Succeeded", None, {"EndpointConfig": {"Arn": reply["EndpointConfigArn"]}}, reply))
