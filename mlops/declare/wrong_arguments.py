"""A call whose arguments are not what its annotations say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class WrongArguments(Exception):
    """What pydantic says of the arguments of a call."""

    def __init__(self, details: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(details)
        self.details = details
