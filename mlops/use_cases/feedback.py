"""What is declared to be done about alarms and violations, how each time went, and a person's word in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.account import Loops, answers, confirm_identity
from mlops.deploy.feedback.acts import acts
from mlops.deploy.feedback.beside_pipelines import with_declared
from mlops.deploy.feedback.deciding import next_stage, stages_of
from mlops.deploy.pages import items
from mlops.deploy.resources.feedback import PREFIX, declared_by
from mlops.deploy.shifting.settings import endpoint_of
from mlops.ir import ConfigurationError, Definition, Refusal, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.feedback import Loop
from mlops.ir.hiding import hide
from mlops.project.environments import LOCAL, Environment, read_project
from mlops.project.feedback import Feedback
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, Where, connect_here
from mlops.use_cases.sharing import shared


@dataclass(frozen=True, slots=True)
class Declared:
    """``last`` is the last time that it acted, or was to."""

    name: str
    feedback: Feedback
    stages: tuple[str, ...]
    last: Loop | None


def declared(connected: Connected) -> Mapping[str, Feedback]:
    """Of mlops.toml and of Python, by name: what was upserted in the local account, what the project's pipeline files
    declare for another. Raises ConfigurationError where both say one."""
    environment = connected.environment
    if connected.account.here is None:
        return with_declared(environment, _definitions(connected)).feedback
    found: dict[str, Feedback] = dict(environment.feedback)
    with answers():
        rules = list(items(connected.account.client("events"), "list_rules", "Rules", NamePrefix=PREFIX))
    for rule in rules:
        name = str(rule["Name"]).removeprefix(PREFIX)
        try:
            told = declared_by(rule)
            if told.pop("environment", None) != environment.name:
                continue
            told.pop("feedback", None)
            item = Feedback.model_validate(told)
        except ValueError:
            continue  # somebody else's rule
        if name in environment.feedback:
            raise ConfigurationError(
                f"the feedback {name} is declared in mlops.toml and in Python too",
                hint=f"`mlops destroy {name} --resources{environment.option}` removes what Python declared",
            )
        found[name] = item
    return found


def _definitions(connected: Connected) -> list[Definition]:
    folder = connected.root / read_project(connected.root).pipelines
    if not folder.is_dir():
        return []
    from mlops.check.sources import open_targets  # only where another account is asked about
    from mlops.check.target_files import pipeline_files

    files = [str(file) for file in pipeline_files(folder)]
    opened = open_targets(files, connected.environment.name, definitions=False, skip_others=True)
    return [checked.definition for checked in opened.pipelines]


def listed(environment: Where) -> tuple[Declared, ...]:
    connected = connect_here(environment)
    here = connected.account.here
    last: dict[str, Loop] = {}
    for loop in here.loops.read() if here is not None else _last_acts(connected):
        if loop.state != "watched":
            last[loop.feedback] = loop
    return tuple(
        Declared(
            name,
            feedback,
            stages_of(feedback, protected=is_protected(connected, feedback)),
            last.get(key_of(connected.environment, name)),
        )
        for name, feedback in sorted(declared(connected).items())
    )


def _last_acts(connected: Connected) -> Iterator[Loop]:
    """Of each that a machine does."""
    environment = connected.environment
    for name in declared(connected):
        for loop in acts(connected.account, environment, name, last=1):
            yield Loop(key_of(environment, name), loop.cause, loop.state, loop.created, loop.modified, loop.told)


def shown(environment: Where, name: str) -> tuple[Loop, ...]:
    """Each time, oldest first. Raises UsageError for one that is not declared and never acted."""
    connected = connect_here(environment)
    if connected.account.here is None:
        found = acts(connected.account, connected.environment, name)
        if not found:
            _need_declared(connected, name)
        return found
    found = tuple(
        loop for loop in need_loops(connected).read(key_of(connected.environment, name)) if loop.state != "watched"
    )
    if not found:
        _need_declared(connected, name)
    return found


def answer(
    environment: str,
    name: str,
    consent: Consent = NOBODY,
    *,
    cause: int | None = None,
    rejected: bool = False,
    reason: str | None = None,
    user: str | None = None,
) -> Loop:
    """A person's word where one is waited for: it goes on, or is over. Raises Refusal where nobody is."""
    connected = connect_here(environment, user=user)
    loops = need_loops(connected)
    key = key_of(connected.environment, name)
    waiting = [loop for loop in loops.read(key) if loop.asks and cause in (None, loop.cause)]
    if not waiting:
        _need_declared(connected, name)
        raise Refusal(f"the feedback {name} waits for nobody{'' if cause is None else f' about event {cause}'}")
    loop = waiting[-1]
    what = _asked(loop)
    need_consent(connected, f"{'refuse to ' if rejected else ''}{what}", consent)
    by = confirm_identity(connected.account, connected.environment).arn.rpartition("/")[2]
    stage = "rejected" if rejected else next_stage(loop.told["stages"], loop.state)
    said = {"by": by, **({"reason": hide(reason)} if reason else {}), "answer": "rejected" if rejected else "approved"}
    answers = [*loop.told.get("answers", ()), {**said, "asked": loop.state}]
    changed = loops.change(loop, stage, {"answers": answers}, ids_of(loop))
    if changed is None:
        raise Refusal(f"somebody else has answered about event {loop.cause} of {name}")
    return changed


