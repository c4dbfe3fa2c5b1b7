"""What a datasheet for a data set asks: ``questions.toml``, with its source."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from mlops.ir.dataclass import dataclass

_FILE = Path(__file__).parent / "questions.toml"  # importlib.resources would load as much again as a check does


@dataclass(frozen=True, slots=True)
class Question:
    """``name`` is that under which an answer is declared; where it is ``measured`` there may be one without."""

    section: str
    name: str
    text: str
    measured: bool = False


@cache
def questions() -> tuple[Question, ...]:
    """In the order in which they are asked."""
    told = tomllib.loads(_FILE.read_text(encoding="utf-8"))["section"]
    return tuple(
        Question(section["title"], name, said if isinstance(said, str) else said["measured"], not isinstance(said, str))
        for section in told
        for name, said in section["questions"].items()
    )
