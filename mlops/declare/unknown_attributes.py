"""Attributes that things of the language do not have: told with all other mistakes of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from mlops.declare.misuse import MisuseError, misuse
from mlops.declare.slips import near, slip
from mlops.declare.source_line import is_authors, is_machinery
from mlops.ir import Edit

_READS = ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")


class UnknownAttribute(MisuseError, AttributeError):
    """``train.artefact`` where nobody collects."""


class UnknownImport(MisuseError, ImportError):
    """``from mlops import Trainning`` where nobody collects."""


def unknown_attribute(
    name: str,
    message: str,
    *,
    instead: object,
    help: str | None = None,
    step: str | None = None,
    edit: Edit | None = None,
) -> Any:
    """What ``thing.name`` is, for the ``__getattr__`` of a thing: ``instead``, once it is told. Other packages ask for
    attributes too, to see what a thing can do: they hear that it is not there. (So does Python, for names that begin
    with an underscore, also before the thing is made: those never come here.)"""
    by = _instruction()
    if by not in _READS:
        raise AttributeError(message)
    try:
        misuse("D031", message, help=help, step=step, edit=edit)
    except MisuseError as error:
        raise (UnknownImport if by == "IMPORT_FROM" else UnknownAttribute)(error.finding) from None
    return instead


def among(name: str, known: Iterable[str], where: str = "it has") -> tuple[str, Edit | None]:
    """The help, and the mend where it is certain.

    >>> among("defualt", ["default", "choices"])
    ('did you mean default?', Edit(old='defualt', new='default'))
    >>> among("x", ["default", "choices"])[0]
    'it has choices, default'
    """
    listed = sorted(known)
    close = near(name, listed)
    return (f"did you mean {close[0]}?" if close else f"{where} {', '.join(listed)}"), slip(name, listed)


def _instruction() -> str:
    """By which an author's line asks: it says ``thing.name``, or ``from thing import name``; ``hasattr`` is a call."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_machinery(frame.f_code.co_filename):
        frame = frame.f_back
    if not is_authors(frame.f_code.co_filename):
        return ""
    from dis import opname  # only a mistake needs it

    return opname[frame.f_code.co_code[frame.f_lasti]]
