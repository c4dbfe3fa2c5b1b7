"""The types that a Lambda or Callback step declares its outputs with, and which values are of them."""

from __future__ import annotations

import json
from typing import Any

VALUE_LIMIT = 1024  # botocore: OutputParameter


class OfAnotherType(ValueError):
    """The text goes behind the output's name."""


def typed(kind: str, value: Any) -> Any:
    """``value``, also as text, as an output of the type ``kind`` has it. Raises :class:`OfAnotherType`.

    >>> typed("Integer", "3"), typed("Boolean", "True"), typed("String", {"a": 1})
    (3, True, '{"a": 1}')
    """
    found = _typed(kind, value)
    if len(as_text(found)) > VALUE_LIMIT:
        raise OfAnotherType(f"is longer than {VALUE_LIMIT} characters")
    return found


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _typed(kind: str, value: Any) -> Any:
    match kind:
        case "Boolean" if isinstance(value, bool):
            return value
        case "Boolean" if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        case "Integer" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "Integer" if isinstance(value, float) and value.is_integer():
            return int(value)
        case "Float" if isinstance(value, int | float) and not isinstance(value, bool) and _is_float(value):
            return float(value)
        case "Integer" | "Float" if isinstance(value, str):
            try:
                return int(value) if kind == "Integer" else float(value)
            except ValueError:
                pass
        case "String":
            return as_text(value)
    raise OfAnotherType(f"is {json.dumps(value)[:100]}, which is no {kind}")


def _is_float(value: int | float) -> bool:
    """Not an integer that no float holds."""
    try:
        float(value)
    except OverflowError:
        return False
    return True
