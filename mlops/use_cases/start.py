"""Start a pipeline that an account has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from pathlib import Path

from mlops.check import bind, check
from mlops.check.data_here import missing_data
from mlops.check.filled import filled
from mlops.check.here import cannot_run
from mlops.check.selection import read_selection
from mlops.check.sources import open_one
from mlops.deploy.executions import following
from mlops.deploy.executions.awaited import awaited
from mlops.deploy.executions.following import NEWEST, Version, definition_of, find
from mlops.deploy.executions.selection import newest_source, select, selective_config
from mlops.deploy.pipelines.state import describe, differing, wanted
from mlops.ir import Definition, Listener, Refusal, Severity, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.start_values import judge
from mlops.project.environments import LOCAL, Project
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.execution_news import Awaits, Began
from mlops.use_cases.judging import judge_names, need_sound
from mlops.use_cases.local_data import placed, with_files
from mlops.use_cases.local_datasets import placed as place_datasets
from mlops.use_cases.local_datasets import stands
from mlops.use_cases.local_functions import known
from mlops.use_cases.local_secrets import brought as bring_secrets
from mlops.use_cases.news import Judged
from mlops.use_cases.wanted_packages import wanted_packages


@dataclass(frozen=True, slots=True)
class Start:
    """``target`` is a pipeline's name, or the file that declares it; ``only`` are steps to be run on the results of
    ``execution``, without it on the newest that there are."""

    target: str
    environment: str = LOCAL
    suffix: str | None = None
    version: Version = NEWEST
    parameters: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    execution: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    connected: Connected
    arn: str


def start(request: Start, listener: Listener, consent: Consent = NOBODY) -> Started:
    """What the account has is started, and what there is to say of it is told. Raises Refusal for a file that says
    something else."""
    judge_names(request.suffix, [request.version.alias] if request.version.alias else [])
    if request.version.alias is not None and request.version.number is not None:
        raise UsageError("--alias and --version exclude each other")
    if request.execution is not None and not request.only:
        raise UsageError("--from goes with --only STEP")
    if Path(request.target).is_dir():
        raise UsageError(
            f"{request.target!r} is a folder, and one pipeline is started", hint="give a file or a pipeline's name"
        )
    source = _opened(request, listener) if _is_file(request.target) else None
    name = request.target if source is None else source[0].name or ""
    name = f"{name}-{request.suffix}" if request.suffix else name
    connected = connect_here(request.environment, source[1] if source else None)
    definition = definition_of(connected.account, name, request.version)
    if source is not None and request.version.is_newest:
        need_same(connected, source[0], request.target, request.suffix)
    values = with_files(connected.environment, connected.root, definition, request.parameters)
    judge(definition, values)
    _tell(connected, definition, values, request, listener, judged=source is not None)
    selective = None
    if request.only:
        selection = select(check(definition), request.only)
        past = find(connected.account, request.execution, name) if request.execution else None
        selective = selective_config(selection, past or newest_source(connected.account, name, selection))
    need_consent(connected, f"start {name}", consent)
    if connected.environment.is_local:
        bring_secrets(connected, definition)
        place_datasets(connected)
        values = placed(connected, definition, values, listener)
    arn = following.start(connected.account, connected.environment, name, values, selective, request.version)
    file = request.target if source and not request.suffix else None
    listener(Began(about=name, arn=arn, file=file))
    listener(Awaits(about=arn, steps=awaited(definition, request.only)))
    return Started(connected, arn)


def _tell(
    connected: Connected,
    definition: Definition,
    values: Mapping[str, str],
    request: Start,
    listener: Listener,
    *,
    judged: bool,
) -> None:
    """What checking would tell of what the account has, unless its file was ``judged``, and, where this is the local
    one, what cannot run here. The account took it, so nothing is refused."""
    if judged and not connected.environment.is_local:
        return
    checked = bind(definition) if judged else check(definition)
    found = list(checked.findings)
    if connected.environment.is_local:
        knows = partial(known, connected.environment, lambda: connected.account)
        found += cannot_run(checked, knows, stands=partial(stands, connected.environment))
    if connected.account.here is not None:
        judged_with = filled(checked, values)
        found += missing_data(checked, judged_with, connected.account.here.holds)
        lacking = wanted_packages(judged_with, connected.account.here)
        found += [*lacking.missing, *lacking.others]
    told = [
        item
        for item in read_selection(connected.root).chosen(found)
        if item.severity is not Severity.INFO and (not request.only or item.step is None or item.step in request.only)
    ]
    if told:
        listener(Judged(findings=tuple(sorted(told, key=lambda item: item.sort_key))))


def _is_file(target: str) -> bool:
    """Names of pipelines have neither dots nor slashes."""
    return not target.startswith("arn:") and (target.endswith((".py", ".json")) or ".py:" in target or "/" in target)


def _opened(request: Start, listener: Listener) -> tuple[Definition, Project]:
    opened = open_one(request.target, request.environment)
    need_sound(opened.findings, listener, doing="start")
    return opened.pipelines[0].definition, opened.project


def need_same(connected: Connected, definition: Definition, source: str, suffix: str | None = None) -> None:
    """``source`` is where ``definition`` comes from. Raises Refusal where the account has something else."""
    ours = wanted(definition, connected.environment, suffix)
    present = describe(connected.account, ours.name)
    others = differing(present.state, ours) if present is not None else []
    if others:
        env = connected.environment.name
        raise Refusal(
            f"{ours.name} in {env} is not what {source} says: {', '.join(others)}; nothing was started",
            hint=f"upsert it first; `mlops start {ours.name} --env {env}` starts what is there",
        )
