"""Take an approved version of a model to an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops.deploy.endpoints import history
from mlops.deploy.endpoints import promote as promoting
from mlops.deploy.endpoints.history import refused
from mlops.deploy.endpoints.promote import Promoted, Target
from mlops.deploy.models.registry import newest_approved, version
from mlops.deploy.shifting.settings import read as read_settings
from mlops.ir import Listener
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Promotion:
    """``number`` is the version, the newest approved one without; ``registry`` the environment that holds it, where
    that is another. ``sample`` is a request for the smoke test, in place of the version's own."""

    group: str
    environment: str
    target: Target
    number: int | None = None
    registry: str | None = None
    sample: Path | None = None
    take_over: bool = False


def promote(request: Promotion, listener: Listener, consent: Consent = NOBODY) -> Promoted:
    """Raises Refusal for a version that is not approved, and where the endpoint does not serve it."""
    connected = connect_here(request.environment)
    source = connect_here(request.registry).account if request.registry else connected.account
    group, number = request.group, request.number
    passed_over = refused(history.read(connected.account, connected.environment, request.target.endpoint), group)
    chosen = newest_approved(source, group, passed_over) if number is None else version(source, group, number)
    return promoting.promote(
        connected.account,
        connected.environment,
        chosen,
        request.target,
        read_settings(connected.environment, connected.root),
        registry=source,
        samples={request.sample.name: request.sample.read_bytes()} if request.sample else None,
        take_over=request.take_over,
        say=lambda text: listener(Said(text=text)),
        permit=lambda doing: need_consent(connected, doing, consent),
    )
