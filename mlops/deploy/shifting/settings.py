"""``[env.NAME.promote]``: how a model comes to serve in an environment, and what it is judged by on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from mlops.deploy import hooks
from mlops.deploy.gates import gates
from mlops.deploy.measures import measures
from mlops.deploy.shifting.comparing import Comparison, Undecided, Wanted
from mlops.deploy.shifting.deciding import Missing, Rule, period_of
from mlops.deploy.shifting.mirroring import Mirroring
from mlops.deploy.shifting.moves import NAMES
from mlops.deploy.strategies import strategies
from mlops.ir import ConfigurationError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.gate import Gate
from mlops.ir.hook import Hook, Moment
from mlops.ir.measure import Judged, Measure, share
from mlops.ir.shift import Course, Stage
from mlops.ir.strategy import Strategy
from mlops.project.environments import Environment, table_place
from mlops.project.exact_types import AtLeast, Pattern, exact_fields
from mlops.project.table_places import Place, unknown_key
from mlops.project.written_channels import wrong_command, wrong_file

T = TypeVar("T")
USUAL_ERRORS = 0.01
"""The share of failed requests that a new version may have where nothing is declared."""
_NOBODY = Judged("endpoint", "variant")
_NAMED = Pattern(r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")
"""What endpoints, inference components and variants may be called (botocore's EndpointName and VariantName)."""


_LONGEST_ALARM = 255
"""botocore: AlarmName."""
_BY_GROUP = "{group}"
_WRITTEN = 6.0
"""Seconds within which a captured request is written here, where that is done every 5. Who looks sooner finds none, and
does not look again."""
_IN_ATTRIBUTES = re.compile(r"[^,;&=\s]+")


@dataclass(frozen=True, slots=True)
class _Table:
    """``[env.NAME.promote]`` as it is written."""

    strategy: str | dict[str, Any] = "all-at-once"
    engine: Literal["auto", "guardrails", "weights"] = "auto"
    judge: dict[str, dict[str, Any]] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    gates: dict[str, Any] = field(default_factory=dict)
    variants: list[Annotated[str, _NAMED]] = field(default_factory=lambda: list(NAMES))
    patience: str | float = 0.0
    lag: str | float | None = None
    on_interrupt: Literal["leave", "rollback"] = "leave"
    endpoint: str = _BY_GROUP
    hooks: dict[str, Any] = field(default_factory=dict)
    notify: dict[str, Any] | None = None
    registry: str | None = None
    artefacts: Literal["copy", "reference"] = "copy"
    component: str | None = None
    shadow: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Shadow:
    """``shadow`` as it is written, beside ``for``."""

    share: float = 100.0
    disagree: str | float = 0.01
    within: float = 0.0
    false_alarms: str | float = 0.05
    pairs: Annotated[int, AtLeast(1)] = 100
    undecided: Undecided = "go-on"
    slices: str | None = None
    payloads: bool = False


@dataclass(frozen=True, slots=True)
class _Limits:
    """What every measure's table may have beside its own settings."""

    measure: str | None = None
    at_most: str | float | None = None
    at_least: str | float | None = None
    fails_above: str | float | None = None
    fails_below: str | float | None = None
    interval: str | float = 60.0
    delay: str | float = 0.0
    count: Annotated[int, AtLeast(1)] = 1
    failures: Annotated[int, AtLeast(0)] = 0
    unsure: Annotated[int, AtLeast(0)] | None = None
    errors: Annotated[int, AtLeast(0)] = 4
    missing: Missing = "unsure"
    dry_run: bool = False
    compare: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Comparison:
    """``compare`` as it is written."""

    times: float | None = None
    false_alarms: str | float = 0.05
    undecided: Undecided | None = None
    by: float | None = None
    better: Literal["higher", "lower"] | None = None
    wanted: Wanted = "no-worse"
    enough: Annotated[int, AtLeast(1)] = 1
    slices: dict[str, list[str]] = field(default_factory=dict)
    worse_slice: Literal["back", "tell"] = "back"


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told of what. ``webhook_env`` names the variable that holds the URL: the URL is a secret, the name not."""

    on: list[Literal["start", "stage", "verdict", "rollback", "end"]] = field(
        default_factory=lambda: ["start", "rollback", "end"]
    )
    sns: Annotated[str, Pattern(r"^arn:aws[a-z\-]*:sns:[a-z0-9\-]+:[0-9]{12}:.+$")] | None = None
    webhook_env: Annotated[str, Pattern(r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    slack: bool = True
    file: str | None = None
    command: list[str] | None = None


@dataclass(frozen=True, slots=True)
class PromotionSettings:
    """``strategy`` with its ``settings``; ``variants`` take turns; ``patience`` is how many seconds longer a stage may
    last while its verdict is unsure, ``lag`` how late metrics may come. ``judge`` are the rules as they are written.
    ``gates`` have their settings beside them. ``hooks`` are called and ``notify`` says who is told on the way; ``root``
    is the project's folder. ``registry`` is the environment that holds the versions, where that is another;
    ``artefacts`` says how one of another account or region is served. ``component`` is the inference component that
    serves, where one does. ``shadow`` is what the new version is looked at as before it has traffic, and ``mirror`` the
    same as it is written."""

    strategy: Strategy
    settings: Any
    engine: Literal["auto", "guardrails", "weights"]
    rules: tuple[Rule, ...]
    alarms: tuple[str, ...]
    gates: tuple[tuple[Gate, Any], ...]
    variants: tuple[str, ...]
    patience: float
    lag: float
    on_interrupt: Literal["leave", "rollback"]
    endpoint: str = _BY_GROUP
    hooks: tuple[Hook, ...] = ()
    notify: Notify | None = None
    root: Path = Path()
    judge: Mapping[str, Any] = field(default_factory=dict)
    registry: str | None = None
    artefacts: Literal["copy", "reference"] = "copy"
    component: str | None = None
    shadow: Mirroring | None = None
    mirror: Mapping[str, Any] = field(default_factory=dict)

    def endpoint_of(self, group: str) -> str:
        """The endpoint, or the inference component, that serves ``group`` where no other is named."""
        return _endpoint_of(self.component, self.endpoint, group)

    @property
    def moments(self) -> frozenset[Moment]:
        """At which a hook is called."""
        return frozenset(hook.moment for hook in self.hooks)

    def course(self, count: int | None) -> Course:
        return self.strategy.course(self.settings, count)


def endpoint_of(environment: Environment, group: str) -> str:
    """As :meth:`PromotionSettings.endpoint_of`, of an environment whose other settings may be wrong."""
    written = environment.promote
    return _endpoint_of(written.get("component"), str(written.get("endpoint", _BY_GROUP)), group)


def _endpoint_of(component: str | None, endpoint: str, group: str) -> str:
    return component or endpoint.replace("{group}", group)


def read(environment: Environment, root: Path, *, replayed: bool = False) -> PromotionSettings:
    """Raises ConfigurationError with every mistake, each with its place. What is ``replayed`` was declared once, and is
    read though it would not be taken now."""
    reader = _Reader(environment, root, replayed=replayed)
    found = reader.read()
    if reader.mistakes or found is None:
        raise ConfigurationError("\n".join(reader.mistakes))
    return found


def _need_order(limits: Mapping[str, float | None]) -> None:
    """Raises ValueError where a value could be good and bad at once, or none could be good."""
    for low, high in (("at_least", "at_most"), ("at_most", "fails_above"), ("fails_below", "at_least")):
        first, second = limits[low], limits[high]
        if first is not None and second is not None and first > second:
            raise ValueError(f"{low} is above {high}: no value could be judged by both")


def _duration(written: Any) -> float:
    if not isinstance(written, str | int | float) or isinstance(written, bool):
        raise ValueError('for = "1h", or another duration, says how long it is looked at')
    return seconds_of(written)


def _need_time(measure: Measure, settings: Any) -> None:
    """Raises ValueError for a time in which no captured request is written, so that all would be left out."""
    if measure.outcomes is not None and (within := measure.outcomes(settings).within) < _WRITTEN:
        raise ValueError(
            f"within = {within:g}: a captured request is written within {_WRITTEN:g} seconds here, and minutes in "
            f'SageMaker; give "{_WRITTEN:g}s" or more'
        )


def _is_attribute(text: str) -> bool:
    """Part of a custom attribute, as a request can have it."""
    return text.isascii() and _IN_ATTRIBUTES.fullmatch(text) is not None


def _need_room(comparison: Comparison | None, measure: Measure, settings: Any) -> None:
    """Raises ValueError for a limit that no two means are apart by."""
    if comparison is not None and measure.outcomes is not None and comparison.by:
        outcomes = measure.outcomes(settings)
        if comparison.by >= outcomes.high - outcomes.low:
            raise ValueError(f"by = {comparison.by:g}: values lie between {outcomes.low:g} and {outcomes.high:g}")


def _need_keys(table: _Comparison, measure: Measure) -> None:
    """Raises ValueError for a key that says nothing of such a measure."""
    if measure.counted is not None:
        of_a_mean = next((key for key in ("by", "better") if getattr(table, key) is not None), None)
        if of_a_mean is not None:
            raise ValueError(f"{of_a_mean} is of a mean, and {measure.name} is a share of requests: give times")
    elif table.times is not None:
        raise ValueError(f"times is of a share of requests, and {measure.name} is a mean: give by")
    if table.slices and measure.outcomes is None:
        raise ValueError(f"slices are of what became of requests; {measure.name} is counted by variant only")
    for name, values in table.slices.items():
        if not values or not all(_is_attribute(text) for text in (name, *values)) or len({*values}) < len(values):
            raise ValueError(
                f"slices.{name}: give its values as texts of ASCII without commas and spaces, each once, as "
                '["new", "old"]'
            )


class _Reader:
    def __init__(self, environment: Environment, root: Path, *, replayed: bool = False) -> None:
        self._environment = environment
        self._replayed = replayed
        self._root = root
        self.mistakes: list[str] = []

    def read(self) -> PromotionSettings | None:
        table = self._table(_Table, self._environment.promote)
        if table is None:
            return None
        chosen = self._strategy(table.strategy)
        rules = self._rules(table.judge)
        if not table.judge and not table.alarms:
            rules = (Rule("errors", measures()["errors"], measures()["errors"].settings(), at_most=USUAL_ERRORS),)
        patience = self._seconds(table.patience, "patience")
        lag = 0.0 if self._environment.is_local else 90.0
        if table.lag is not None:
            lag = self._seconds(table.lag, "lag")
        for key, name in (("endpoint", table.endpoint.replace("{group}", "g")), ("component", table.component)):
            if name is not None and not _NAMED.holds(name):
                self._wrong((key,), f"{key} = {name[:80]!r}: that is no name; letters, digits and -, at most 63")
        if table.registry == "":
            self._wrong(("registry",), 'registry = "": give the name of an environment')
        for name in table.alarms:
            if not name.strip() or not name.isprintable() or len(name) > _LONGEST_ALARM:
                self._wrong(("alarms",), f"alarms: {name[:80]!r} is no name of an alarm")
        if len(set(table.variants)) < 2:
            self._wrong(("variants",), "variants: two names are needed, that take turns")
        if chosen is None:
            return None
        strategy, settings = chosen
        if len(rules) >= len(table.judge):  # one that has a mistake may be what decides
            self._need_decision(strategy, strategy.course(settings, None).stages, rules)
        return PromotionSettings(
            strategy,
            settings,
            table.engine,
            rules,
            tuple(table.alarms),
            self._gates(table.gates),
            tuple(table.variants),
            patience,
            lag,
            table.on_interrupt,
            table.endpoint,
            self._hooks(table.hooks),
            self._notify(table.notify),
            self._root,
            table.judge,
            table.registry,
            table.artefacts,
            table.component,
            self._shadow(table.shadow, table.component),
            table.shadow or {},
        )

    def _need_decision(self, strategy: Strategy, stages: Sequence[Stage], rules: Sequence[Rule]) -> None:
        """What is decided by needs something to decide, and the other way round."""
        deciding = [rule for rule in rules if rule.compare is not None and rule.compare.wanted == "better"]
        if any(stage.until_decided for stage in stages) and all(rule.dry_run for rule in deciding):
            self._wrong(
                ("strategy",),
                f"{strategy.name}: nothing decides it; give a measure of `judge` "
                '`compare = { wanted = "better" }`, for example outcome or wrong',
            )
        if deciding and not any(stage.share < 100 and stage.bake for stage in stages):
            self._wrong(
                ("judge", deciding[0].name),
                f"{deciding[0].name}: by {strategy.name} the two versions never serve beside each other while they are "
                "looked at, so none is proven to be better; take ab, canary, linear or stepped",
            )

    def _strategy(self, written: str | Mapping[str, Any]) -> tuple[Strategy, Any] | None:
        """Written as its name, or as a table that has its settings by its name."""
        known = strategies()
        if isinstance(written, Mapping) and len(written) != 1:
            example = 'strategy = { canary = { share = 10, bake = "10m" } }'
            self._wrong(("strategy",), f"strategy: give one, for example {example}")
            return None
        name, raw = (written, {}) if isinstance(written, str) else next(iter(written.items()))
        strategy = known.get(name)
        if strategy is None:
            self._wrong(("strategy", name), f"there is no strategy {name!r}{instead(name, known)}")
            return None
        settings = self._table(strategy.settings, raw, "strategy", name)
        if settings is None:
            return None
        try:
            strategy.course(settings, None)
        except ValueError as error:
            self._wrong(("strategy", name), f"{name}: {error}")
            return None
        return strategy, settings

    def _gates(self, tables: Mapping[str, Any]) -> tuple[tuple[Gate, Any], ...]:
        known, found = gates(), []
        for name, raw in tables.items():
            gate = known.get(name)
            if gate is None:
                self._wrong(("gates", name), f"there is no gate {name!r}{instead(name, known)}")
                continue
            try:
                found.append((gate, gate.read(raw)))
            except ValueError as error:
                self._wrong(("gates", name), f"gates.{name}: {error}")
        return tuple(found)

    def _hooks(self, tables: Mapping[str, Any]) -> tuple[Hook, ...]:
        found: list[Hook] = []
        for moment, raw in tables.items():
            try:
                found.extend(hooks.read(moment, raw))
            except ValueError as error:
                self._wrong(("hooks", moment), f"hooks.{moment}: {error}")
        return tuple(found)

    def _notify(self, raw: dict[str, Any] | None) -> Notify | None:
        found = None if raw is None else self._table(Notify, raw, "notify")
        if found is None:
            return None
        if found.file is not None and (why := wrong_file(found.file, self._root)) is not None:
            self._wrong(("notify", "file"), f"notify.file = {found.file!r}: {why}")
        if found.command is not None and (why := wrong_command(found.command)) is not None:
            self._wrong(("notify", "command"), f"notify.command: {why}")
        return found

    def _rules(self, tables: Mapping[str, Mapping[str, Any]]) -> tuple[Rule, ...]:
        found = (self._rule(name, raw) for name, raw in tables.items())
        return tuple(rule for rule in found if rule is not None)

    def _rule(self, name: str, raw: Mapping[str, Any]) -> Rule | None:
        own = {item.name for item in fields(_Limits)}
        limits = self._table(_Limits, {key: value for key, value in raw.items() if key in own}, "judge", name)
        if limits is None:
            return None
        measure = measures().get(limits.measure or name)
        if measure is None:
            asked = limits.measure or name
            self._wrong(("judge", name), f"there is no measure {asked!r}{instead(asked, measures())}")
            return None
        settings = self._settings(name, measure, {key: value for key, value in raw.items() if key not in own}, own)
        if settings is None:
            return None
        if limits.at_most is None and limits.at_least is None and limits.compare is None:
            self._wrong(("judge", name), f"{name} has no limit: give at_most, at_least or compare = {{}}")
            return None
        comparison = None
        if limits.compare is not None:
            comparison = self._comparison(name, measure, limits.compare)
            if comparison is None:
                return None
        try:
            found = {
                key: None if value is None else measure.limit(value)
                for key, value in (
                    ("at_most", limits.at_most),
                    ("at_least", limits.at_least),
                    ("fails_above", limits.fails_above),
                    ("fails_below", limits.fails_below),
                )
            }
            _need_order(found)
            measure.queries(settings, _NOBODY)
            _need_room(comparison, measure, settings)
            if not self._replayed:
                _need_time(measure, settings)
            interval = seconds_of(limits.interval)
            if interval < 1:
                raise ValueError(f"interval = {limits.interval!r}: a second at least")
            delay = seconds_of(limits.delay)
        except ValueError as error:
            self._wrong(("judge", name), f"{name}: {error}")
            return None
        return Rule(
            name,
            measure,
            settings,
            **found,
            interval=period_of(interval),
            delay=delay,
            count=limits.count,
            failures=limits.failures,
            unsure=limits.unsure,
            errors=limits.errors,
            missing=limits.missing,
            dry_run=limits.dry_run,
            compare=comparison,
        )

    def _settings(self, name: str, measure: Measure, raw: Mapping[str, Any], others: Collection[str]) -> Any:
        """What stands beside the limits; None where it is wrong, which is told."""
        known = {item.name for item in fields(measure.settings)}
        for key in sorted(set(raw) - known):
            self._wrong(("judge", name, key), unknown_key(key, {*others, *known}, f"{self._at}.judge.{name}"))
            return None
        return self._table(measure.settings, raw, "judge", name)

    def _comparison(self, name: str, measure: Measure, raw: Mapping[str, Any]) -> Comparison | None:
        if measure.counted is None and measure.outcomes is None:
            comparable = [item.name for item in measures().values() if item.counted or item.outcomes]
            known = ", ".join(comparable)
            self._wrong(("judge", name, "compare"), f"{name}: {measure.name} cannot be compared; {known} can")
            return None
        table = self._table(_Comparison, raw, "judge", name, "compare")
        if table is None:
            return None
        try:
            _need_keys(table, measure)
            undecided = table.undecided or ("back" if table.wanted == "better" else "go-on")
            return Comparison(
                1.0 if table.times is None else table.times,
                share(table.false_alarms),
                undecided,
                table.by or 0.0,
                table.better or "higher",
                table.wanted,
                table.enough,
                table.slices,
                table.worse_slice,
            )
        except ValueError as error:
            self._wrong(("judge", name, "compare"), f"{name}.compare: {error}")
            return None

    def _shadow(self, raw: Mapping[str, Any] | None, component: str | None) -> Mirroring | None:
        if raw is None:
            return None
        table = self._table(_Shadow, {key: value for key, value in raw.items() if key != "for"}, "shadow")
        try:
            seconds = _duration(raw.get("for"))
            if table is None:
                return None
            if not self._environment.is_local:
                raise ValueError("answers of a shadow are held against production's in the local account only")
            if component is not None:
                raise ValueError("an inference component has no shadow")
            if not 1 <= table.share <= 100:
                raise ValueError(f"share = {table.share:g}: from 1 to 100 percent")
            if not seconds > 0:
                raise ValueError("for = 0: nothing would be looked at")
            disagree, doubt = share(table.disagree), share(table.false_alarms)
            if not 0 < disagree < 1 or not 0 < doubt <= 0.5:
                raise ValueError("disagree is a share between 0 and 1, false_alarms one above 0 and at most 50 %")
            if not 0 <= table.within < math.inf:
                raise ValueError("within is 0 or more")
            if table.slices is not None and not table.payloads:
                raise ValueError("slices are told by attributes of requests, which are kept with payloads = true only")
            if table.slices is not None and not _is_attribute(table.slices):
                raise ValueError(f'slices = {table.slices[:80]!r}: the name of an attribute, as "segment"')
        except ValueError as error:
            self._wrong(("shadow",), f"shadow: {error}")
            return None
        place = "/".join(filter(None, (self._environment.bucket, self._environment.prefix, "shadows")))
        return Mirroring(
            seconds,
            table.share,
            disagree,
            table.within,
            doubt,
            table.pairs,
            table.undecided,
            table.slices,
            f"s3://{place}" if table.payloads else None,
        )

    def _seconds(self, written: str | float, key: str) -> float:
        try:
            return seconds_of(written)
        except ValueError as error:
            self._wrong((key,), f"{key}: {error}")
            return 0.0

    @property
    def _at(self) -> str:
        return f"env.{self._environment.name}.promote"

    def _table(self, kind: type[T], raw: Any, *below: str) -> T | None:
        exact = exact_fields(kind, raw)
        if exact is not None:
            return kind(**exact)
        from mlops.project.written_tables import judged

        place = self._place(*below)
        found, sentences = judged(
            kind, raw, ("env", self._environment.name, "promote", *below), place.file, place.text, place
        )
        self.mistakes.extend(sentences)
        return None if found is None else kind(**found)

    def _place(self, *below: str) -> Place:
        return table_place(self._root, self._environment.name, "promote", *below)

    def _wrong(self, inside: Sequence[str], message: str) -> None:
        self.mistakes.append(self._place().told(tuple(inside), message))
