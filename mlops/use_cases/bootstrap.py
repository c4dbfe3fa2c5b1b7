"""What an environment begins with, declared from ``mlops.toml``: the bucket, the key, the role that jobs run as, and
the roles of CI. It is planned, made and emitted as what files declare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.account import Account, answers, confirm_identity
from mlops.check.lowering import lowered_resources
from mlops.check.programs import compile_program
from mlops.check.resources import check_resources
from mlops.check.sources import open_targets
from mlops.declare import resources
from mlops.declare.constructors import constructors
from mlops.declare.declaring import declaring
from mlops.deploy.declared.apply import Listener as Hears
from mlops.deploy.declared.plan import Plan
from mlops.deploy.declared.seeing import see_kept
from mlops.deploy.declared.wanting import RESOURCE, arn_of
from mlops.deploy.feedback.beside_pipelines import with_declared
from mlops.deploy.owners import state_of
from mlops.deploy.resources import resource_types
from mlops.emit.policies import bootstrapping
from mlops.emit.policies.statements import Policy
from mlops.emit.policies.trust import trust, trust_of_all
from mlops.ir import Checked, ConfigurationError, Listener, UsageError, Where
from mlops.ir.dataclass import dataclass
from mlops.ir.discovery import Found
from mlops.ir.surroundings import Surroundings
from mlops.ir.target import Beside, Language, Source
from mlops.project import lock
from mlops.project.environments import LOCAL, Environment, Project, place_of, read_project
from mlops.project.root import CONFIGURATION, LOCK, find_root
from mlops.project.surroundings import surroundings
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.beside import beside
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.declared_resources import apply_resources, plan_resources
from mlops.use_cases.emit import target_of
from mlops.use_cases.judging import need_sound
from mlops.use_cases.machines import surroundings_of
from mlops.use_cases.news import Said
from mlops.use_cases.owners import of_resources

if TYPE_CHECKING:
    from mlops.project.ci_identity import Ci

_ORIGIN = "bootstrap"
_NAME = 64
_PLAN, _UPSERT, _PROMOTE = "plan", "upsert", "promote"
_GITHUB, _GITHUB_AUDIENCE = "token.actions.githubusercontent.com", "sts.amazonaws.com"
_ALIAS = re.compile(r"(?:arn:[\w-]+:kms:[\w-]+:\d{12}:)?alias/(?!aws/)(.+)")


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What an environment begins with. ``targets`` are what its roles are to be allowed: the project's pipelines where
    there are none. ``force`` takes over what somebody else made or changed."""

    environment: str
    targets: tuple[str, ...] = ()
    force: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """``checked`` declares it, ``notes`` say what of it is somebody else's. ``variables`` are CI's by name."""

    checked: Checked
    project: Project
    environment: Environment
    notes: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    connected: Connected
    beginning: Beginning
    plan: Plan
    force: bool


def plan(request: Bootstrap, listener: Listener) -> Planned:
    """Nothing is written. Raises Refusal where a target has errors, UsageError for the local environment."""
    project = read_project(find_root(Path.cwd()))
    connected = connect_here(request.environment, project)
    beginning = begin(request, project, listener, theirs=_theirs(connected))
    (found,) = plan_resources((beginning.checked,), connected)
    state = state_of(connected.environment)
    found = found if state is None else of_resources(found, state)
    return Planned(connected, beginning, found, request.force)


def apply(planned: Planned, listener: Listener, consent: Consent = NOBODY) -> tuple[str, ...]:
    """What was done, in words. What was cut off is gone on with by the next. Raises Refusal where nobody said yes."""
    connected, found = planned.connected, planned.plan
    if found.actions:
        many = ", ".join(f"{change.type} {change.name}" for change in found.changes if change.action != "nothing")
        need_consent(connected, f"make or change {many}", consent, always=True)
    hears = Hears(
        done=lambda action: listener(Said(text=f"done: {action.label}")),
        say=lambda text: listener(Said(text=text)),
    )
    return apply_resources(found, connected, force=planned.force, listener=hears, sent=()).done


