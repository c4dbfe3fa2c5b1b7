"""The project and the account that a use case speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops.account import Account, connect
from mlops.account.protected import Protected
from mlops.ir import UsageError
from mlops.project.environments import LOCAL, Environment, read_project
from mlops.project.root import CONFIGURATION, STATE, find_root


@dataclass(frozen=True, slots=True)
class Connected:
    """An environment and its account; ``root`` is the project's folder. An account whose changes want an approval can
    only be looked at until :func:`mlops.use_cases.approval.need_consent` has it."""

    environment: Environment
    account: Account
    root: Path


def connect_here(environment: str, root: Path | None = None) -> Connected:
    """``root`` is the project's, where a TARGET tells it; the working directory's without."""
    folder = root or find_root(Path.cwd())
    if root is None and environment == LOCAL and not any((folder / name).exists() for name in (CONFIGURATION, STATE)):
        raise UsageError(
            f"there is no project in {folder} or above", hint="go to one, or make one with `mlops init DIR`"
        )
    found = read_project(folder).environment(environment)
    account = connect(found)
    return Connected(found, Protected(account, found.name) if found.approval else account, folder)
