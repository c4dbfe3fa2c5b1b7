"""What the destinations of a stream are made with beside what is their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlops.ir import Value
from mlops.ir.dataclass import dataclass

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering


@dataclass(frozen=True, slots=True)
class About:
    """``place`` is where in S3 goes what a destination does not take, ``backup`` where all goes as it came."""

    role: Value
    place: dict[str, Value]
    hints: Value
    processing: Value
    backup: Value
    lowering: Lowering


def known(members: Mapping[str, Value]) -> dict[str, Value]:
    return {member: value for member, value in members.items() if value is not None}


def retrying(seconds: Value) -> Value:
    return None if seconds is None else {"DurationInSeconds": seconds}


def secret(arn: Value, role: Value) -> Value:
    """Of Secrets Manager: nothing secret stands in a file."""
    return None if arn is None else {"Enabled": True, "SecretARN": arn, "RoleARN": role}
