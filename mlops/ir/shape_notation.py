"""Shapes in the notation of botocore's service models, for Arguments that mirror no single request.

``{"shape": name}`` is a shape of SageMaker's model, with ``"service"`` of another's; ``"omits"`` are members that it
shall not have, ``"optional"`` such that it shall not require.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

ShapeNotation: TypeAlias = Mapping[str, Any]

STRING_SHAPE: ShapeNotation = {"type": "string"}
ANY_SHAPE: ShapeNotation = {"type": "any"}
ROLE_SHAPE: ShapeNotation = {"shape": "RoleArn"}


def structure(required: tuple[str, ...] = (), **members: ShapeNotation) -> ShapeNotation:
    """
    >>> structure(("A",), A=STRING_SHAPE)
    {'type': 'structure', 'required': ('A',), 'members': {'A': {'type': 'string'}}}
    """
    return {"type": "structure", "required": required, "members": members}


def one_of(*values: str) -> ShapeNotation:
    return {"type": "string", "enum": values}


def list_of(member: ShapeNotation, **limits: int) -> ShapeNotation:
    """``limits`` are ``min`` and ``max``."""
    return {"type": "list", "member": member, **limits}
