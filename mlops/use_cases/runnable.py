"""Whether this machine can run what was opened: told where somebody asks, refused before anything starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

from mlops.account import Here
from mlops.account.local.images.shelf import Shelf
from mlops.check.data_here import Holds, missing_data
from mlops.check.filled import filled
from mlops.check.here import Knows, cannot_run, sure_to_fail, unavoidable
from mlops.check.names_here import missing_names
from mlops.check.packages_here import packages
from mlops.check.selection import listed_codes, read_selection
from mlops.check.sources import Opened
from mlops.ir import Checked, Finding, Listener, Severity
from mlops.knowledge.baselines import Latest
from mlops.knowledge.image_need import Need
from mlops.project.environments import LOCAL, Environment
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.judging import need_sound
from mlops.use_cases.local_datasets import stands
from mlops.use_cases.local_functions import known
from mlops.use_cases.wanted_packages import wanted_packages


def obstacles(
    checked: Checked,
    only: Collection[str] = (),
    knows: Knows | None = None,
    without: Collection[str] = (),
    values: Mapping[str, str] | None = None,
    holds: Holds | None = None,
    latest: Latest | None = None,
    has_secret: Knows | None = None,
    stands: Knows | None = None,
    beside: Iterable[Finding] = (),
) -> tuple[Finding, ...]:
    """Errors where the step is surely reached: one of ``only``, or without these one that no branch holds. Of the
    others is told what comes of them; nothing is of those that do not run (``without``). With ``values`` of parameters,
    what these decide is judged, too. Without ``holds`` nothing is said of missing data, without ``latest`` nothing of
    baselines that are registered, without ``has_secret`` nothing of secrets, without ``stands`` nothing of what stands
    for databases. ``beside`` are more findings of the kind."""
    judged = checked if values is None else filled(checked, values)
    every = [
        *cannot_run(judged, knows, latest, has_secret, stands),
        *(sure_to_fail(judged) if values is not None else ()),
        *(missing_data(checked, judged, holds) if holds is not None else ()),
        *beside,
    ]
    told = (item for item in every if item.step not in without)
    found = [item for item in told if not only or item.step in only]
    surely = (only or unavoidable(checked)) if found else ()
    return tuple(
        replace(item, severity=Severity.ERROR)
        if item.step in surely
        else replace(item, message=f"{item.message}; the execution fails there if it comes to this step")
        for item in found
    )


def need_runnable(
    checked: Checked,
    only: Collection[str],
    listener: Listener,
    knows: Knows,
    without: Collection[str],
    values: Mapping[str, str],
    here: Here | None,
    environment: Environment,
) -> None:
    """Raises Refusal where a step that cannot run here is surely reached; nothing was started then."""
    declared = partial(stands, environment, lambda: here)
    if here is None:
        found = obstacles(checked, only, knows, without, values, stands=declared)
    else:
        judged = filled(checked, values)
        of_packages = wanted_packages(judged, here)
        of_names = missing_names(judged, here.has_one, scripts_may_ask=environment.account_in_steps)
        beside = (*of_packages.missing, *of_names)
        given = (here.holds, here.latest_approved, partial(_has_secret, here), declared, beside)
        found = obstacles(checked, only, knows, without, values, *given)
        runs = (item for item in of_packages.others if item.step not in without)
        found += tuple(item for item in runs if not only or item.step in only)
    if found:
        need_sound(found, listener, doing="run")


def _has_secret(here: Here, id: str) -> bool:
    from mlops.run.secrets import own_stand_in  # few pipelines have any

    return own_stand_in(id) is not None or here.has_secret(id)


def with_obstacles(opened: Opened, *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Opened:
    """With a finding for each step that cannot run here; ``select`` and ``ignore`` are codes."""

    environment = opened.project.environment(LOCAL)

    @cache
    def knows(name: str) -> bool:
        return known(environment, lambda: connect_here(LOCAL, opened.project).account, name)

    def is_built(need: Need) -> bool:
        return environment.state is not None and Shelf(environment.state).find(need) is not None

    declared = partial(stands, environment, lambda: connect_here(LOCAL, opened.project).account.here)
    found = [item for checked in opened.pipelines for item in cannot_run(checked, knows, stands=declared)]
    for checked in opened.pipelines:
        of_packages = packages(checked, is_built)
        found += [*of_packages.missing, *of_packages.others]
    wanted, unwanted = listed_codes("--select", select), listed_codes("--ignore", ignore)
    told = replace(read_selection(opened.root), select=wanted, ignore=unwanted).chosen(found)
    ordered = sorted((*opened.findings, *told), key=lambda item: item.sort_key)
    return replace(opened, findings=tuple(ordered))
