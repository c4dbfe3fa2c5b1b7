"""What the closed process is asked: read from its standard input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass


@dataclass(slots=True)
class Order:
    """``environment`` has the fields of the project's :class:`~mlops.project.environments.Environment`, ``facts`` what
    it knows of the account: region, account, role, bucket and the project's name; ``answers`` is what the project's
    author says of the account, by question, ``looked_up`` what an account on this machine says, by
    :attr:`~mlops.compose.looking_up.Question.key`. The file may take ``seconds``. ``private`` is the one folder that
    the process may write to for us, ``secret`` are files that it must not read."""

    file: Path
    root: Path
    name: str | None
    any_image: bool
    environment: Mapping[str, Any]
    seconds: int
    private: Path
    secret: Sequence[Path]
    facts: Mapping[str, str]
    answers: Mapping[str, Mapping[str, Any]]
    looked_up: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def result(self) -> Path:
        return self.private / "result.json"

    @property
    def store(self) -> Path:
        """What it uploads and what it ships, by content."""
        return self.private / "kept"

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Order:
        return cls(
            file=Path(given["file"]),
            root=Path(given["root"]),
            name=given["name"],
            any_image=given["any_image"],
            environment=given["environment"],
            seconds=given["seconds"],
            private=Path(given["private"]),
            secret=[Path(item) for item in given["secret"]],
            facts=given["facts"],
            answers=given["answers"],
            looked_up=given["looked_up"],
        )

    def written(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` is the inverse."""
        return {
            "file": str(self.file),
            "root": str(self.root),
            "name": self.name,
            "any_image": self.any_image,
            "environment": dict(self.environment),
            "seconds": self.seconds,
            "private": str(self.private),
            "secret": [str(item) for item in self.secret],
            "facts": dict(self.facts),
            "answers": {name: dict(answer) for name, answer in self.answers.items()},
            "looked_up": {name: dict(answer) for name, answer in self.looked_up.items()},
        }
