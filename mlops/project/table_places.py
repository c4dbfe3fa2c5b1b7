"""Where the values of an environment are written, when several tables of ``mlops.toml`` give them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mlops.ir.choices import near
from mlops.ir.dataclass import dataclass
from mlops.project.toml_places import mistake


@dataclass(frozen=True, slots=True)
class Place:
    """Where the values of one environment are written. ``writers`` are its own table and those behind it, by name, the
    nearest first. ``below`` is the table inside the environment that is spoken of."""

    file: Path
    text: str
    writers: Mapping[str, Mapping[str, Any]]
    below: tuple[str, ...] = ()

    def path(self, inside: tuple[str, ...]) -> tuple[str, ...]:
        """From the top of the file, by the table that gives the value."""
        inside = (*self.below, *inside)
        for depth in range(len(inside), 0, -1):
            for table, value in self.writers.items():
                if holds(value, inside[:depth]):
                    return ("env", table, *inside)
        return ("env", next(iter(self.writers)), *inside)

    def told(self, inside: tuple[str, ...], message: str) -> str:
        return mistake(self.file, self.text, self.path(inside), message)


def holds(value: Any, inside: tuple[str, ...]) -> bool:
    for key in inside:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


_ELSEWHERE = {
    "protected": "approval",
    "confirm": "approval",
    "execution_role": "role",
    "encryption_key": "kms_key",
    "vpc": "subnets",
    "storage": "bucket",
}
"""Words of other tools, which look like another key of ours or like none."""


def unknown_key(key: str, known: Collection[str], table: str) -> str:
    listed = sorted(known)
    elsewhere = _ELSEWHERE.get(key)
    guess = elsewhere if elsewhere in listed else near(key, listed)
    hint = f"did you mean {guess!r}?" if guess is not None else f"known: {', '.join(listed)}"
    return f"{key!r} is not a key of [{table}]; {hint}"
