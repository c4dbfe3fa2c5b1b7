"""What the tables of ``mlops.toml`` say and nobody could do: of promotions, gates, schedules, triggers and feedback."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops.ir import ConfigurationError, Finding, Where
from mlops.use_cases.targets import are_all

if TYPE_CHECKING:
    from mlops.check.sources import Opened
    from mlops.deploy.shifting.settings import PromotionSettings
    from mlops.ir import Checked
    from mlops.project.environments import Environment, Project

_SAID = re.compile(r"(?P<file>.+?):(?P<line>\d+): (?P<message>.+)", re.DOTALL)


def with_tables(
    opened: Opened, environment: str, targets: Sequence[str], *, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> Opened:
    """With what is wrong with the tables of all environments, each mistake once; what is declared beside pipelines is
    that of ``environment``. What a project lacks is told where ``targets`` are all of it. A definition in JSON is
    checked without a project."""
    if not (opened.pipelines or opened.resources) or all(file.endswith(".json") for file in opened.files):
        return opened
    from mlops.project.house_policy import read_house_policy
    from mlops.project.root import CONFIGURATION

    if not (opened.root / CONFIGURATION).is_file():
        return opened
    project = opened.project
    whole = are_all(targets, project)
    told: dict[tuple[str, str, int | None], Finding] = {}
    for found in project.environments.values():
        is_asked = found.name == environment and bool(opened.resources)
        tables = (found.promote, found.schedules, found.triggers, found.feedback, found.parameters, found.notify)
        if is_asked or not found.is_local or any(tables):
            for finding in _found(found, project, opened, whole, found.name == environment):
                told.setdefault((finding.code, finding.message, finding.where.line), finding)
    policy = read_house_policy(opened.root)
    if policy is not None and policy.instances:
        from mlops.check.tables.house import globs_of_nothing

        for finding in globs_of_nothing(policy.instances, opened.root):
            told.setdefault((finding.code, finding.message, finding.where.line), finding)
    if not told:
        return opened
    from mlops.check.selection import listed_codes, read_selection

    wanted, unwanted = listed_codes("--select", select), listed_codes("--ignore", ignore)
    chosen = replace(read_selection(opened.root), select=wanted, ignore=unwanted).chosen(told.values())
    return replace(opened, findings=(*opened.findings, *chosen))


def _found(
    environment: Environment, project: Project, opened: Opened, whole: bool, is_asked: bool
) -> Iterator[Finding]:
    from mlops.check.tables.belongings import of_another_account, starts_elsewhere
    from mlops.check.tables.names import names_of_nothing

    yield from of_another_account(environment, project)
    if is_asked:
        yield from starts_elsewhere(environment, opened.resources)
    if whole:
        yield from names_of_nothing(environment, opened.root, opened.pipelines, opened.resources if is_asked else ())
    if environment.schedules or environment.triggers or environment.feedback:
        yield from _starts(environment, opened)
    if environment.triggers:
        from mlops.check.tables.events import judge_triggers

        yield from judge_triggers(environment, opened.root, opened.pipelines)
    if environment.schedules or environment.feedback:
        from mlops.check.tables.repeated import starts_too_often

        yield from starts_too_often(environment, opened.root)
    for name, feedback in environment.feedback.items() if not environment.is_local else ():
        from mlops.check.tables import finding

        for said in feedback.beyond_a_machine(environment):
            yield finding("A058", opened.root, environment.name, ("feedback", name), said)
    if environment.promote:
        from mlops.check.tables.gates import gates_that_never_pass

        yield from _promotion(environment, project, opened, is_asked)
        yield from gates_that_never_pass(environment, project, opened.pipelines if whole else ())


def _starts(environment: Environment, opened: Opened) -> Iterator[Finding]:
    from mlops.check.tables import finding
    from mlops.deploy.starts import wrong_starts

    for inside, message in wrong_starts(environment, [checked.definition for checked in opened.pipelines]):
        yield finding("A051", opened.root, environment.name, inside, message)


def _promotion(environment: Environment, project: Project, opened: Opened, is_asked: bool) -> Iterator[Finding]:
    from mlops.check.tables import FINDINGS
    from mlops.deploy.shifting.settings import read

    try:
        settings = read(environment, project.root)
    except ConfigurationError as error:
        told = FINDINGS["A050"]
        for line in error.message.split("\n"):
            said = _SAID.fullmatch(line)
            where = Where(said["file"], int(said["line"])) if said else Where()
            yield Finding("A050", told.name, told.severity, said["message"] if said else line, where=where)
        return
    yield from _named(environment, project, settings)
    yield from _looked_at(environment, project, settings, opened.resources if is_asked else ())
    if is_asked:
        yield from _served_otherwise(environment, project, settings, opened)


def _named(environment: Environment, project: Project, settings: PromotionSettings) -> Iterator[Finding]:
    """What a promotion names, and how it goes, without what is declared beside it."""
    from mlops.check.tables import finding

    registry = settings.registry
    if registry is not None and registry not in project.environments and registry not in project.incomplete:
        message = f"registry: there is no environment {registry!r}"
        yield finding("A050", project.root, environment.name, ("promote", "registry"), message)
    why = _other_engine(settings)
    if why is not None:
        inside = ("promote", "engine")
        yield finding("A050", project.root, environment.name, inside, why, 'leave engine out, or write "auto"')
    for short in _without_a_verdict(settings):
        yield finding("A059", project.root, environment.name, ("promote", "judge"), short)
    for hook in settings.hooks:
        words = getattr(hook.settings, "words", ())
        program = words[0] if words else ""
        if program.startswith("./") and not (project.root / program).is_file():
            message = f"hooks.{hook.moment}: there is no {program} in the project's folder"
            yield finding("A050", project.root, environment.name, ("promote", "hooks", hook.moment), message)


def _looked_at(
    environment: Environment, project: Project, settings: PromotionSettings, resources: Sequence[Checked]
) -> Iterator[Finding]:
    """What looks at a promotion on its way, and who is told of it."""
    from mlops.check.tables import finding
    from mlops.check.tables.stages import alarms_that_come_too_late
    from mlops.deploy.shifting import rolling

    root, name, stages = project.root, environment.name, settings.course(_MANY).stages
    if len(stages) == 1 and not stages[0].bake:
        looking: dict[tuple[str, ...], str] = {
            ("promote", key): f"nothing looks at {key}"
            for key in ("alarms", "judge")
            # Of a component's alarms its own rolling form tells.
            if environment.promote.get(key) and not (key == "alarms" and settings.component)
        }
        for key, feedback in environment.feedback.items():
            if feedback.rollback and feedback.endpoint == settings.endpoint:
                looking["feedback", key, "rollback"] = "there is nothing to take back"
        for inside, what in looking.items():
            message = f"by {settings.strategy.name} all traffic goes at one moment: {what}"
            yield finding("A061", root, name, inside, message, "take blue-green or canary, or leave it out")
    if settings.component is not None:
        try:
            rolling.deployment_config(settings.course(None), settings.alarms)
        except ValueError as error:
            message = f"an inference component cannot go by {settings.strategy.name}: {error}"
            yield finding("A050", root, name, ("promote", "strategy"), message, "e.g. { rolling = { batch = 25 } }")
    yield from alarms_that_come_too_late(stages, settings.alarms, resources)
    for hook in settings.hooks:
        url = getattr(hook.settings, "url", "")
        if url.startswith("http://") and not getattr(hook.settings, "private", False):
            message = f"the webhook of {hook.moment} is sent in clear"
            yield finding("A063", root, name, ("promote", "hooks", hook.moment), message, "give an https:// address")


def _served_otherwise(
    environment: Environment, project: Project, settings: PromotionSettings, opened: Opened
) -> Iterator[Finding]:
    """Declared endpoints of the promotion that cannot go along its strategy."""
    from mlops.check.serving import endpoints
    from mlops.check.subject import Subject
    from mlops.check.tables import finding
    from mlops.deploy.shifting.engines import Engine, Situation, pick
    from mlops.ir.shift import Serving, Variant
    from mlops.ir.values import to_json

    for checked in opened.resources:
        for endpoint in endpoints(Subject(checked.definition, checked.step_types)):
            name, configuration = endpoint.settings.get("EndpointName"), endpoint.configuration
            if name != settings.endpoint or configuration is None or not configuration.production:
                continue
            requests = [to_json(item.settings) for item in configuration.production]
            counts = [item.get("InitialInstanceCount") for item in requests]
            variants = tuple(
                Variant(str(item.get("VariantName")), item, 1.0, count if isinstance(count, int) else None)
                for item, count in zip(requests, counts, strict=True)
            )
            course = settings.course(variants[0].count)
            looks = len(course.stages) > 1 or bool(course.stages[0].bake)
            situation = Situation(
                course,
                Serving("", variants),
                variants[0],
                settings.alarms,
                shadows=len(configuration.variants) > len(configuration.production),
                own_verdicts=bool(settings.rules) and looks,
                hooks_within=bool(settings.moments & {"stage", "before-last"}) and looks,
            )
            engine, why = pick(situation, settings.engine)
            if engine is Engine.NONE:
                message = f"the endpoint {name} cannot go by {settings.strategy.name}: {why}"
                yield finding("A050", project.root, environment.name, ("promote", "strategy"), message)


def _without_a_verdict(settings: PromotionSettings) -> Sequence[str]:
    from mlops.deploy.shifting.deciding import too_short
    from mlops.ir.shift import Bake

    stages = enumerate(settings.course(_MANY).stages, 1)
    bakes = [Bake(number, stage.share, stage.bake, stage.until_decided) for number, stage in stages if stage.bake]
    return too_short(settings.rules, bakes, settings.lag, settings.patience)


_MANY = 10
"""Instances enough for any course: what cannot go with these cannot go with fewer."""


def _other_engine(settings: PromotionSettings) -> str | None:
    """Why the engine that is asked for takes no endpoint along the course, however many instances it has."""
    from mlops.deploy.shifting.engines import Engine, Situation, pick
    from mlops.ir.shift import Serving, Variant

    variant = Variant(settings.variants[0], {}, 1.0, _MANY)
    situation = Situation(
        settings.course(_MANY),
        Serving("", (variant,)),
        variant,
        settings.alarms,
        own_verdicts=bool(settings.rules),
        hooks_within=bool(settings.moments & {"stage", "before-last"}),
    )
    engine, why = pick(situation, settings.engine)
    return why if engine is Engine.NONE else None