def emitted(request: Bootstrap, found: Found, listener: Listener) -> str:
    """It as an emit target writes it; no account is asked."""
    beginning = begin(request, read_project(find_root(Path.cwd())), listener)
    for note in beginning.notes:
        listener(Said(text=f"note: {note}"))
    writer = target_of(found)
    if not writer.of_resources:
        raise UsageError(f"{found.name} writes pipelines, and this is none", hint="--emit cloudformation")
    checked, environment, root = beginning.checked, beginning.environment, beginning.project.root
    chosen = writer.choice.values[0] if writer.choice is not None else None
    source = Source(
        checked,
        lambda: surroundings(environment),
        lambda: beside(checked, (checked,), environment, root),
        Language(compile_program, constructors),
        None,
        chosen,
    )
    return writer.write(source)


def begin(
    request: Bootstrap, project: Project, listener: Listener, *, theirs: frozenset[str] = frozenset()
) -> Beginning:
    """``theirs`` are identity providers that the account has from somebody else: it can have one of a name."""
    if request.environment == LOCAL:
        raise UsageError(
            "the local environment begins with nothing", hint="choose an environment of mlops.toml with --env"
        )
    environment = project.environment(request.environment)
    parts = _parts(request, project, listener)
    around = surroundings_of(environment, [checked.definition for checked, _ in parts], project.root)
    notes: list[str] = []
    with declaring() as declared:
        _storage(environment, notes)
        checked_parts = [checked for checked, _ in parts]
        resources.Role(
            _role_path(environment.role),
            trust=trust_of_all(around, checked_parts),
            policy=_document(bootstrapping.execution_policy(checked_parts, around), environment.role),
            description="What pipelines and their jobs run as",
        )
        _roles_of_jobs(around, checked_parts)
        variables = _roles_of_ci(environment, around, parts, theirs, notes) if environment.ci else {}
    if environment.ci is None:
        notes.append(f"no roles for CI: [env.{environment.name}.ci] of mlops.toml says whose they are")
    pinned = lock.read(project.root / LOCK)
    place = place_of(project.root, environment.name, "role") or Where(str(project.root / CONFIGURATION))
    for one in declared:
        one.where = place
    definition, found = lowered_resources(declared, project.root / _ORIGIN, environment, pinned, (project.root,))
    checked = check_resources(definition, findings=found)
    need_sound(checked.findings, listener, doing=_ORIGIN)
    return Beginning(checked, project, environment, tuple(notes), variables)


def _storage(environment: Environment, notes: list[str]) -> None:
    alias = _ALIAS.fullmatch(environment.kms_key or "")
    key = None
    if alias is not None:
        key = resources.Key(alias[1], description="What pipelines and their jobs write")
    elif environment.kms_key is not None:
        notes.append(f"the key {environment.kms_key} is used as it is: one that is named by an alias is made")
    else:
        notes.append(f"no key of your own: kms_key of [env.{environment.name}] may name one, as alias/NAME")
    if environment.is_local:
        notes.append("the local account has its bucket already")
    else:
        resources.Bucket(environment.bucket, kms_key=None if key is None else key.key_arn)


def _parts(request: Bootstrap, project: Project, listener: Listener) -> list[tuple[Checked, Beside]]:
    folder = project.root / project.pipelines
    targets = request.targets or ((str(folder),) if folder.is_dir() else ())
    if not targets:
        return []
    opened = open_targets(targets, request.environment, definitions=False, skip_others=not request.targets)
    need_sound(opened.findings, listener, doing=_ORIGIN)
    definitions = [each.definition for each in opened.pipelines]
    environment = with_declared(project.environment(request.environment), definitions)
    # What stands in a file beside a pipeline is a part of its own here.
    return [
        *((each, beside(each, (), environment, project.root)) for each in opened.pipelines),
        *((each, beside(each, (each,), environment, project.root)) for each in opened.resources),
    ]


