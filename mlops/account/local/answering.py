"""Which function answers which operation, and the one door to them. Knows nothing of boto3: the same answers can stand
behind a port."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from mlops.account.local import services as packages
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.state import State
from mlops.ir.discovery import modules
from mlops.knowledge.elsewhere import unanswered

Answer: TypeAlias = Callable[[State, Mapping[str, Any]], Mapping[str, Any]]


@cache
def services() -> tuple[str, ...]:
    """Those that are answered, as boto3 names them."""
    return tuple(modules(packages))


@cache
def operations(service: str) -> Mapping[str, Answer]:
    """What every module in the service's package says that it answers."""
    package = modules(packages).get(service)
    if package is None:
        return {}
    # Chained and not merged: a module may know only when it is asked.
    return ChainMap(*(getattr(module.load(), "OPERATIONS", {}) for module in modules(package.load()).values()))


def answer(state: State, service: str, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """To anybody, who may ask anything. Raises :class:`Refusal`."""
    from mlops.account.local.shapes import obey  # botocore takes longer to load than most answers

    function = _function(service, operation)
    fitting = obey(service, operation, request)
    if service == "sagemaker" and operation.startswith("Create"):
        _need_sound(operation, fitting)
    return function(state, fitting)


def answer_fitting(state: State, service: str, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """To ourselves: ``request`` is known to be right by the service's model. Raises :class:`Refusal`."""
    return _function(service, operation)(state, request)


def _need_sound(operation: str, request: Mapping[str, Any]) -> None:
    """By the rules that judge the step which makes this request."""
    from mlops.check.refused import refused  # of a request that makes something

    if wrong := [*refused(operation, request)]:
        plural = "error" if len(wrong) == 1 else "errors"
        raise invalid(f"{len(wrong)} validation {plural} detected: {'; '.join(wrong)}")


def _function(service: str, operation: str) -> Answer:
    function = operations(service).get(operation)
    if function is None:
        raise Refusal("UnknownOperationException", unanswered(service, operation))
    return function
