"""Whether an account's refusal says that the thing is not there."""

from __future__ import annotations

_CODES = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchBucket", "ResourceNotFound", "ResourceNotFoundException"})

_SAID = ("could not find", "does not exist", "not found", "cannot find", "resource not found")
"""SageMaker answers many Describe calls with a plain ValidationException (the runtime with a ValidationError)
whose text alone tells."""


def is_missing(error: Exception) -> bool:
    """``error`` is what a boto3 client raised."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return False
    told = response.get("Error", {})
    if told.get("Code") in _CODES:
        return True
    return told.get("Code") in ("ValidationException", "ValidationError") and any(
        said in str(told.get("Message", "")).lower() for said in _SAID
    )
