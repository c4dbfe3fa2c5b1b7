"""What a search remembers beside its account, a line for each thing that happened, so that one that was killed goes on
without trying again what had ended."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.run.tuning.trial import Trial

_FILE = "search.jsonl"


@dataclass(frozen=True, slots=True)
class Memory:
    """In ``folder``, which all attempts of a step share."""

    folder: Path

    @property
    def _path(self) -> Path:
        return self.folder / _FILE

    def begun(self, request: Mapping[str, Any]) -> tuple[str, list[Trial]] | None:
        """The name of the tuning job that did not come to its end, and its trials; those that did not come to theirs
        are told as running. None where there is none with this request."""
        found: tuple[str, list[Trial]] | None = None
        for line in self._lines():
            match line:
                case {"tuning": name, "request": digest}:
                    found = (name, []) if digest == _digest(request) else None
                case {"begins": number, "definition": definition, "values": values} if found is not None:
                    kept = [trial for trial in found[1] if trial.number != number]
                    found = (found[0], [*kept, Trial(number, definition, values)])
                case {"ended": number, "status": status, "costs": costs, "cost": cost, "told": told} if found:
                    for trial in found[1]:
                        if trial.number == number:
                            trial.status, trial.costs, trial.cost, trial.told = status, costs, cost, told
                case {"over": _}:
                    found = None
        return found

    def begins(self, name: str, request: Mapping[str, Any]) -> None:
        self._add({"tuning": name, "request": _digest(request)})

    def trial_begins(self, trial: Trial) -> None:
        self._add({"begins": trial.number, "definition": trial.definition, "values": trial.values})

    def trial_ended(self, trial: Trial) -> None:
        told = {"status": trial.status, "costs": trial.costs, "cost": trial.cost, "told": trial.told}
        self._add({"ended": trial.number, **told})

    def over(self, status: str) -> None:
        self._add({"over": status})

    def _add(self, line: Mapping[str, Any]) -> None:
        with self._path.open("a+b") as file:
            begun = file.seek(0, os.SEEK_END)
            file.seek(max(0, begun - 1))
            # One that was cut off would take this one along.
            end = b"\n" if file.read(1) not in (b"", b"\n") else b""
            file.write(end + json.dumps(line).encode() + b"\n")

    def _lines(self) -> list[Any]:
        """One that was cut off is none."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        found = []
        for line in text.split("\n"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
