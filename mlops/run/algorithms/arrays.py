"""What an algorithm has learnt where that is arrays of numpy: ``model.npz`` in the model's archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

_FILE = "model.npz"


def save(folder: Path, **arrays: Any) -> None:
    np.savez(folder / _FILE, **arrays)


def load(folder: Path, algorithm: str, *names: str) -> dict[str, Any]:
    """Raises RuntimeError where they were not saved here."""
    try:
        with np.load(folder / _FILE) as file:
            return {name: file[name] for name in names}
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as fault:
        raise RuntimeError(f"no model of {algorithm} that was trained here: {fault}") from fault
