"""Findings as text for people and programs. One file per format, each with a ``render``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol

from mlops.ir import Finding, UsageError
from mlops.ir.discovery import Found, discovered
from mlops.ir.plugins import REPORTS


class Report(Protocol):
    """``files`` is how many were looked at, where somebody knows; ``colour`` says that a terminal shows the text."""

    def __call__(self, findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str: ...


@cache
def formats() -> tuple[str, ...]:
    """Names, of plug-ins too."""
    return tuple(_found())


def report(name: str) -> Report:
    """The renderer of a format; raises :class:`UsageError` for a format that there is not."""
    found = _found().get(name)
    if found is None:
        raise UsageError(f"there is no report format {name!r}", hint=f"choose one of {', '.join(formats())}")
    plugin = found.plugin
    if plugin is None:
        own: Report = found.load().render
        return own
    value = getattr(plugin.value, "render", plugin.value)
    if plugin.broken is not None or not callable(value):
        raise UsageError(f"{plugin.label} does not work: {plugin.broken or 'it names no render'}")
    theirs: Report = value
    return theirs


def _found() -> Mapping[str, Found]:
    from mlops.check import reports

    return discovered(reports, REPORTS)
