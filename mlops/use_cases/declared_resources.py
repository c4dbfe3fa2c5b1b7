"""What files declare beside pipelines: planned, and made so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mlops.account import confirm_identity
from mlops.deploy.declared import apply as applying
from mlops.deploy.declared.apply import Applied
from mlops.deploy.declared.deciding import decide
from mlops.deploy.declared.plan import Plan
from mlops.deploy.declared.seeing import see
from mlops.deploy.declared.wanting import want
from mlops.deploy.shifting.settings import read as read_settings
from mlops.ir import Checked, UsageError
from mlops.use_cases.connecting import Connected
from mlops.use_cases.promote import passed


def plan_resources(declared: Sequence[Checked], connected: Connected) -> tuple[Plan, ...]:
    """A plan for each file; nothing is written."""
    account, environment = connected.account, connected.environment
    settings = read_settings(environment, connected.root)
    wanted = [want(environment, checked, connected.root) for checked in declared]
    names = Counter(item.key for each in wanted for item in (*each.of("endpoint"), *each.kept))
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise UsageError(f"the {twice[0]} is declared twice", hint="an account has one of a name")
    identity = confirm_identity(account, environment)
    return tuple(decide(see(account, each, settings, passed, identity), each, settings) for each in wanted)


def apply_resources(
    plan: Plan, connected: Connected, *, force: bool, listener: applying.Listener, sent: Sequence[str]
) -> Applied:
    settings = read_settings(connected.environment, connected.root)
    return applying.apply(connected.account, plan, settings, force=force, listener=listener, sent=sent)