def _roles_of_ci(
    environment: Environment,
    around: Surroundings,
    parts: Sequence[tuple[Checked, Beside]],
    theirs: frozenset[str],
    notes: list[str],
) -> Mapping[str, str]:
    ci = environment.ci
    assert ci is not None  # noqa: S101 - who calls has looked
    host, audience = (_GITHUB, _GITHUB_AUDIENCE) if ci.github else (ci.gitlab_host, f"https://{ci.gitlab_host}")
    if host in theirs:
        notes.append(f"the identity provider {host} was made by somebody else and is used as it is")
    else:
        resources.IdentityProvider(host, audiences=[audience])
    allowed = {
        _PLAN: bootstrapping.plan_policy(parts, around),
        _UPSERT: bootstrapping.upsert_policy(parts, around),
        _PROMOTE: bootstrapping.promote_policy(around),
    }
    variables: dict[str, str] = {}
    for what, policy in allowed.items():
        name = _role_of_ci(environment, what)
        arn = f"{environment.role.partition(':role/')[0]}:role/{name}"
        resources.Role(
            name,
            trust=bootstrapping.web_trust(host, audience, subjects(ci, what, environment.name), around),
            policy=_document(policy, arn),
            description=f"CI, to {what} in {environment.name}",
        )
        variables[f"MLOPS_{what.upper()}_ROLE_{re.sub(r'[^A-Z0-9]', '_', environment.name.upper())}"] = arn
    return variables


def subjects(ci: Ci, what: str, environment: str) -> Iterator[str]:
    """A change that nobody has looked at yet may plan, and nothing else."""
    if ci.github is not None:
        if what == _PLAN:
            yield f"repo:{ci.github}:pull_request"
            # Where somebody starts a promotion by hand.
            yield f"repo:{ci.github}:ref:refs/heads/{ci.branch}"
        else:
            yield f"repo:{ci.github}:environment:{environment}"
    else:
        yield f"project_path:{ci.gitlab}:ref_type:branch:ref:{'*' if what == _PLAN else ci.branch}"


def _roles_of_jobs(around: Surroundings, parts: Sequence[Checked]) -> None:
    """Each may what its own steps' jobs do."""
    for role in bootstrapping.roles_of_jobs(parts, around):
        resources.Role(
            _role_path(role),
            trust=trust(None, around, ()),
            policy=_document(bootstrapping.job_policy(role, parts, around), role),
            description="What jobs of some pipelines run as",
        )


def _role_path(role: str) -> str:
    return role.partition(":role/")[2].lstrip("/")


def _role_of_ci(environment: Environment, what: str) -> str:
    """Beside the pipelines' role, whose name begins it."""
    path, slash, name = _role_path(environment.role).rpartition("/")
    return f"{path}{slash}{name[: _NAME - len(what) - 1]}-{what}"


def _document(policy: Policy, role: str) -> dict[str, Any]:
    size = len(json.dumps(policy.document, separators=(",", ":")))
    if size > bootstrapping.ROLE_CHARACTERS:
        raise ConfigurationError(
            f"the policy of {role} has {size} characters, and a role takes {bootstrapping.ROLE_CHARACTERS}",
            hint="name fewer targets, and give the role what others need by `mlops emit iam-policy`",
        )
    return policy.document


def _theirs(connected: Connected) -> frozenset[str]:
    """Identity providers of the account that carry no tag of ours."""
    ci = connected.environment.ci
    if ci is None:
        return frozenset()
    host = _GITHUB if ci.github else ci.gitlab_host
    return frozenset({host}) if _is_theirs(connected.account, connected.environment, host) else frozenset()


def _is_theirs(account: Account, environment: Environment, host: str) -> bool:
    kind = resource_types()["identity-provider"]
    identity = confirm_identity(account, environment)
    assert kind.kept is not None  # noqa: S101 - it is declared by its own name
    with answers():
        seen = see_kept(account, kind, host, arn_of(kind.kept, environment, identity.account, host))
    return seen.properties is not None and RESOURCE not in seen.tags
