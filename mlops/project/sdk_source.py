"""Which Python files are written with the official SDK; told by their text, so that nothing has to run for it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from mlops.project.program_text import program_text
from mlops.project.python_files import parsed

_IMPORTS_SDK = re.compile(r"^\s*(?:from|import)\s+sagemaker\b", re.MULTILINE)
_IMPORTS_OURS = re.compile(r"^\s*(?:from\s+mlops\b|import\s+mlops\b)", re.MULTILINE)
_BUILDS = re.compile(r"\bPipeline\s*\(")


def is_sdk_file(file: Path, *, whole: bool = False) -> bool:
    """It imports ``sagemaker`` and not ``mlops``; with ``whole`` it also builds a pipeline, so that a folder's other
    scripts stay asleep."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    if not _IMPORTS_SDK.search(text) or _IMPORTS_OURS.search(text):
        return False
    return not whole or (_BUILDS.search(text) is not None and "sagemaker" in text and "workflow" in text)


def named_lines(file: Path) -> dict[str, int]:
    """The lines of the calls that name something: ``TrainingStep(name="Train", …)`` gives ``Train``."""
    tree = parsed(_text(file))
    found: dict[str, int] = {}
    for node in () if tree is None else ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "name"] or node.args[:1]
        if given and isinstance(given[0], ast.Constant) and isinstance(given[0].value, str):
            found.setdefault(given[0].value, node.lineno)
    return found


def _text(file: Path) -> str:
    try:
        return program_text(file)
    except (OSError, SyntaxError, ValueError):
        return ""
