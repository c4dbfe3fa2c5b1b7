"""Make an account's pipeline what the source says: plan and apply in one."""

from __future__ import annotations

import time
from collections.abc import Callable

from mlops.account import Account
from mlops.deploy.pipelines.actions import Action, Upload
from mlops.deploy.pipelines.apply import Applied, Listener, apply
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.record import Beaten
from mlops.ir import Checked
from mlops.project.environments import Environment

TURN_SECONDS = 15.0
"""Longer than an upsert under way takes between its record and its pipeline; then it was cut off."""
PATIENCE_SECONDS = 60.0
"""How long one goes on that others are always faster than."""
_PAUSE_SECONDS = 0.1


def upsert(
    account: Account,
    environment: Environment,
    checked: Checked,
    *,
    uploaded: Callable[[str], None] = lambda uri: None,
    suffix: str | None = None,
    force: bool = False,
) -> Applied:
    """``checked`` has no errors. ``uploaded`` hears of each asset object that was sent. With ``force`` the last of
    several at once wins, each after the other; without it all but one are told
    (:class:`~mlops.deploy.pipelines.record.Beaten`).
    """

    def done(action: Action) -> None:
        if isinstance(action, Upload):
            uploaded(action.item.uri)

    begun = time.monotonic()
    deadline: float | None = None
    while True:
        planned = plan(account, environment, checked, suffix=suffix)
        other = planned.unfinished
        # By the account's clock, and by ours: that of an account may stand still, or be wrong by hours.
        turn = other is not None and other.seconds < TURN_SECONDS and time.monotonic() - begun < TURN_SECONDS
        if force and other is not None and not other.dead and turn:
            time.sleep(_PAUSE_SECONDS)
            continue
        try:
            return apply(account, environment, planned, force=force, listener=Listener(done))
        except Beaten:
            deadline = deadline or time.monotonic() + PATIENCE_SECONDS
            if not force or time.monotonic() > deadline:
                raise
            begun = time.monotonic()
        time.sleep(_PAUSE_SECONDS)
