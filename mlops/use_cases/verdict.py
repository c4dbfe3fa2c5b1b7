"""Why a new version went on or back: the samples that were kept of a shift, decided anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from mlops.account import answers
from mlops.deploy.endpoints import history, shift_records
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.shifting import deciding
from mlops.deploy.shifting.evidence import Line, lines, stages
from mlops.deploy.shifting.mirroring import Mirrored, Mirroring
from mlops.deploy.shifting.mirroring import decided as mirroring_decided
from mlops.deploy.shifting.samples import Looked, Samples, parsed, written
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.shifting.settings import read as read_settings
from mlops.deploy.shifting.verdict import Verdict
from mlops.ir import Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.environments import LOCAL, Environment, read_project
from mlops.use_cases.connecting import Where, connect_here
from mlops.use_cases.shift_environment import begun_with


@dataclass(frozen=True, slots=True)
class Decided:
    """A look: what was said then, and what is said now of the same samples, by rule too."""

    look: Looked
    now: Verdict
    of_rules: Sequence[tuple[str, Verdict]]

    @property
    def is_same(self) -> bool:
        return self.look.standing == self.now.standing


@dataclass(frozen=True, slots=True)
class ShadowDecided:
    """A look at the shadow before the shift."""

    look: Mirrored
    now: Verdict

    @property
    def is_same(self) -> bool:
        return self.look.standing == self.now.standing


@dataclass(frozen=True, slots=True)
class Ending:
    """Where looks lead to: ``back`` in a stage that is red or, where ``silent``, has no verdict when its time is over;
    ``on`` to the end; or ``open``: the last stage that was looked at had not ended by then. Stage 0 is the shadow."""

    kind: Literal["back", "on", "open"]
    stage: int
    why: str = ""
    silent: bool = False

    @property
    def told(self) -> str:
        where = f"in stage {self.stage}" if self.stage else "as a shadow"
        if self.kind == "back":
            return f"goes back {where}{' without a verdict' if self.silent else ''}: {self.why}"
        if self.kind == "on":
            return "nothing is red, and it goes on to the end"
        return f"nothing is red until the last look, {where}"


@dataclass(frozen=True, slots=True)
class Explained:
    """``declared``: by what mlops.toml declares now, not by what was declared then. ``mirroring`` is what the
    ``shadow`` was looked at by."""

    samples: Samples
    declared: bool
    looks: Sequence[Decided]
    shadow: Sequence[ShadowDecided] = ()
    mirroring: Mirroring | None = None
    lines: Sequence[Line] = ()
    ended: str | None = None
    """How it ended by the endpoint's history, where that was asked and says so."""

    @property
    def then(self) -> Ending:
        """Where what was said then leads to."""
        red = next((item.look.why for item in self.shadow if item.look.standing == "red"), None)
        return self._ending(red, [(item.look, item.look.standing, item.look.why) for item in self.looks])

    @property
    def now(self) -> Ending:
        red = self.shadow_red.now.why if self.shadow_red is not None else None
        return self._ending(red, [(item.look, item.now.standing, item.now.why) for item in self.looks])

    def _ending(self, shadow: str | None, looks: Sequence[tuple[Looked, str, str]]) -> Ending:
        if shadow is not None:
            return Ending("back", 0, shadow)
        for look, standing, why in looks:
            if standing == "red":
                return Ending("back", look.stage, why)
        if not looks:
            return Ending("open", 0)
        look, standing, why = looks[-1]
        stages = self.samples.stages
        stage = stages[look.stage - 1]
        is_over = look.since + stage.bake <= look.now
        if standing == "unsure" and is_over:
            return Ending("back", look.stage, why, silent=True)
        followed = any(item.bake for item in stages[look.stage :])
        if standing == "green" and (is_over or stage.until_decided) and not followed:
            return Ending("on", look.stage)
        return Ending("open", look.stage)

    @property
    def changed_without_weight(self) -> Sequence[Decided]:
        """Looks of which another thing is said now, and that decided nothing."""
        last = {item.look.stage: item for item in self.looks}
        return [item for item in self.looks if not item.is_same and item is not last[item.look.stage]]

    @property
    def is_same(self) -> bool:
        """What decided are the last look of each stage and the first that is red. Between them a metric that came late
        may have changed a look without changing what was done, also to red a moment before its stage went back."""
        last = {item.look.stage: item for item in self.looks}
        if not all(item.is_same for item in self.shadow[-1:]) or self.shadow_red not in (None, *self.shadow[-1:]):
            return False
        red = self.first_red
        went_back = red is None or last[red.look.stage].now.standing == "red"
        return went_back and all(item.is_same for item in last.values())

    @property
    def shadow_red(self) -> ShadowDecided | None:
        return next((item for item in self.shadow if item.now.standing == "red"), None)

    @property
    def first_red(self) -> Decided | None:
        return next((item for item in self.looks if item.now.standing == "red"), None)


