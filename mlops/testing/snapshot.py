"""The definition beside a pipeline file: compared with what the file compiles to, or rewritten."""

from __future__ import annotations

import difflib
from pathlib import Path

from mlops.emit.targets.definition_json import emit
from mlops.project.files import write_text
from mlops.testing.opening import open_sound


def difference(target: str, *, update: bool) -> str | None:
    """None where there is none. ``FILE.py`` has ``FILE.json`` beside it and ``FILE.py:NAME`` has ``NAME.json``."""
    checked, _ = open_sound(target)
    file = _beside(target)
    text = emit(checked.definition)
    present = file.read_text(encoding="utf-8") if file.is_file() else None
    if present == text:
        return None
    if update:
        write_text(file, text)
        return None
    if present is None:
        return f"there is no {file}"
    lines = difflib.unified_diff(
        present.splitlines(), text.splitlines(), f"{file.name} as it is", "as it compiles", lineterm=""
    )
    return "\n".join([f"{file} is stale", *lines])


def _beside(target: str) -> Path:
    """
    >>> _beside("a/pipeline.py").as_posix(), _beside("a/pipeline.py:churn").as_posix()
    ('a/pipeline.json', 'a/churn.json')
    """
    file, colon, name = target.rpartition(":")
    if colon and file.endswith(".py"):
        return Path(file).with_name(f"{name}.json")
    return Path(target).with_suffix(".json")
