"""Which function answers which operation. Knows nothing of boto3: the same answers can stand behind a port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from mlops.account.local.refusal import Refusal
from mlops.account.local.state import State

Answer: TypeAlias = Callable[[State, Mapping[str, Any]], Mapping[str, Any]]

# Every module has OPERATIONS: operation name -> function.
SERVICES: Mapping[str, tuple[str, ...]] = {
    "sagemaker": ("pipelines", "executions", "registry", "models", "endpoints", "jobs", "tags"),
    "sagemaker-runtime": ("runtime",),
    "s3": ("s3", "s3_uploads"),
    "sts": ("sts",),
    "logs": ("logs",),
}


@cache
def operations(service: str) -> Mapping[str, Answer]:
    found: dict[str, Answer] = {}
    for module in SERVICES.get(service, ()):
        found.update(import_module(f"mlops.account.local.{module}").OPERATIONS)
    return found


def answer(state: State, service: str, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises :class:`Refusal`."""
    function = operations(service).get(operation)
    if function is None:
        raise Refusal("UnknownOperationException", f"The local account does not answer {service} {operation}.", 501)
    return function(state, request)