def explain(environment: Where | None, endpoint: str, *, back: int = 0, declared: bool = False) -> Explained:
    """Of the endpoint's last shift, or of one as many before it; what is ``declared`` is that of the environment that
    the shift was begun with. Raises UsageError where none was kept."""
    connected = connect_here(environment or LOCAL)
    with answers():
        samples = shift_records.latest(connected.account, connected.environment, endpoint, back)
    if samples is None:
        raise UsageError(
            f"no shift of {endpoint} was kept{f' before the last {back}' if back else ''}",
            hint="only shifts in stages are looked at; `mlops endpoints history` shows all promotions",
        )
    with answers():
        entries = history.read(connected.account, connected.environment, endpoint)
    if declared:
        command = f"mlops verdict explain {endpoint} --declared{f' --back {back}' if back else ''}"
        connected = begun_with(connected, samples.environment, command, given=isinstance(environment, str))
    return replace(_explained(samples, connected.environment, declared), ended=_ended(entries, samples))


def _ended(entries: Sequence[Entry], samples: Samples) -> str | None:
    """The first that became of the version after the shift had begun; a history is written in whole seconds."""
    for entry in entries:
        at = datetime.fromisoformat(entry.at).timestamp()
        if (entry.group, entry.version) == (samples.group, samples.version) and at >= int(samples.began or 0.0):
            return f"{entry.verb}{f': {entry.reason}' if entry.reason else ''}"
    return None


