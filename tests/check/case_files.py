"""Rows for ``test_rules.py`` in files of their own: each ``cases_<family>.py`` beside this one has ``CASES``, and where
its rules need them ``MERGED``, ``REPLACED``, ``WORDS``, ``FOLLOW``, ``ELSEWHERE``, as there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

FILES = [importlib.import_module(file.stem) for file in sorted(Path(__file__).parent.glob("cases_*.py"))]


def listed(name: str) -> list[Any]:
    return [item for file in FILES for item in getattr(file, name, ())]


def mapped(name: str) -> dict[str, Any]:
    return {key: value for file in FILES for key, value in getattr(file, name, {}).items()}
