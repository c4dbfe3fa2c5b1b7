"""The project and the account that a command without a TARGET speaks of: those of the working directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.project.root import find_root

if TYPE_CHECKING:
    from mlops.account import Account
    from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Connected:
    """An environment and its account."""

    environment: Environment
    account: Account


def connect_here(environment: str, root: Path | None = None) -> Connected:
    """``root`` is the project's, where the command has a TARGET that tells it."""
    from mlops.account import connect
    from mlops.project.environments import read_project

    found = read_project(root or find_root(Path.cwd())).environment(environment)
    return Connected(found, connect(found))
