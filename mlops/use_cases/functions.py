"""Functions for streams that come with mlops: files of Python that need nothing else, written where they are wanted."""

from __future__ import annotations

from importlib import resources


def source(name: str) -> str:
    """``name`` as it is said on a command line: ``csv-to-json``."""
    file = resources.files("mlops.use_cases").joinpath("templates", "functions", f"{name.replace('-', '_')}.py")
    return file.read_text(encoding="utf-8")
