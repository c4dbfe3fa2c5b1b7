"""Members deep in a definition's values, read without a mistake where something else stands in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.ir import Value
from mlops.ir.members import get
from mlops.ir.values import pointer


def entries(value: Value, *members: str) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """The objects of a list deep in objects, each with its pointer below ``value``."""
    listed = get(value, *members)
    if not isinstance(listed, tuple):
        return
    here = pointer(*members)
    for index, item in enumerate(listed):
        if isinstance(item, Mapping):
            yield f"{here}/{index}", item
