"""What an account's refusal says: that the thing is not there, or its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_T = TypeVar("_T")

_BEGINNING = "NoSuch"
_ENDINGS = (
    "404",
    "NotFound",
    "NotFoundException",
    "NonExistentQueue",
    "QueueDoesNotExist",
    "StateMachineDoesNotExist",
    "ExecutionDoesNotExist",
)
"""Each service has codes of its own: NoSuchKey, ResourceNotFound, ParameterNotFound, InvalidSubnetID.NotFound; SQS has
AWS.SimpleQueueService.NonExistentQueue, and QueueDoesNotExist in its later protocol, Step Functions
StateMachineDoesNotExist and ExecutionDoesNotExist."""

_SAID = ("could not find", "does not exist", "not found", "cannot find", "resource not found", "recordnotfound")
"""SageMaker answers many Describe calls with a plain ValidationException (the runtime with a ValidationError)
whose text alone tells."""


class NotThere(Exception):
    """What an account was to be asked about is not there, by what it told before."""


def unless_missing(ask: Callable[[], _T]) -> _T | None:
    """What ``ask`` gives; None where the account says that the thing is not there. Any other refusal is raised."""
    try:
        return ask()
    except Exception as error:
        if is_missing(error):
            return None
        raise


def is_missing(error: Exception) -> bool:
    """``error`` is what a boto3 client raised, or NotThere."""
    if isinstance(error, NotThere):
        return True
    told = _told(error)
    code = str(told.get("Code", ""))
    if code.startswith(_BEGINNING) or code.endswith(_ENDINGS):
        return True
    return code in ("ValidationException", "ValidationError") and any(
        said in str(told.get("Message", "")).lower() for said in _SAID
    )


def error_code(error: Exception) -> str | None:
    """The account's own name of what it refused for; None where ``error`` is no answer of it."""
    code = _told(error).get("Code")
    return None if code is None else str(code)


def _told(error: Exception) -> Mapping[str, Any]:
    response = getattr(error, "response", None)
    return response.get("Error", {}) if isinstance(response, dict) else {}
