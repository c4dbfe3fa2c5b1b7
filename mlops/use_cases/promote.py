"""Take an approved version of a model to an endpoint, where every gate of the environment lets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from mlops.account import answers, confirm_account
from mlops.deploy.endpoints import begun, evidence, history, planning, to_component
from mlops.deploy.endpoints import promote as promoting
from mlops.deploy.endpoints.crossing import Crossing, Need, crosses, see
from mlops.deploy.endpoints.gating import Gated, Registry, asked_of, in_force, judge, serving_version, told_before
from mlops.deploy.endpoints.history import refused
from mlops.deploy.endpoints.promote import Promoted, Target
from mlops.deploy.endpoints.sampling import Samples, samples_of
from mlops.deploy.endpoints.telling import told
from mlops.deploy.gates import after, signature
from mlops.deploy.models.registry import Version, newest_approved, version
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.shifting.settings import read as read_settings
from mlops.ir import Listener, MlopsError, Refusal, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Gate
from mlops.ir.hiding import hide
from mlops.project.environments import Project, read_project
from mlops.project.root import find_root
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here, in_region
from mlops.use_cases.news import Said
from mlops.use_cases.sharing import shared


@dataclass(frozen=True, slots=True)
class Promotion:
    """Without ``environment`` it is the next one of the project's chain that lacks the version. ``target`` without an
    endpoint is the one that serves the group there. ``number`` is the version, the newest approved one without;
    ``registry`` the environment that holds it, where that is another. ``sample`` is a request for the smoke test, in
    place of the version's own. ``overrides`` are gates that are passed over, for which there is a ``reason``."""

    group: str
    environment: str | None
    target: Target
    number: int | None = None
    registry: str | None = None
    sample: Path | None = None
    take_over: bool = False
    overrides: tuple[str, ...] = ()
    reason: str | None = None
    user: str | None = None
    """Who promotes, in the local account; another knows that."""
    gates: tuple[tuple[Gate, Any], ...] = ()
    """Beside those of ``mlops.toml``, each with its settings."""


@dataclass(frozen=True, slots=True)
class Planned:
    """``calls`` are what would be done, in words; empty where a gate refuses, or something is missing of the ``needs``
    of a version of another account or region."""

    version: Version
    environment: str
    gates: tuple[Gated, ...]
    calls: tuple[str, ...]
    needs: tuple[Need, ...] = ()
    passed_over: Mapping[int, str] = field(default_factory=dict)
    """Newer versions, with what became of them there."""

    @property
    def may(self) -> bool:
        return all(item.passes or item.overridden for item in self.gates) and all(item.there for item in self.needs)


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
    for line in told_before(gates):
        listener(Said(text=line))
    connected = road.connected
    also = shared(connected, (road.target.endpoint,), request.group)
    return promoting.promote(
        connected.account,
        connected.environment,
        road.version,
        road.target,
        road.settings,
        registry=road.source.account,
        crossing=road.crossing() if all(item.passes or item.overridden for item in gates) else None,
        samples={request.sample.name: request.sample.read_bytes()} if request.sample else None,
        further=road.further(),
        gated=gates,
        reason=hide(request.reason),
        take_over=request.take_over,
        say=lambda text: listener(Said(text=text)),
        permit=lambda doing: need_consent(connected, doing, consent, shared=also),
        asks=also is not None,
    )


def plan(request: Promotion) -> Planned:
    """Every gate with what it found, and what would be done; nothing is written."""
    road = _road(request)
    gates = road.gates()
    name = road.connected.environment.name
    found = Planned(road.version, name, gates, (), passed_over=road.passed_over)
    crossing = road.crossing()
    if crossing is not None:
        found = replace(found, needs=crossing.needs)
    if not found.may:
        return found
    if road.settings.component is not None:
        component = to_component.planned_component(
            road.connected.account, road.connected.environment, road.version, road.target, road.settings
        )
        return replace(found, calls=component.told)
    first = planning.going_on(
        road.connected.account, road.connected.environment, road.target.endpoint, take_over=request.take_over
    )
    if first:
        return replace(found, calls=first)
    promotion = planning.planned(
        road.connected.account,
        road.connected.environment,
        road.version,
        road.target,
        road.settings,
        registry=road.source.account,
        crossing=crossing,
        further=road.further(),
    )
    return replace(found, calls=tuple(line for action in promotion.actions for line in told(action)))


def gates_of(request: Promotion) -> tuple[Gated, ...]:
    """What every gate of the environment says of the version, and nothing else."""
    return _road(request).gates()


