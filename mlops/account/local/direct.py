"""Clients for a command that runs a pipeline, in the words of boto3 but without it: to load boto3 and its models takes
longer than twenty steps that the cache serves.

Only what every run asks is answered here, and only a yes. What is not plainly right by the service's model, what is
refused, and everything else is asked of boto3's own client, which then is loaded and words the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.answering import answer_fitting
from mlops.account.local.refusal import Refusal
from mlops.account.local.state import State
from mlops.check.shapes import Misfit, Shape, shape, walk
from mlops.ir.dataclass import dataclass
from mlops.ir.values import from_json

_OPERATIONS: Mapping[str, Mapping[str, tuple[str, str | None, str | None]]] = {
    "sagemaker": {
        "describe_pipeline": ("DescribePipeline", "DescribePipelineRequest", "DescribePipelineResponse"),
        "describe_pipeline_execution": (
            "DescribePipelineExecution",
            "DescribePipelineExecutionRequest",
            "DescribePipelineExecutionResponse",
        ),
        "list_pipeline_execution_steps": (
            "ListPipelineExecutionSteps",
            "ListPipelineExecutionStepsRequest",
            "ListPipelineExecutionStepsResponse",
        ),
        "start_pipeline_execution": (
            "StartPipelineExecution",
            "StartPipelineExecutionRequest",
            "StartPipelineExecutionResponse",
        ),
    },
    # To load the model of S3 takes longer than this is worth: times of a reply are as they are stored.
    "s3": {"get_object": ("GetObject", None, None), "head_object": ("HeadObject", None, None)},
    "sts": {"get_caller_identity": ("GetCallerIdentity", None, None)},
}
"""By method: the operation, and the shapes of its request and of its reply, where they are looked at."""


class DirectClient:
    """``full`` gives boto3's client of the same service."""

    def __init__(self, state: State, service: str, full: Callable[[], Any]) -> None:
        self._state = state
        self._service = service
        self._full = full

    def __getattr__(self, name: str) -> Any:
        if name not in _OPERATIONS.get(self._service, {}):
            return getattr(self._full(), name)
        return lambda **request: self._call(name, request)

    def get_paginator(self, name: str) -> Any:
        if name not in _OPERATIONS.get(self._service, {}):
            return self._full().get_paginator(name)
        return _Pages(getattr(self, name))

    def _call(self, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        operation, taken, told = _OPERATIONS[self._service][name]
        if taken is None or _fits(request, shape(self._service, taken)):
            try:
                found = answer_fitting(self._state, self._service, operation, request)
            except Refusal:
                pass  # it has changed nothing, and boto3's client is told the same
            else:
                reply: Mapping[str, Any] = _conform(shape(self._service, told), found) if told else found
                return reply
        asked: Mapping[str, Any] = getattr(self._full(), name)(**request)
        return asked


@dataclass(frozen=True, slots=True)
class _Pages:
    call: Callable[..., Mapping[str, Any]]

    def paginate(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        page = self.call(**request)
        yield page
        while page.get("NextToken"):
            page = self.call(**request, NextToken=page["NextToken"])
            yield page


def _fits(request: Mapping[str, Any], against: Shape | None) -> bool:
    """Not where the installed botocore knows another model."""
    return against is not None and not any(
        isinstance(item, Misfit) for item in walk(from_json(dict(request)), against, "")
    )


def _conform(against: Shape | None, value: Any) -> Any:
    """As boto3 would have parsed it, see :func:`mlops.account.local.shapes.conform`."""
    if against is None or value is None:
        return value
    match against.kind:
        case "structure":
            found = {name: (against.member(name), value.get(name)) for name in against.members}
            return {name: _conform(member, item) for name, (member, item) in found.items() if item is not None}
        case "list":
            return [_conform(against.item(), item) for item in value]
        case "map":
            return {key: _conform(against.value(), item) for key, item in value.items()}
        case "timestamp":
            time = datetime.fromisoformat(value) if isinstance(value, str) else value
            return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        case "float" | "double":
            return float(value)
    return value
