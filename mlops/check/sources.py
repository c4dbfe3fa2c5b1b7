"""What a user points at, opened: a pipeline file, a folder, a definition in JSON, to checked definitions."""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.check import check, step_types, with_wrong_arguments
from mlops.check.beside_its_pipeline import with_feedback
from mlops.check.many import mapped
from mlops.check.may_declare import may_declare
from mlops.check.ports import COMPOSER, Composed, Composer, Lowered
from mlops.check.selection import Selection, listed_codes, read_selection
from mlops.check.target_files import (
    bytes_of,
    files_of,
    is_machine,
    is_ours,
    is_template,
    split,
)
from mlops.check.telling import told_of_file
from mlops.ir import Checked, Definition, Finding, Severity, UsageError, Where
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.pipeline_name import nearest_name
from mlops.ir.reader import locate, read
from mlops.project.root import LOCK, find_root
from mlops.project.self_contained import is_self_contained

if TYPE_CHECKING:
    from mlops.declare.load import Loaded
    from mlops.project.environments import Environment, Project

STANDARD_INPUT = "-"
LOCAL = "local"
"""The environment of no account; see :mod:`mlops.project.environments`, which takes its time to load."""

_CUT_SHORT = frozenset({"D101", "D102", "D107"})
_FOLLOWS = frozenset({"E503", "P409"})
"""Said of a file that ended halfway, these would only follow from that."""

_HOUSE = "H9"
_ASKS_THE_TIME = re.compile(rb"\b(?:datetime|time|uuid)\b")

_Part = tuple[Sequence[Checked], Sequence[Finding]]
"""What one file gives."""


@dataclass(frozen=True, slots=True)
class Opened:
    """``pipelines`` in the order of the targets, and ``resources``, one for each file that declares any; ``findings``
    are all, theirs included; ``files`` were read."""

    pipelines: tuple[Checked, ...]
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    root: Path
    reading: _Reading
    resources: tuple[Checked, ...] = ()
    templates: tuple[str, ...] = ()
    """Files that are templates of CloudFormation; what is found in them is among the findings."""
    machines: tuple[str, ...] = ()
    """Files that are state machines, likewise."""

    @property
    def project(self) -> Project:
        """What the ``mlops.toml`` of ``root`` says, as it was read for the targets. Raises ConfigurationError."""
        return self.reading.project(self.root)


class _Reading:
    """Projects, each read once and not before somebody asks: a definition in JSON needs none."""

    __slots__ = ("_projects",)

    def __init__(self) -> None:
        self._projects: dict[Path, Project] = {}

    def project(self, root: Path) -> Project:
        if root not in self._projects:
            from mlops.project.environments import read_project

            self._projects[root] = read_project(root)
        return self._projects[root]


def open_targets(
    targets: Sequence[str],
    environment: str,
    *,
    definitions: bool = True,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    skip_others: bool = False,
    compose: Composer | None = None,
) -> Opened:
    """Load, lower, order and check; a template of CloudFormation is judged where it is a target itself. Raises
    UsageError for a target that is not there and ConfigurationError for a broken ``mlops.toml`` or ``mlops.lock``. A
    folder's JSON files count only with ``definitions``.

    ``skip_others`` passes over files that declare no pipeline and are no definition. Findings are what ``[check]`` and
    allow comments leave; ``select`` and ``ignore`` are codes that win over both. ``compose`` runs files of the official
    SDK; by default what the package has for it."""
    options = (listed_codes("--select", select), listed_codes("--ignore", ignore))

    def selection(root: Path) -> Selection:
        if root not in selections:
            selections[root] = replace(read_selection(root), select=options[0], ignore=options[1])
        return selections[root]

    selections: dict[Path, Selection] = {}
    reading = _Reading()
    parts: list[_Part] = []
    templates: list[str] = []
    machines: list[str] = []
    waiting: list[tuple[int, Path, Selection]] = []
    files: list[str] = []
    root = Path.cwd()
    for target in targets:
        if target == STANDARD_INPUT:
            parts.append(_read_definition(sys.stdin.buffer.read(), STANDARD_INPUT, selection(root)))
            files.append(STANDARD_INPUT)
            continue
        path, name = split(target)
        if not target or not path.exists():
            raise UsageError(
                f"there is no {target!r}", hint="a target is a pipeline file, a folder or a definition in JSON"
            )
        root = find_root(path.resolve())
        for file in files_of(path, definitions):
            if name is None and str(file) in files:
                continue
            if skip_others and not is_ours(file):
                continue
            files.append(str(file))
            if definitions and path.is_file() and is_template(file):
                templates.append(str(file))
                parts.append(((), _judge_template(file, selection(root))))
            elif definitions and path.is_file() and is_machine(file):
                machines.append(str(file))
                parts.append(((), _judge_machine(file, selection(root))))
            elif file.suffix == ".json":
                waiting.append((len(parts), file, selection(root)))
                parts.append(((), ()))
            else:
                parts.append(_open_program(file, name, environment, selection(root), reading, compose))
    for (index, _, _), part in zip(waiting, mapped(_definition_of, waiting), strict=True):
        parts[index] = part
    pipelines = [
        checked if checked.step_types else replace(checked, step_types=step_types())
        for found, _ in parts
        for checked in found
    ]
    findings = [finding for _, found in parts for finding in found]
    findings.extend(_repeated(pipelines))
    if environment != LOCAL:
        pipelines, more = _for_another_account(pipelines, environment, reading.project(root))
        findings.extend(more)
    ordered = tuple(sorted(dict.fromkeys(findings), key=_by_place))
    resources = tuple(checked for checked in pipelines if checked.definition.of_resources)
    found = tuple(checked for checked in pipelines if not checked.definition.of_resources)
    return Opened(found, ordered, tuple(files), root, reading, resources, tuple(templates), tuple(machines))


