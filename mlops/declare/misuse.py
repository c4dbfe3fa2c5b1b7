"""Mistakes in a pipeline file that Python itself does not see: recorded, so that loading can go on.

While :func:`mlops.declare.load.load` reads a file it collects here. Elsewhere (a notebook, a plain ``python``) there is
nobody to collect, so the first mistake is raised as :class:`MisuseError`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field

from mlops.declare.mistakes import MISTAKES
from mlops.declare.source_line import author_line
from mlops.ir import Edit, Finding, MlopsError, Severity, Where
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class _Collected:
    """In their order, and how often each was recorded; a file may have thousands."""

    findings: list[Finding] = field(default_factory=list)
    times: Counter[Finding] = field(default_factory=Counter)
    places: set[Where] = field(default_factory=set)

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.times[finding] += 1
        self.places.add(finding.where)


_collected: ContextVar[_Collected | None] = ContextVar("collected", default=None)

_speaking_of: ContextVar[Where | None] = ContextVar("speaking_of", default=None)

REPEATS_BEFORE_RAISING = 200
"""A loop that tests a reference would otherwise never end."""


class MisuseError(MlopsError):
    """A mistake in a pipeline that is declared outside ``mlops``; ``finding`` has the line and the mend."""

    def __init__(self, finding: Finding) -> None:
        place = f"{finding.where.file}:{finding.where.line}: " if finding.where.file else ""
        super().__init__(place + finding.message, hint=finding.help)
        self.finding = finding


@contextmanager
def collecting() -> Iterator[list[Finding]]:
    """Collect misuses into the list instead of raising the first."""
    collected = _Collected()
    token = _collected.set(collected)
    try:
        yield collected.findings
    finally:
        _collected.reset(token)


def _right_one(code: str) -> str:
    """How it is right, by the example of the mistake's story."""
    return f"e.g. {MISTAKES[code].text.rpartition('Good:')[2].strip()}"


def recorded(finding: Finding) -> None:
    """What was collected for itself, and is to be told after all."""
    collected = _collected.get()
    if collected is None:
        raise MisuseError(finding)
    collected.add(finding)


def is_told_at(where: Where) -> bool:
    """Something was recorded at this line already: what comes out of it is no second mistake."""
    collected = _collected.get()
    return collected is not None and where in collected.places


@contextmanager
def speaking_of(where: Where) -> Iterator[None]:
    """Misuses that show only after the author's code has run stand at ``where``."""
    token = _speaking_of.set(where)
    try:
        yield
    finally:
        _speaking_of.reset(token)


def misuse(
    code: str,
    message: str,
    *,
    help: str | None = None,
    step: str | None = None,
    where: Where | None = None,
    edit: Edit | None = None,
) -> None:
    """Record one of :data:`MISTAKES` at the author's current line, or raise it where nobody collects."""
    help = help or _right_one(code)
    place = where or _speaking_of.get() or author_line()
    name = MISTAKES[code].name
    finding = Finding(code, name, Severity.ERROR, message, help=help, step=step, where=place, edit=edit)
    collected = _collected.get()
    if collected is None:
        raise MisuseError(finding) from None  # what pydantic said before is said in it
    if collected.times[finding] >= REPEATS_BEFORE_RAISING:
        raise MisuseError(finding)
    collected.add(finding)
