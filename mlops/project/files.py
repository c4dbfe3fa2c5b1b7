"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from mlops.ir import UsageError


def write_text(file: Path, text: str) -> None:
    """UTF-8 with ``\\n``; the folder is made where it is missing. Raises UsageError where that cannot be."""
    try:
        _replace(file, text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as target:
            target.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
