"""Checkpoints after each round, the newest five, and the way back into training from them.

As images up to 1.7 keep them: the newest names its files otherwise than it looks for them, and finds none.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import xgboost

_NAME = "xgboost-checkpoint"
_FILE = re.compile(rf"{_NAME}\.(\d+)")
_KEPT = 5


def newest(folder: Path | None) -> tuple[str | None, int]:
    """A model to go on with, and how many rounds it has."""
    found = _rounds(folder) if folder is not None else []
    if folder is None or not found:
        return None, 0
    return str(folder / f"{_NAME}.{found[-1]}"), found[-1] + 1


class Saving(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """``done`` is how many rounds there were before."""

    def __init__(self, folder: Path, done: int) -> None:
        super().__init__()
        self._folder = folder
        self._done = done

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        save(model, self._folder / f"{_NAME}.{self._done + epoch}")
        for number in _rounds(self._folder)[:-_KEPT]:
            (self._folder / f"{_NAME}.{number}").unlink(missing_ok=True)
        return False


class Intermediate(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """The model of each round, for whoever stops training (``save_model_on_termination``)."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        save(model, self._file)
        return False


def save(model: Any, file: Path) -> None:
    """Whole or not at all."""
    partial = file.with_name(f"{file.name}.sagemaker-ignore")
    partial.write_bytes(model.save_raw("ubj"))
    partial.replace(file)


def _rounds(folder: Path) -> list[int]:
    found = (_FILE.fullmatch(path.name) for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(match[1]) for match in found if match)
