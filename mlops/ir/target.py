"""What an emit target is: another form of a checked pipeline, as text.

A module of ``mlops/emit/targets/`` has a ``TARGET``, and the command ``mlops emit <module's name>`` is there. A plug-in
names a target too, or just a function of a checked pipeline to text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from mlops.ir.captured_fields import Features
from mlops.ir.checked import Checked
from mlops.ir.dataclass import dataclass
from mlops.ir.definition import Definition
from mlops.ir.fields import Constructor
from mlops.ir.log_fields import Source as LogSource
from mlops.ir.promoted import Promoted
from mlops.ir.resource import Resource, ResourceType
from mlops.ir.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Language:
    """The language of pipeline files, for targets that write one; emit cannot reach it by itself.

    ``compile`` runs a program in an environment that adds nothing: a definition, or None and the lines where it has
    mistakes."""

    compile: Callable[[str], tuple[Definition | None, Sequence[int]]]
    constructors: Callable[[], Sequence[Constructor]]


@dataclass(frozen=True, slots=True)
class Beside:
    """What an upsert brings beside the pipeline: what starts it, and what its file declares, also as it was checked.
    ``types`` are by the word that a resource has; ``guarded`` gives the DeploymentConfig of an endpoint by its
    configuration, empty where all traffic goes at once, and raises UsageError where the guardrails cannot do what the
    environment wants. ``promoted`` gives what is declared of the promotion of a group, of the only one without a name;
    it raises UsageError for what cannot be told of it. ``logs`` and ``captured`` are what the environment puts into its
    OpenSearch beside events."""

    starts: tuple[Resource, ...]
    declared: tuple[Resource, ...]
    files: tuple[Checked, ...]
    types: Mapping[str, ResourceType]
    guarded: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    promoted: Callable[[str | None], Promoted]
    logs: Sequence[LogSource] = ()
    captured: Features = field(default_factory=dict)

    def with_declared(self, checked: Checked) -> tuple[Checked, ...]:
        """The pipeline, and what its file declares: one role is what all of it runs as."""
        return tuple({id(each): each for each in (checked, *self.files)}.values())


@dataclass(frozen=True, slots=True)
class Source:
    """What a target is given. ``around`` reads what lies around the pipeline in its environment, for those that ask:
    it raises ConfigurationError where there is no such environment; ``beside`` reads what is upserted with it.
    ``bucket`` is the one that the file looked up in the local account, where it looked: a program that serves other
    environments too does not name it. ``chosen`` is a value of the target's ``choice``, ``further`` what its further
    option was given: empty where that was nothing, None where nobody gave the option."""

    checked: Checked
    around: Callable[[], Surroundings]
    beside: Callable[[], Beside]
    language: Language
    bucket: str | None = None
    chosen: str | None = None
    further: str | None = None
    part: int | None = None
    """Which of several, from 1 on, of a target that is divided."""
    apart: bool = False
    """Whether what may lie in files of its own does."""


@dataclass(frozen=True, slots=True)
class Further:
    """An option of a target whose value, a ``metavar``, may be left out."""

    option: str
    metavar: str
    help: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a target: ``values``, the first by default; ``help`` is a sentence about it."""

    option: str
    values: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class Parts:
    """An option of a target that may be too large for one: its value is the number of a part."""

    option: str
    help: str


@dataclass(frozen=True, slots=True)
class Apart:
    """An option of a target whose text may name files of its own: its value is the folder for them. ``files`` are texts
    by names."""

    option: str
    help: str
    files: Callable[[Source], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Compared:
    """What is there beside what is needed, an action with its place each: what is ``missing``, what is allowed under a
    condition only, and what nothing needs."""

    missing: tuple[str, ...]
    conditional: tuple[str, ...]
    excess: tuple[str, ...]


def nothing(source: Source) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Target:
    """``help`` is what the command line says of it: a sentence about TARGET, the file that is emitted.

    - ``choice``: what else may be chosen; ``further``: what may be asked for in its place; ``parts``: how
      one of several is; ``apart``: how all of several are, in files beside the text.
    - ``of_an_account``: it says what is in an account, so the local environment has none of it.
    - ``of_resources``: it takes a file too that declares what serves, and no pipeline.
    - ``notes``: what is to be known of what it writes, a clause each.
    - ``compare``: with what is there already, parsed JSON.
    """

    help: str
    write: Callable[[Source], str]
    choice: Choice | None = None
    of_an_account: bool = False
    of_resources: bool = False
    notes: Callable[[Source], Iterable[str]] = nothing
    compare: Callable[[Source, Any], Compared] | None = None
    further: Further | None = None
    parts: Parts | None = None
    apart: Apart | None = None
