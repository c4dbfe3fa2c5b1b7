"""Take an approved version of a model to an endpoint, where every gate of the environment lets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.deploy.endpoints import history
from mlops.deploy.endpoints import promote as promoting
from mlops.deploy.endpoints.gating import Gated, Registry, asked_of, judge
from mlops.deploy.endpoints.history import refused
from mlops.deploy.endpoints.promote import Promoted, Target
from mlops.deploy.endpoints.telling import told
from mlops.deploy.models.registry import Version, newest_approved, version
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.shifting.settings import read as read_settings
from mlops.ir import Listener, MlopsError, UsageError
from mlops.ir.choices import instead
from mlops.ir.hiding import hide
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Promotion:
    """``target`` without an endpoint is the one that serves the group in the environment. ``number`` is the version,
    the newest approved one without; ``registry`` the environment that holds it, where that is another. ``sample`` is a
    request for the smoke test, in place of the version's own. ``overrides`` are gates that are passed over, for which
    there is a ``reason``."""

    group: str
    environment: str
    target: Target
    number: int | None = None
    registry: str | None = None
    sample: Path | None = None
    take_over: bool = False
    overrides: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """``calls`` are what would be done, in words; empty where a gate refuses."""

    version: Version
    gates: tuple[Gated, ...]
    calls: tuple[str, ...]

    @property
    def may(self) -> bool:
        return all(item.passes or item.overridden for item in self.gates)


def promote(request: Promotion, listener: Listener, consent: Consent = NOBODY) -> Promoted:
    """Raises Refusal for a version that a gate refuses, and where the endpoint does not serve it."""
    road = _road(request)
    gates = road.gates()
    if road.passed_over:
        newest = max(road.passed_over)
        listener(
            Said(
                text=f"version {newest} of {request.group} is passed over: it was taken or rolled back here; "
                f"--version {newest} takes it all the same"
            )
        )
    for item in gates[1:]:
        listener(Said(text=item.told))
    connected = road.connected
    return promoting.promote(
        connected.account,
        connected.environment,
        road.version,
        road.target,
        road.settings,
        registry=road.source.account,
        samples={request.sample.name: request.sample.read_bytes()} if request.sample else None,
        gated=gates,
        reason=hide(request.reason),
        take_over=request.take_over,
        say=lambda text: listener(Said(text=text)),
        permit=lambda doing: need_consent(connected, doing, consent),
    )


def plan(request: Promotion) -> Planned:
    """Every gate with what it found, and what would be done; nothing is written."""
    road = _road(request)
    gates = road.gates()
    found = Planned(road.version, gates, ())
    if not found.may:
        return found
    promotion = promoting.planned(
        road.connected.account,
        road.connected.environment,
        road.version,
        road.target,
        road.settings,
        registry=road.source.account,
    )
    return Planned(road.version, gates, tuple(line for action in promotion.actions for line in told(action)))


@dataclass(frozen=True, slots=True)
class _Road:
    request: Promotion
    connected: Connected
    source: Registry
    version: Version
    settings: PromotionSettings
    target: Target
    passed_over: frozenset[int]

    def gates(self) -> tuple[Gated, ...]:
        request = self.request
        known = [gate.name for gate, _ in self.settings.gates]
        for name in request.overrides:
            if name not in known:
                there = instead(name, known or ["none that can be passed over"], "it has:")
                raise UsageError(f"{request.environment} has no gate {name!r}{there}")
        if request.overrides and not request.reason:
            raise UsageError("to pass a gate over needs a reason", hint="--reason WHY; it is kept in the history")
        asked = asked_of(
            self.version,
            self.source,
            self.connected.account,
            self.connected.environment,
            self.target.endpoint,
            passed(self.version, self.request.target.endpoint),
        )
        return judge(self.settings.gates, asked, request.overrides)


def _road(request: Promotion) -> _Road:
    connected = connect_here(request.environment)
    holder = connect_here(request.registry) if request.registry else connected
    settings = read_settings(connected.environment, connected.root)
    group, number = request.group, request.number
    target = replace(request.target, endpoint=request.target.endpoint or settings.endpoint_of(group))
    entries = history.read(connected.account, connected.environment, target.endpoint)
    bad = refused(entries, group) if number is None else frozenset[int]()
    chosen = newest_approved(holder.account, group, bad) if number is None else version(holder.account, group, number)
    newer = frozenset(item for item in bad if item > chosen.number)
    return _Road(request, connected, Registry(holder.account, holder.environment), chosen, settings, target, newer)


def passed(chosen: Version, endpoint: str) -> Callable[[str], str | None]:
    """What says why a version has not passed another environment: its history there does, at the endpoint of that name,
    or at the one that serves its group there."""

    def why_not(name: str) -> str | None:
        told = f"version {chosen.number} of {chosen.group}"
        try:
            other = connect_here(name)
            there = endpoint or read_settings(other.environment, other.root).endpoint_of(chosen.group)
            entries = history.read(other.account, other.environment, there)
        except MlopsError as error:
            return f"whether {told} has passed {name} could not be asked: {error.message}"
        mine = [item for item in entries if (item.group, item.version) == (chosen.group, chosen.number)]
        if not mine:
            return f"{told} was never promoted to {there} in {name}"
        if mine[-1].verb in ("taken back", "rolled back"):
            return f"{told} was {mine[-1].verb} in {name}"
        return None

    return why_not
