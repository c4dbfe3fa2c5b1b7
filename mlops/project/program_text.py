"""The program that a file holds: a Python file's text, or the cells of a notebook."""

from __future__ import annotations

import tokenize
from pathlib import Path

NOTEBOOK = ".ipynb"


def program_text(file: Path) -> str:
    """Raises OSError, SyntaxError and ValueError for what holds none."""
    if file.suffix == NOTEBOOK:
        from mlops.project.notebook_file import program

        return program(file.read_text(encoding="utf-8"))
    with tokenize.open(file) as source:
        return source.read()
