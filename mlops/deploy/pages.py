"""Lists that an account gives page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def items(client: Any, operation: str, member: str, **request: Any) -> Iterator[Mapping[str, Any]]:
    """Every item of ``member`` over all pages."""
    for page in client.get_paginator(operation).paginate(**request):
        yield from page.get(member, [])
