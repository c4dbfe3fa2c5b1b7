"""The project and the account that a use case speaks of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from mlops.account import Account, connect
from mlops.account.protected import Protected
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.environments import LOCAL, Environment, Project, read_project
from mlops.project.root import CONFIGURATION, STATE, find_root


@dataclass(frozen=True, slots=True)
class Connected:
    """An environment and its account; ``root`` is the project's folder. An account whose changes want an approval can
    only be looked at until :func:`mlops.use_cases.approval.need_consent` has it."""

    environment: Environment
    account: Account
    root: Path


Where: TypeAlias = str | Connected
"""An environment by its name, or one that is connected already."""


def connect_here(environment: Where, project: Project | Path | None = None, *, user: str | None = None) -> Connected:
    """``project`` is that of a TARGET, or its root; the working directory's without. ``user`` is who calls the local
    account; any other knows that by its credentials. One that is connected stays as it is."""
    if isinstance(environment, Connected):
        return environment
    folder = project.root if isinstance(project, Project) else project or find_root(Path.cwd())
    if (
        project is None
        and environment == LOCAL
        and not any((folder / name).exists() for name in (CONFIGURATION, STATE))
    ):
        raise UsageError(
            f"there is no project in {folder} or above", hint="go to one, or make one with `mlops init DIR`"
        )
    found = (project if isinstance(project, Project) else read_project(folder)).environment(environment)
    if user is not None and not found.is_local:
        raise UsageError(
            f"who calls {found.name} is known by the credentials, and is not {user} because that is said",
            hint="log in as that person; --user is for the local account",
        )
    account = connect(found, user)
    return Connected(found, Protected(account, found.name) if found.approval else account, folder)


def in_region(connected: Connected, region: str) -> Account:
    """The same account in another region, to be looked at."""
    if connected.account.region == region:
        return connected.account
    elsewhere = replace(connected.environment, region=region)
    return Protected(connect(elsewhere), elsewhere.name)