def explain_file(environment: str | None, file: Path, *, declared: bool = False) -> Explained:
    """Of samples that ``save`` wrote, on whatever machine, where an environment may have another name; no account is
    asked."""
    try:
        samples = parsed(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: {error}") from None
    project = read_project(Path.cwd())
    if environment is None and declared and samples.environment in {*project.environments, *project.incomplete}:
        environment = samples.environment
    try:
        return _explained(samples, project.environment(environment or LOCAL), declared)
    except (ValueError, OverflowError, KeyError) as error:
        raise UsageError(f"{file} holds an answer that nothing can be decided by: {error}") from None


def save(explained: Explained, file: Path) -> None:
    file.write_bytes(written(explained.samples))


def draw(explained: Explained, file: Path) -> None:
    """How the evidence grew, as SVG."""
    from mlops.use_cases.verdict_picture import picture

    samples = explained.samples
    title = f"{samples.endpoint}: version {samples.version} of {samples.group}"
    written_svg = picture(title, explained.lines, stages(samples))
    try:
        file.write_text(written_svg, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None


def as_dictionary(explained: Explained) -> Mapping[str, object]:
    samples = explained.samples
    return {
        "endpoint": samples.endpoint,
        "group": samples.group,
        "version": samples.version,
        "variant": samples.new,
        "against": list(samples.old),
        "declared": explained.declared,
        "same": explained.is_same,
        "by_people": list(samples.by_people),
        "ending": asdict(explained.now),
        "looks": [
            {
                **asdict(item.look),
                "replayed": asdict(item.now),
                "rules": [{"rule": name, **asdict(verdict)} for name, verdict in item.of_rules],
            }
            for item in explained.looks
        ],
        "lines": [
            {
                "name": line.name,
                "what": line.what,
                "limits": list(line.limits),
                "points": [[round(at, 3), round(value, 6)] for at, value in line.points],
            }
            for line in explained.lines
        ],
        **_shadow_dictionary(explained),
    }


def _shadow_dictionary(explained: Explained) -> Mapping[str, object]:
    """Nothing of a shift without a shadow."""
    kept = explained.samples.shadow
    if kept is None:
        return {}
    looks = [
        {
            **asdict(item.look),
            "whole": item.look.whole._asdict(),
            "slices": {name: counts._asdict() for name, counts in item.look.slices.items()},
            "replayed": asdict(item.now),
        }
        for item in explained.shadow
    ]
    return {"shadow": {"variant": kept.variant, "looks": looks, "examples": [asdict(item) for item in kept.examples]}}


def _explained(samples: Samples, environment: Environment, declared: bool) -> Explained:
    settings = _settings(samples, environment, declared)
    # What was declared then and has no answers had no period that was over: that is unsure, as it was.
    unseen = [rule.name for rule in settings.rules if rule.name not in samples.answers] if declared else []
    if unseen and any(look.answered for look in samples.looks):
        raise Refusal(
            f"{unseen[0]} was not measured in that shift, so nobody knows what it would have said",
            hint=f"measured were: {', '.join(sorted(samples.answers)) or 'none'}",
        )
    looks = tuple(_decided(settings, samples, look) for look in samples.looks)
    shadow = _of_shadow(samples, settings.shadow)
    return Explained(samples, declared, looks, shadow, settings.shadow, lines(settings.rules, settings.shadow, samples))


def _of_shadow(samples: Samples, mirroring: Mirroring | None) -> Sequence[ShadowDecided]:
    """What is counted as a disagreement was decided when it was seen; how many may be is decided now."""
    if samples.shadow is None:
        return ()
    looks, declared = samples.shadow.looks, samples.shadow.declared
    if mirroring is None:
        return tuple(ShadowDecided(look, Verdict("green", "no shadow is looked at")) for look in looks)
    if (mirroring.within, mirroring.slices) != (declared.get("within", 0.0), declared.get("slices")):
        raise Refusal(
            "pairs of the shadow were counted by other `within` or `slices` than are declared, so nobody knows what "
            "would have come of these",
            hint="`mlops endpoints shadow NAME --within` counts the pairs anew that are kept",
        )
    return tuple(
        ShadowDecided(look, mirroring_decided(mirroring, looks[: number + 1])) for number, look in enumerate(looks)
    )


def _decided(settings: PromotionSettings, samples: Samples, look: Looked) -> Decided:
    if not look.answered:
        return Decided(look, Verdict(look.standing, look.why), ())
    found = deciding.decided(settings.rules, settings.alarms, samples, samples.windows(look), look.now)
    heeded = [verdict for rule, verdict in found if rule is None or not rule.dry_run]
    named = [("alarms" if rule is None else rule.name, verdict) for rule, verdict in found]
    return Decided(look, deciding.together(heeded), named)


def _settings(samples: Samples, environment: Environment, declared: bool) -> PromotionSettings:
    """As they were then, or as they are declared now."""
    then: dict[str, Any] = {"judge": dict(samples.judge), "alarms": list(samples.watched)}
    shares = sorted({stage.share for stage in samples.stages if 0 < stage.share < 100})
    if shares:
        # Whatever it was called: what is compared needs stages in which both versions served.
        then["strategy"] = {"stepped": {"shares": shares}}
    if samples.shadow is not None:
        then["shadow"] = dict(samples.shadow.declared)
        # A shadow was looked at, so it was of the local account, wherever it is explained.
        environment = replace(environment, state=environment.state or Path())
    asked = environment if declared else replace(environment, promote=then)
    return read_settings(asked, Path.cwd(), replayed=not declared)
