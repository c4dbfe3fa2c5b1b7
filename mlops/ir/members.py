"""What lies deep in objects, by the names of members."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.values import Value


def get(value: Value, *members: str) -> Value:
    """A value deep in objects; None where one of the members is not there or something else stands in its place."""
    for member in members:
        if value is None:
            return None
        # Nearly always a dict, which is quicker to see than that it is a Mapping; rules ask this by the thousand.
        value = value.get(member) if isinstance(value, dict) or isinstance(value, Mapping) else None  # noqa: SIM101
    return value
