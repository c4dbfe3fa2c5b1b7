"""A target: the names of the steps in the order of running."""

from __future__ import annotations

from mlops.ir import Checked


def emit(checked: Checked) -> str:
    return "".join(f"{name}\n" for name in checked.order)