def _for_another_account(
    pipelines: Sequence[Checked], environment: str, project: Project
) -> tuple[list[Checked], list[Finding]]:
    """With what names the local account there; nobody can allow that."""
    from mlops.check.local_names import with_local_names

    known = project.environments.get(environment)
    judged: list[Checked] = []
    told: list[Finding] = []
    for checked in pipelines:
        found = [] if known is None else list(with_local_names(checked, known))
        file = next((item.where.file for item in found if item.where.line is None and item.where.file), "")
        if file.endswith(".json"):
            found = list(locate(found, bytes_of(Path(file)).decode("utf-8-sig"), file))
        told.extend(found)
        both = tuple(sorted((*checked.findings, *found), key=_by_place))
        judged.append(replace(checked, findings=both) if found else checked)
    return judged, told


_Place = tuple[str, int, int, str, str, str]


def _by_place(finding: Finding) -> _Place:
    return finding.sort_key


def _repeated(pipelines: Sequence[Checked]) -> Iterator[Finding]:
    """Pipelines of the DSL that would overwrite each other in an account."""
    from mlops.declare.mistakes import MISTAKES

    first: dict[str, Where] = {}
    for checked in pipelines:
        name, where = checked.definition.name, checked.definition.where
        if name is None or where.line is None or checked.definition.of_resources:
            continue
        if name in first:
            other = first[name]
            yield Finding(
                "D104",
                MISTAKES["D104"].name,
                Severity.ERROR,
                f"the pipeline {name} is declared twice, first at {_from_here(other.file or '')}:{other.line}",
                help="give one of them another name",
                where=where,
            )
        first.setdefault(name, where)


def open_one(target: str, environment: str) -> Opened:
    """The same where a command needs exactly one pipeline; an error among the findings may leave none."""
    opened = open_targets([target], environment, definitions=False)
    need_pipeline(opened, target)
    return _need_one(opened, target)


def open_resources(target: str, environment: str) -> Opened:
    """The same where a file that declares resources, and no pipeline, is taken too."""
    return _need_one(open_targets([target], environment, definitions=False), target)


def _need_one(opened: Opened, target: str) -> Opened:
    if len(opened.pipelines) > 1:
        listed = ", ".join(
            f"{_from_here(checked.definition.where.file or target)}:{checked.definition.name}"
            for checked in opened.pipelines
        )
        raise UsageError(
            f"{target} has {len(opened.pipelines)} pipelines and one is needed", hint=f"choose one: {listed}"
        )
    return opened


def need_pipeline(opened: Opened, target: str) -> None:
    """Raises UsageError where resources are declared and no pipeline is."""
    if opened.resources and not opened.pipelines:
        raise UsageError(
            f"{target} declares resources and no pipeline, which is needed here",
            hint="`mlops check`, `mlops plan` and `mlops upsert` take resources",
        )


