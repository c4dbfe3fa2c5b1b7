"""What only the local account can do: say why a step ran, open a step, forget old executions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from mlops.account import Account, Here
from mlops.account.local import reserve
from mlops.account.local.upkeep.cache_reasons import Explanation
from mlops.account.local.upkeep.pruning import Pruning
from mlops.deploy.executions.following import find
from mlops.ir import Listener, UsageError
from mlops.project.environments import LOCAL, read_project
from mlops.project.root import find_root
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.news import Said


def explain_cache(step: str, execution: str | None) -> Explanation:
    """Why the step ran in an execution, or whose result served."""
    account, here = _account()
    return here.explain_cache(find(account, execution).rpartition("/")[2], step)


def open_step(
    step: str,
    execution: str,
    command: Sequence[str],
    listener: Listener,
    *,
    environment: str = LOCAL,
    debug: bool = False,
) -> int:
    """A shell, or ``command``, or with ``debug`` the step's own under the debugger, where the step ran; its exit code.
    Raises UsageError for an environment whose steps run elsewhere."""
    if debug and command:
        raise UsageError("--debug runs the step's own command, and takes none", hint="leave out what is behind `--`")
    if environment != LOCAL:
        raise UsageError(
            f"steps of {environment} run on its machines; only those of the local account can be opened",
            hint=f"`mlops run --only {step} --from {execution} --from-env {environment}` runs it here, on copies of "
            "what it read; then open it",
        )
    account, here = _account()
    chosen = find(account, execution).rpartition("/")[2]
    return here.open_step(chosen, step, command, lambda text: listener(Said(text=text)), debug=debug)


def prune(keep: int, older_than: timedelta | None = None, *, doing: bool) -> Pruning:
    """All but the newest ``keep`` executions of each pipeline, of them only what is older; told without ``doing``.
    Works on a full disk too, where the account could not even be opened."""
    state = read_project(find_root(Path.cwd())).environment(LOCAL).state
    if state is not None:
        reserve.give_back_if_full(state)
    _, here = _account()
    found = here.plan_pruning(keep, older_than)
    return here.prune(found) if doing else found


def _account() -> tuple[Account, Here]:
    connected = connect_here(LOCAL)
    here = connected.account.here
    if here is None:
        raise UsageError(f"executions of {connected.environment.name} do not run on this machine")
    return connected.account, here
