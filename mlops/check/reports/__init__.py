"""Findings as text for people and programs. One file per format; each has ``render(findings, …) -> str``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence

from mlops.ir import Finding, UsageError

FORMATS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def report(name: str) -> Callable[[Sequence[Finding]], str]:
    """The renderer of a format; raises :class:`UsageError` for a format that there is not."""
    if name not in FORMATS:
        raise UsageError(f"there is no report format {name!r}", hint=f"choose one of {', '.join(FORMATS)}")
    render: Callable[[Sequence[Finding]], str] = importlib.import_module(f"{__name__}.{name}").render
    return render