def _from_here(file: str) -> str:
    """As short as it can be typed in the working directory."""
    path = Path(file)
    return (path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path).as_posix()


def _judge_machine(file: Path, selection: Selection) -> Sequence[Finding]:
    from mlops.check.machines.judging import judge

    return selection.chosen(judge(bytes_of(file), str(file.resolve())))


def _judge_template(file: Path, selection: Selection) -> Sequence[Finding]:
    from mlops.check.templates.judging import judge

    return selection.chosen(judge(bytes_of(file), str(file.resolve())))


def _definition_of(job: tuple[int, Path, Selection]) -> _Part:
    """Without step types, which need not travel between processes with every definition."""
    _, file, selection = job
    pipelines, findings = _read_definition(bytes_of(file), str(file.resolve()), selection)
    return [replace(checked, step_types={}) for checked in pipelines], findings


def _read_definition(content: bytes, file: str, selection: Selection) -> _Part:
    definition, problems = read(content, file)
    if definition is None:
        return (), problems
    if not problems and not definition.steps and "Version" not in definition.members:
        from mlops.check.requests import findings_of_request  # hardly ever is it one

        text = content.decode("utf-8-sig")
        found = findings_of_request(json.loads(text), file)
        if found is not None:
            return (), tuple(locate(selection.chosen(found), text, file))
    if file != STANDARD_INPUT:
        definition = replace(definition, name=nearest_name(Path(file).stem))
    checked = check(definition, findings=problems)
    located = tuple(locate(selection.chosen(checked.findings), content.decode("utf-8-sig"), file))
    return [replace(checked, findings=located)], located


def _no_pipeline(file: Path) -> Finding:
    """A step's script, say, which is not run as if it were one."""
    from mlops.declare.mistakes import MISTAKES

    return Finding(
        "D103",
        MISTAKES["D103"].name,
        Severity.ERROR,
        "no pipeline is declared here, so the file was not run",
        help="give the file that declares one; a step's script is run by the pipeline that names it in code=",
        where=Where(str(file), 1),
    )


def _open_program(
    file: Path,
    name: str | None,
    environment_name: str,
    selection: Selection,
    reading: _Reading,
    compose: Composer | None,
) -> _Part:
    """A Python file or a notebook. What can do nothing but declare runs here; everything else where it is closed in,
    and so does what turns out to do more."""
    file = file.resolve()  # before the author's code, which may change the working directory
    root = find_root(file)
    if file.suffix == ".py" and not may_declare(file, root):
        return (), selection.chosen((_no_pipeline(file),))
    project = reading.project(root)
    environment = project.environment(environment_name)
    others = [other for other in project.environments.values() if not other.is_local] if environment.is_local else []
    loaded = loaded_here(file, root, project.time_limit)
    if loaded is not None:

        def lowered_again(other: Environment) -> Sequence[Lowered]:
            return _lowered(loaded, file, other, root)

        lowered = lowered_again(environment)
        theirs = with_feedback(lowered, environment)
        told = [*loaded.findings, *_of_the_clock(file, lowered)]
        return _declared(file, name, theirs, told, selection, _Elsewhere(others, lowered_again))
    composer = compose or COMPOSER.get()
    composed = composer(file, name, environment, root)
    if not composed.declared:
        return _of_the_sdk(composed, selection)

    def composed_again(other: Environment) -> Sequence[Lowered]:
        return composer(file, name, other, root).definitions

    elsewhere = _Elsewhere(others, composed_again)
    theirs = with_feedback(composed.definitions, environment)
    return _declared(file, name, theirs, composed.findings, selection, elsewhere)


