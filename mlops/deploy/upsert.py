"""Make an account's pipeline what the source says: plan and apply in one."""

from __future__ import annotations

from collections.abc import Callable

from mlops.account import Account
from mlops.deploy.apply import Applied, Listener, apply
from mlops.deploy.plan import Action, Upload, plan
from mlops.ir import Checked
from mlops.project.environments import Environment


def upsert(
    account: Account,
    environment: Environment,
    checked: Checked,
    *,
    uploaded: Callable[[str], None] = lambda uri: None,
    suffix: str | None = None,
    force: bool = False,
) -> Applied:
    """``checked`` has no errors. ``uploaded`` hears of each asset object that was sent."""

    def done(action: Action) -> None:
        if isinstance(action, Upload):
            uploaded(action.item.uri)

    planned = plan(account, environment, checked, suffix=suffix)
    return apply(account, environment, planned, force=force, listener=Listener(done))
