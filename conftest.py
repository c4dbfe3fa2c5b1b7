"""Doctests are collected from everywhere; what has no example in it is not loaded to find that out."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent / "mlops"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    if collection_path.suffix == ".py" and collection_path.is_relative_to(PACKAGE):
        return ">>>" not in collection_path.read_text(encoding="utf-8") or None
    return None