def key_of(environment: Environment, name: str) -> str:
    """Under which the account keeps it: several environments may be of the local account."""
    return name if environment.name == LOCAL else f"{environment.name}/{name}"


def is_of(environment: Environment, key: str) -> bool:
    return key == key_of(environment, key.rpartition("/")[2])


def is_protected(connected: Connected, feedback: Feedback) -> bool:
    """Whether a person is asked before anything is changed: so the environment says, or another one of the account that
    has the endpoint too."""
    environment = connected.environment
    if environment.approval:
        return True
    promoted = None if feedback.group is None else endpoint_of(environment, feedback.group)
    endpoints = [name for name in (feedback.endpoint, promoted) if name is not None]
    return shared(connected, endpoints, feedback.group) is not None


def _asked(loop: Loop) -> str:
    why = f"because {loop.told['why']}"
    if loop.state == "ask-rollback":
        return f"take back the shift of {loop.told['endpoint']}'s traffic, {why}"
    if loop.state == "ask-start":
        return f"train {loop.told['pipeline']} anew, {why}"
    return f"promote version {loop.told.get('version')} of {loop.told['group']}, {why}"


def need_loops(connected: Connected) -> Loops:
    """Raises Refusal where the account keeps no journal."""
    if connected.account.here is None:
        name = connected.environment.name
        raise Refusal(
            f"feedback is run here by the local account, and {name} is another: there rules of EventBridge and state "
            "machines do it, which `mlops upsert` makes of what is declared",
            hint=f"`mlops plan --env {name}` shows them, `mlops feedback list --env {name}` what machines did",
        )
    return connected.account.here.loops


def _need_declared(connected: Connected, name: str) -> None:
    known = sorted(declared(connected))
    if name not in known:
        there = instead(name, known or ["none"], "it has")
        raise UsageError(f"{connected.environment.name} has no feedback {name!r}{there}")


def ids_of(loop: Loop) -> Mapping[str, str]:
    """By which the events of a loop are joined with others."""
    told = loop.told
    found = {
        name: str(told[name]) for name in ("alarm", "monitor", "pipeline", "endpoint") if told.get(name) is not None
    }
    if told.get("execution"):
        found["execution"] = str(told["execution"]).rpartition("/")[2]
    if told.get("version") is not None:
        found["model-package"] = f"{told['group']}/{told['version']}"
    return found


def as_dictionary(loop: Loop) -> Mapping[str, Any]:
    """For programs."""
    told = loop.told
    of_it = (
        "alarm",
        "monitor",
        "why",
        "signal",
        "at",
        "pipeline",
        "execution",
        "group",
        "version",
        "endpoint",
        "machine",
    )
    return {
        "feedback": loop.feedback,
        "cause": loop.cause,
        "state": loop.state,
        "ended": loop.ended,
        "created": loop.created,
        "modified": loop.modified,
        **{member: hide(told.get(member)) for member in (*of_it, "rollback", "verdict")},
        "parameters": [{"name": name, "value": hide(value)} for name, value in told.get("parameters", {}).items()],
        "answers": hide(told.get("answers", [])),
    }
