"""What an emit target is: another form of a checked pipeline, as text.

A module of ``mlops/emit/targets/`` has a ``TARGET``, and the command ``mlops emit <module's name>`` is there. A plug-in
names a target too, or just a function of a checked pipeline to text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlops.ir.checked import Checked
from mlops.ir.definition import Definition
from mlops.ir.fields import Constructor
from mlops.ir.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Language:
    """The language of pipeline files, for targets that write one; emit cannot reach it by itself.

    ``compile`` runs a program in an environment that adds nothing: a definition, or None and the lines where it has
    mistakes."""

    compile: Callable[[str], tuple[Definition | None, Sequence[int]]]
    constructors: Callable[[], Sequence[Constructor]]


@dataclass(frozen=True, slots=True)
class Source:
    """What a target is given. ``around`` reads what lies around the pipeline in its environment, for those that ask:
    it raises ConfigurationError where there is no such environment. ``bucket`` is the one that the file looked up in
    the local account, where it looked: a program that serves other environments too does not name it."""

    checked: Checked
    around: Callable[[], Surroundings]
    language: Language
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """``help`` is what the command line says of it: a sentence about TARGET, the file that is emitted."""

    help: str
    write: Callable[[Source], str]
