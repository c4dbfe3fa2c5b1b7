"""Clean an account of endpoints that nobody uses and of models and configurations that nothing needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mlops.account import answers, confirm_identity
from mlops.deploy.collecting.deciding import Removal, decide, unsure
from mlops.deploy.collecting.removing import remove
from mlops.deploy.collecting.seeing import see
from mlops.ir import Listener, unheard
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.news import Said
from mlops.use_cases.sharing import shared


@dataclass(frozen=True, slots=True)
class Cleaning:
    """``idle`` days without an invocation are what an endpoint is removed for; None leaves endpoints alone. ``apply``:
    removed, and not only listed."""

    environment: str
    older_than: float = 7.0
    idle: float | None = None
    apply: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Cleaned:
    removals: tuple[Removal, ...]
    removed: bool


def clean(request: Cleaning, listener: Listener = unheard, consent: Consent = NOBODY) -> Cleaned:
    """Asks in every environment but the local one where something is removed: it is for good."""
    connected = connect_here(request.environment)
    account, environment = connected.account, connected.environment
    older_than = timedelta(days=request.older_than)
    idle = None if request.idle is None else timedelta(days=request.idle)
    now = datetime.now(UTC)
    there = see(account, environment, now, idle)
    for text in unsure(there, now, idle):
        listener(Said(text=text))
    found = decide(there, now, older_than=older_than, idle=idle)
    if not request.apply or not found:
        return Cleaned(found, False)
    with answers():
        by = confirm_identity(account, environment).arn
    also = shared(connected, [item.name for item in found if item.kind == "endpoint"])
    if environment.approval or also is not None or not environment.is_local:
        for item in found:
            listener(Said(text=f"{item.kind} {item.name}: {item.why}"))
    counts = {kind: sum(item.kind == kind for item in found) for kind in ("endpoint", "config", "model")}
    told = " and ".join(counted(count, _NOUNS[kind]) for kind, count in counts.items() if count)
    need_consent(connected, f"remove {told}", consent, always=not environment.is_local, shared=also)
    # Somebody may have taken a while to say yes.
    now = datetime.now(UTC)
    still = decide(see(account, environment, now, idle), now, older_than=older_than, idle=idle)
    left = tuple(item for item in found if item in still)
    remove(
        account,
        environment,
        left,
        by=by,
        reason=hide(request.reason),
        say=lambda text: listener(Said(text=text)),
    )
    return Cleaned(left, True)


_NOUNS = {"endpoint": "endpoint", "config": "configuration", "model": "model"}
