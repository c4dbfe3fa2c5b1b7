"""How images run on this machine: told, and virtual environments for them built and removed."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from mlops.account.local.images.building import ImageNotBuilt, build
from mlops.account.local.images.shelf import Kept, Shelf
from mlops.check.here import cannot_run
from mlops.check.image_needs import ImageNeed, image_needs
from mlops.check.sources import open_targets
from mlops.ir import Checked, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_text
from mlops.knowledge.image_need import Need
from mlops.knowledge.requirements import lacking, lines
from mlops.project.environments import LOCAL, read_project
from mlops.project.root import find_root
from mlops.use_cases.targets import project_target

How: TypeAlias = Literal["python", "environment", "own", "nothing", "later"]


@dataclass(frozen=True, slots=True)
class Shown:
    """An image as some steps name it, with what the environment for it is made of, where one can be.

    ``how``: by this Python as it is; in the environment with that ``id``, which may still have to be built; by an
    implementation of mlops; by nothing; or it is known in the execution alone. ``runs_with`` tells that for people,
    ``differs`` what is then not as in the image, or missing."""

    image: str | None
    steps: tuple[str, ...]
    how: How
    runs_with: str
    differs: tuple[str, ...] = ()
    id: str | None = None
    is_built: bool = False
    need: Need | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """``folder`` is None where it could not be made, for the reason ``failure``."""

    id: str
    title: str
    folder: Path | None
    python: str = ""
    told: tuple[str, ...] = ()
    failure: ImageNotBuilt | None = None


def listed(targets: Sequence[str]) -> tuple[Shown, ...]:
    """Of the pipelines in ``targets``, of all of the project without, and of what runs have wanted since. Raises
    UsageError."""
    return _listed(targets)[1]


def _listed(targets: Sequence[str]) -> tuple[Shelf, tuple[Shown, ...]]:
    """With the shelf of the project that they are of."""
    opened = open_targets(targets or (project_target(),), LOCAL, skip_others=True)
    shelf = _shelf(opened.root)
    found: dict[tuple[object, ...], Shown] = {}
    for checked in opened.pipelines:
        for shown in _of_pipeline(checked, shelf):
            key = (shown.image, shown.how, shown.id, shown.runs_with)
            before = found.get(key)
            steps = (*(before.steps if before is not None else ()), *shown.steps)
            found[key] = _with_steps(shown, steps)
    named = {shown.id for shown in found.values()}
    beside = [_of_shelf(kept) for kept in shelf.all() if not targets and kept.need.id not in named]
    return shelf, (*found.values(), *beside)


def build_all(
    targets: Sequence[str], began: Callable[[Shown], None], tell: Callable[[str], None], line: Callable[[str], None]
) -> Iterator[Made]:
    """What this Python does not meet, each once; one that cannot be made keeps no other from it."""
    shelf, shown = _listed(targets)
    wanted = {item.id: item for item in shown if item.how == "environment" and not item.is_built}
    for id, item in wanted.items():
        if item.need is None or id is None:
            continue
        began(item)
        try:
            built = build(shelf, item.need, tell, line)
        except ImageNotBuilt as error:
            yield Made(id, item.need.title, None, failure=error)
        else:
            yield Made(id, item.need.title, shelf.place(item.need), built.version, built.told)


def remove(ids: Sequence[str], *, every: bool) -> tuple[str, ...]:
    """The ids of what has gone. Raises UsageError."""
    if bool(ids) == every:
        raise UsageError("give the IDs of environments, or --all", hint="`mlops local images list` has them")
    shelf = _shelf(Path.cwd())
    there = {kept.need.id: kept for kept in shelf.all()}
    for id in ids:
        if id not in there:
            raise UsageError(f"there is no environment {id}{instead(id, [*there])}")
    chosen = [there[id] for id in dict.fromkeys(ids)] if ids else [*there.values()]
    for kept in chosen:
        if not shelf.remove(kept):
            raise UsageError(f"{kept.need.id} is being built at this moment", hint="wait for it")
    return tuple(kept.need.id for kept in chosen)


def _shelf(inside: Path) -> Shelf:
    state = read_project(find_root(inside)).environment(LOCAL).state
    if state is None:
        raise UsageError("the environment local is no account of this machine")
    return Shelf(state)


def _of_pipeline(checked: Checked, shelf: Shelf) -> Iterator[Shown]:
    obstacles = [item for item in cannot_run(checked) if item.path is not None]
    for item in image_needs(checked):
        container = item.at.rpartition("/")[0]
        steps = (f"{checked.definition.name}/{item.placed.step.name}",)
        why = tuple(found.message for found in obstacles if str(found.path).startswith(container))
        if why:
            yield Shown(item.image, steps, "nothing", "nothing", why)
        else:
            yield _of_need(item, steps, shelf)


def _of_need(item: ImageNeed, steps: tuple[str, ...], shelf: Shelf) -> Shown:
    if item.image is None:
        return Shown(None, steps, "later", "known when it runs")
    if item.own is not None:
        return Shown(item.image, steps, "own", item.own)
    wanted = item.need
    if wanted is None:
        return Shown(item.image, steps, "python", _this_python())
    built = next((kept.built for kept in shelf.all() if kept.need.id == wanted.id and kept.built is not None), None)
    if built is not None:
        made = f"environment {wanted.id}, Python {built.version}"
        return Shown(item.image, steps, "environment", made, built.told, wanted.id, True, wanted)
    other = differing(wanted)
    if not other:
        return Shown(item.image, steps, "python", _this_python())
    return Shown(
        item.image,
        steps,
        "environment",
        f"{_this_python()} until {wanted.id} is built",
        other,
        wanted.id,
        False,
        wanted,
    )


def differing(wanted: Need) -> tuple[str, ...]:
    """What this Python has not as it is wanted, for people."""
    found = lacking((*wanted.packages, *lines(wanted.requirements)))
    return tuple(hide_text(f"{line} ({there})") for line, there in found.items())


def _of_shelf(kept: Kept) -> Shown:
    built = kept.built
    if built is None:
        return Shown(None, (), "environment", "wanted by a run", differing(kept.need), kept.need.id, False, kept.need)
    made = f"environment {kept.need.id}, Python {built.version}"
    return Shown(None, (), "environment", made, built.told, kept.need.id, True, kept.need)


def _with_steps(shown: Shown, steps: tuple[str, ...]) -> Shown:
    from dataclasses import replace

    return replace(shown, steps=tuple(dict.fromkeys(steps)))


def _this_python() -> str:
    return f"this Python, {platform.python_version()}"