def loaded_here(file: Path, root: Path, seconds: float) -> Loaded | None:
    """What a file declares that can do nothing else. None for one that has to be closed in; then nothing of it was
    done."""
    if not is_self_contained(file, root):
        return None
    # A definition in JSON needs neither the DSL nor the project's configuration.
    from mlops.declare.load import load
    from mlops.declare.reaching_out import ReachesOut

    try:
        return load(file, seconds)
    except ReachesOut:
        return None


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The accounts that a pipeline may go to, where it is compiled for none of them now."""

    others: Sequence[Environment]
    lowered: Callable[[Environment], Sequence[Lowered]]

    def decides(self, checked: Checked) -> frozenset[Finding]:
        """What the house says of it, and not of every account that it may go to."""
        if not self.others or not any(finding.code.startswith(_HOUSE) for finding in checked.findings):
            return frozenset()
        from mlops.check.house_elsewhere import mended_elsewhere

        def compiled(other: Environment) -> Definition:
            definitions = (item.definition for item in self.lowered(other))
            mine = (checked.definition.name, checked.definition.of_resources)
            return next((each for each in definitions if (each.name, each.of_resources) == mine), checked.definition)

        return mended_elsewhere(checked.findings, self.others, compiled)


def _of_the_sdk(composed: Composed, selection: Selection) -> _Part:
    """Its steps keep the order that the SDK gave them."""
    found: list[Checked] = []
    for item in composed.definitions:
        checked = check(item.definition, findings=(*composed.findings, *item.findings))
        found.append(replace(checked, findings=tuple(selection.chosen(checked.findings))))
    told = [finding for checked in found for finding in checked.findings]
    return found, [*selection.chosen(composed.findings), *told]


def _of_the_clock(file: Path, lowered: Sequence[Lowered]) -> Sequence[Finding]:
    if not _ASKS_THE_TIME.search(file.read_bytes()):
        return ()
    from mlops.declare.clock import OURS, clock_findings, held_by  # few files ask for it

    return tuple(clock_findings(file, [held_by(item.definition) for item in lowered], OURS))


def _lowered(loaded: Loaded, file: Path, environment: Environment, root: Path) -> list[Lowered]:
    from mlops.check.lowering import lowered, lowered_resources
    from mlops.project import lock

    pinned, folders = lock.read(root / LOCK), (file.parent, root)
    found = [Lowered(*lowered(pipeline, environment, pinned, folders)) for pipeline in loaded.pipelines]
    if loaded.resources:
        found.append(Lowered(*lowered_resources(loaded.resources, file, environment, pinned, folders)))
    return found


def _declared(
    file: Path,
    name: str | None,
    lowered: Sequence[Lowered],
    of_file: Sequence[Finding],
    selection: Selection,
    elsewhere: _Elsewhere,
) -> _Part:
    """Pipelines of our own language; ``of_file`` is what was found in the file."""
    named = [item.definition.name or "" for item in lowered if not item.definition.of_resources]
    if name is not None and named and name not in named:
        raise UsageError(f"{file} has no pipeline {name!r}{instead(name, named, 'it has')}")
    cut_short = any(finding.code in _CUT_SHORT for finding in of_file)
    # A file may hold hundreds of pipelines and thousands of mistakes: those of the file are judged once, not with each.
    wrong, known = with_wrong_arguments(of_file), frozenset(of_file)
    found: list[Checked] = []
    for item in lowered:
        if name is not None and (name != item.definition.name or item.definition.of_resources):
            continue
        if item.definition.of_resources:
            from mlops.check.resources import check_resources  # few files declare any

            checked = check_resources(item.definition, findings=item.findings, wrong_arguments=wrong)
        else:
            checked = check(item.definition, findings=item.findings, wrong_arguments=wrong)
        own = (finding for finding in checked.findings if finding not in known)
        found.append(
            replace(checked, findings=tuple(item for item in own if not cut_short or item.code not in _FOLLOWS))
        )
    told_here = (of_file if found else (), *(checked.findings for checked in found))
    misused = any(item.code.startswith("D") for items in told_here for item in items)
    whole = name is None and not cut_short and not misused
    told, of_comments = told_of_file(file, of_file, found, selection, whole=whole)
    findings_of_file = sorted((told[item] for item in dict.fromkeys(of_file) if item in told), key=_by_place)
    findings = [*of_comments, *findings_of_file]
    places = [_by_place(finding) for finding in findings_of_file]
    pipelines: list[Checked] = []
    for checked in found:
        decided = elsewhere.decides(checked)
        left = (told[item] for item in checked.findings if item in told and item not in decided)
        ordered = sorted(left, key=_by_place)
        findings.extend(ordered)
        pipelines.append(replace(checked, findings=_between(findings_of_file, places, ordered)))
    return pipelines, findings


def _between(of_file: Sequence[Finding], places: Sequence[_Place], own: Sequence[Finding]) -> tuple[Finding, ...]:
    """All in one order. Both are in it; ``places`` are those of ``of_file``."""
    merged = list(of_file)
    for finding in reversed(own):
        merged.insert(bisect_right(places, _by_place(finding)), finding)
    return tuple(merged)