@dataclass(frozen=True, slots=True)
class _Road:
    request: Promotion
    connected: Connected
    holder: Connected
    version: Version
    settings: PromotionSettings
    target: Target
    passed_over: Mapping[int, str]

    @property
    def source(self) -> Registry:
        return Registry(self.holder.account, self.holder.environment)

    def gates(self) -> tuple[Gated, ...]:
        request = self.request
        known = [gate.name for gate, _ in in_force(self.settings.gates)]
        for name in request.overrides:
            if name not in known:
                there = instead(name, known or ["none that can be passed over"], "it has:")
                raise UsageError(f"{self.connected.environment.name} has no gate {name!r}{there}")
        if request.overrides and not request.reason:
            raise UsageError("to pass a gate over needs a reason", hint="--reason WHY; it is kept in the history")
        asked = asked_of(
            self.version,
            self.source,
            self.connected.account,
            self.connected.environment,
            self.target,
            passed(self.version, self.request.target.endpoint),
            self.connected.root,
            component=self.settings.component,
        )
        return judge(self.settings.gates, asked, request.overrides)

    def crossing(self) -> Crossing | None:
        """None for a version of the account and region that it goes to."""
        account, environment = self.connected.account, self.connected.environment
        if environment.is_local:
            return None
        number = confirm_account(account, environment)
        if not crosses(self.version, number, environment):
            return None
        recorded = evidence.registered(self.source.account, self.source.environment, self.version)
        return see(
            self.source.account,
            in_region(self.holder, environment.region),
            account,
            environment,
            number,
            self.version,
            self.settings.artefacts,
            recorded,
        )

    def further(self) -> Samples | None:
        """Where the gate asks for it, those of the version that serves."""
        if not any(gate.name == signature.NAME for gate, _ in self.settings.gates):
            return None
        before = serving_version(
            self.connected.account, self.source.account, self.target.endpoint, self.settings.component
        )
        if before is None or before.arn == self.version.arn:
            return None
        with answers():
            return samples_of(self.source.account, before)


def _road(request: Promotion) -> _Road:
    project = read_project(find_root(Path.cwd()))
    environment, number = request.environment, request.number
    if environment is None:
        environment, number = _next(request, project)
    connected = connect_here(environment, user=request.user)
    settings = read_settings(connected.environment, connected.root)
    holder = _holder(request, project, connected, settings)
    group = request.group
    target = replace(request.target, endpoint=request.target.endpoint or settings.endpoint_of(group))
    _need_apart(project, connected, target.endpoint, request)
    entries = history.read(connected.account, connected.environment, target.endpoint)
    bad = history.went_back(entries, group) if number is None else {}
    chosen = _chosen(holder, group, number, frozenset(bad))
    newer = {item: bad[item] for item in sorted(bad, reverse=True) if item > chosen.number}
    own = tuple(item for item in request.gates if item[0].name not in {gate.name for gate, _ in settings.gates})
    settings = replace(settings, gates=(*_chained(project, environment, settings), *settings.gates, *own))
    return _Road(request, connected, holder, chosen, settings, target, newer)


def _holder(request: Promotion, project: Project, connected: Connected, settings: PromotionSettings) -> Connected:
    """The registry of a chain is that of its first environment, where nothing else is said."""
    name = connected.environment.name
    wanted = request.registry or settings.registry or (project.chain[0] if name in project.chain else name)
    return connected if wanted == name else connect_here(wanted)


def _chosen(holder: Connected, group: str, number: int | None, bad: frozenset[int] = frozenset()) -> Version:
    if number is None:
        return newest_approved(holder.account, group, bad, holder.environment)
    return version(holder.account, group, number)


def _chained(project: Project, environment: str, settings: PromotionSettings) -> tuple[tuple[Gate, Any], ...]:
    """What stands before an environment in the chain is to be passed, whether a gate says so or not."""
    before = project.before(environment)
    if before is None or any((gate.name, its) == (after.GATE.name, before) for gate, its in settings.gates):
        return ()
    return ((after.GATE, before),)


def _next(request: Promotion, project: Project) -> tuple[str, int]:
    """The first environment of the chain that lacks the version, the last one where none does; and the version.

    Raises Refusal where it was taken or rolled back in one of them: what comes behind waits for a better one."""
    if not project.chain:
        raise UsageError(
            "where to promote to is not said",
            hint='give --to ENV, or declare `chain = ["staging", "production"]` in [project] of mlops.toml',
        )
    first = connect_here(project.chain[0], user=request.user)
    settings = read_settings(first.environment, first.root)
    holder = _holder(request, project, first, settings)
    group, number = request.group, request.number
    chosen = _chosen(holder, group, number)
    why_not = passed(chosen, request.target.endpoint)
    for name in project.chain:
        if why_not(name) is None:
            continue
        there = connect_here(name)
        endpoint = request.target.endpoint or read_settings(there.environment, there.root).endpoint_of(group)
        if number is None and chosen.number in refused(history.read(there.account, there.environment, endpoint), group):
            raise Refusal(
                f"version {chosen.number} of {group} was taken or rolled back in {name}: there the chain ends for it",
                hint=f"approve a better one; `--to {name} --version {chosen.number}` takes it all the same",
            )
        return name, chosen.number
    return project.chain[-1], chosen.number


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
        mine = history.of_version(entries, chosen.group, chosen.number, chosen.arn)
        if not mine:
            return f"{told} was never promoted to {there} in {name}"
        if mine[-1].verb in history.BACK:
            return f"{told} was {mine[-1].verb} in {name}"
        if begun.cut_off(mine):
            return f"the promotion of {told} was cut off in {name}, and another one followed"
        return None

    return why_not


def _need_apart(project: Project, connected: Connected, endpoint: str, request: Promotion) -> None:
    """Raises Refusal where an environment of the chain means the endpoint that the one before it means."""
    own = connected.environment
    before = project.before(own.name)
    if before is None or before in project.incomplete:
        return
    other = project.environment(before)
    there = request.target.endpoint or read_settings(other, connected.root).endpoint_of(request.group)
    places = [(item.account, item.region, item.endpoint_url) for item in (own, other)]
    if places[0] == places[1] and endpoint == there:
        raise Refusal(
            f"{before} and {own.name} are one endpoint, {endpoint}: to pass the first would say nothing",
            hint=f'give [env.{own.name}.promote] an endpoint of its own, as endpoint = "{{group}}-{own.name}"',
        )
