"""What only the local account can do: say why a step ran, open a step, forget old executions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from mlops.account.local import LocalAccount
from mlops.account.local.upkeep import pruning
from mlops.account.local.upkeep.cache_reasons import Explanation
from mlops.account.local.upkeep.cache_reasons import explain as reasons
from mlops.account.local.upkeep.opening import open_step as opened
from mlops.deploy.executions.following import find
from mlops.ir import Listener
from mlops.project.environments import LOCAL
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.news import Said


def explain_cache(step: str, execution: str | None) -> Explanation:
    """Why the step ran in an execution, or whose result served."""
    account = _account()
    return reasons(account.state, find(account, execution).rpartition("/")[2], step)


def open_step(step: str, execution: str, command: Sequence[str], listener: Listener) -> int:
    """A shell, or ``command``, where the step ran; its exit code."""
    account = _account()
    chosen = find(account, execution).rpartition("/")[2]
    return opened(account.state, chosen, step, command, lambda text: listener(Said(text=text)))


def prune(keep: int, older_than: timedelta | None = None, *, doing: bool) -> pruning.Pruning:
    """All but the newest ``keep`` executions of each pipeline, of them only what is older; told without ``doing``."""
    state = _account().state
    found = pruning.plan(state, keep=keep, older_than=older_than)
    return pruning.prune(state, found) if doing else found


def _account() -> LocalAccount:
    account = connect_here(LOCAL).account
    if not isinstance(account, LocalAccount):
        raise TypeError(f"{LOCAL} is {type(account).__name__}")
    return account
