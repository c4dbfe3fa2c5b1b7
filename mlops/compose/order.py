"""What the process is asked: read from its standard input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Order:
    """``facts`` are what the environment knows: region, account, role, bucket and the project's name."""

    file: Path
    root: Path
    name: str | None
    store: Path
    result: Path
    facts: Mapping[str, str]

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Order:
        return cls(
            file=Path(given["file"]),
            root=Path(given["root"]),
            name=given["name"],
            store=Path(given["store"]),
            result=Path(given["result"]),
            facts=given["facts"],
        )

    def written(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` is the inverse."""
        return {
            "file": str(self.file),
            "root": str(self.root),
            "name": self.name,
            "store": str(self.store),
            "result": str(self.result),
            "facts": dict(self.facts),
        }
