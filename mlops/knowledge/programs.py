"""Commands of containers: those of the images are not on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_OF_IMAGES = {"smspark-submit": "Spark's image"}
_OWN = "/opt/ml/"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_path(python: Path | None = None) -> str:
    """Where a step's commands are looked for here; ``python`` first, by default this one."""
    return f"{Path(python or sys.executable).parent}:{_SYSTEM_PATH}"


def missing_program(word: str) -> str | None:
    """Why a command that begins with ``word`` cannot start here; None where it can, or nobody knows yet.

    >>> missing_program("python3"), missing_program("/opt/ml/processing/input/code/run.sh")
    (None, None)
    >>> missing_program("smspark-submit")
    "smspark-submit is a program of Spark's image, and is not on this machine"
    """
    if word.startswith(_OWN) or not word:
        return None
    if word.startswith("/"):
        found = os.access(word, os.X_OK)
    else:
        found = "/" in word or shutil.which(word, path=search_path()) is not None
    if found:
        return None
    whose = _OF_IMAGES.get(word, "the image")
    return f"{word} is a program of {whose}, and is not on this machine"
