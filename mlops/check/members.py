"""Members deep in a definition's values, read without a mistake where something else stands in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.ir import Value
from mlops.ir.values import pointer


def get(value: Value, *members: str) -> Value:
    """A value deep in objects; None where one of the members is not there or something else stands in its place."""
    for member in members:
        if value is None:
            return None
        # Nearly always a dict, which is quicker to see than that it is a Mapping; rules ask this by the thousand.
        value = value.get(member) if isinstance(value, dict) or isinstance(value, Mapping) else None  # noqa: SIM101
    return value


def entries(value: Value, *members: str) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """The objects of a list deep in objects, each with its pointer below ``value``."""
    listed = get(value, *members)
    for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
        if isinstance(item, Mapping):
            yield pointer(*members, index), item
