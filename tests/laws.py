"""Laws are tested by generated examples: by few with every change, by many when the judge of the laws is asked."""

from __future__ import annotations

import os

import pytest

_TIMES = int(os.environ.get("MLOPS_EXAMPLES_TIMES", "1"))


def examples(few: int) -> int:
    return few * _TIMES


def is_law(item: pytest.Item) -> bool:
    """Does hypothesis give it its arguments?"""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
