"""A version as the shadow of what an endpoint serves: begun, changed, and ended as somebody wants it."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.account import answers, confirm_identity
from mlops.deploy.endpoints import history, shadow_tests
from mlops.deploy.endpoints.gating import need_open, told_before
from mlops.deploy.endpoints.promotion import Target
from mlops.deploy.endpoints.shadow_tests import Ending, Plan, Trial, Wish
from mlops.deploy.models.registry import newest_approved, version
from mlops.deploy.shifting import seeing
from mlops.ir import Listener, unheard
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.news import Said
from mlops.use_cases.promote import Promotion, gates_of
from mlops.use_cases.sharing import shared

_DOING: Mapping[Ending, str] = {
    "Promote": "promote the shadow of",
    "Remove": "remove the shadow of",
    "Retain": "end the shadow test of",
}


@dataclass(frozen=True, slots=True)
class Started:
    """``trial`` is None where it was only planned."""

    plan: Plan
    trial: Trial | None = None


def start(
    environment: str,
    endpoint: str,
    group: str,
    wish: Wish,
    *,
    number: int | None = None,
    only_plan: bool = False,
    reason: str | None = None,
    timeout: float = shadow_tests.TIMEOUT,
    listener: Listener = unheard,
    consent: Consent = NOBODY,
) -> Started:
    """``number`` is the version, the newest approved one without. One that is under way is changed to what is
    wished."""
    connected = connect_here(environment)
    account, own = connected.account, connected.environment
    chosen = newest_approved(account, group, (), own) if number is None else version(account, group, number)
    plan = shadow_tests.plan_start(account, own, chosen, endpoint, wish)
    if only_plan:
        return Started(plan)
    _permit(connected, plan, f"have version {plan.version} of {group} as the shadow of {endpoint}", consent)
    by = _who(connected)
    trial = shadow_tests.start(
        account, own, plan, by=by, reason=hide(reason), timeout=timeout, say=lambda text: listener(Said(text=text))
    )
    return Started(plan, trial)


def stop(
    environment: str,
    endpoint: str,
    ending: Ending,
    *,
    only_plan: bool = False,
    reason: str | None = None,
    timeout: float = shadow_tests.TIMEOUT,
    listener: Listener = unheard,
    consent: Consent = NOBODY,
) -> Started:
    """A shadow that is to be promoted passes the gates of the environment, as by ``mlops promote``."""
    connected = connect_here(environment)
    account, own = connected.account, connected.environment
    plan = shadow_tests.plan_stop(account, own, endpoint, ending, hide(reason))
    if plan.calls and ending == "Promote" and plan.version != history.DECLARED:
        request = Promotion(plan.group, environment, Target(endpoint), plan.version)
        found = gates_of(request)
        for line in told_before(found):
            listener(Said(text=line))
        need_open(found, version(account, plan.group, plan.version))
    if only_plan:
        return Started(plan)
    if plan.calls:
        _permit(connected, plan, f"{_DOING[ending]} {endpoint}", consent)
    with answers():
        there = seeing.see(account.client("sagemaker"), endpoint)
    ended = shadow_tests.stop(
        account,
        own,
        plan,
        there.config if there is not None else None,
        by=_who(connected),
        reason=hide(reason),
        timeout=timeout,
        say=lambda text: listener(Said(text=text)),
    )
    return Started(plan, ended)


def _permit(connected: Connected, plan: Plan, doing: str, consent: Consent) -> None:
    if plan.calls:
        need_consent(connected, doing, consent, shared=shared(connected, (plan.endpoint,), plan.group))


def _who(connected: Connected) -> str:
    with answers():
        return confirm_identity(connected.account, connected.environment).arn
