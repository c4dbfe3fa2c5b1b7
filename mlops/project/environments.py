"""``mlops.toml``: the environments that a pipeline is compiled for and deployed to."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from mlops.ir import ConfigurationError, Where
from mlops.ir.choices import instead, near
from mlops.ir.dataclass import dataclass
from mlops.ir.placeholders import LOCAL_ACCOUNT, LOCAL_BUCKET, LOCAL_ROLE
from mlops.ir.secrecy import is_secret
from mlops.project.check_settings import parse as parse_check_settings
from mlops.project.exact_types import AtLeast, Pattern, exact_fields
from mlops.project.house_policy import parse as parse_house_policy
from mlops.project.root import CONFIGURATION, STATE
from mlops.project.table_places import Place, unknown_key
from mlops.project.toml_places import line_of
from mlops.project.toml_places import mistake as _mistake
from mlops.project.written_channels import wrong_command, wrong_file

if TYPE_CHECKING:
    # Their checks need pydantic, which is loaded where an environment has any.
    from mlops.project.ci_identity import Ci
    from mlops.project.cost import Cost
    from mlops.project.feedback import Feedback
    from mlops.project.search import Search
    from mlops.project.starts import Name, Notify, Schedule, Trigger

T = TypeVar("T")

LOCAL = "local"
LOCAL_REGION = "us-east-1"
"""Image URIs need some region; this one has every framework image."""

TIME_LIMIT = 120
"""Seconds that a pipeline file may run while it is loaded, where nothing is said of it."""

CI_REQUIREMENTS = "requirements-ci.txt"
_TABLES = {
    "project": "[project]",
    "env": "[env.NAME]",
    "check": "[check]",
    "house": "[house]",
    "cards": "[cards.GROUP]",
}
_RESERVED = "defaults"
_INHERITS = "inherits"
_OURS = ("name", "state")
"""Fields of an environment that nobody writes."""
_OF_THE_LOCAL_ACCOUNT = {
    "functions": "functions are for the account inside .mlops/: in another one whoever owns a function deploys it",
    "datasets": "datasets are for the account inside .mlops/: in another one Athena and Redshift are asked",
    "account_in_steps": "account_in_steps is for the account inside .mlops/: in another one steps have a role's keys",
    "secrets": "secrets are for the account inside .mlops/: in another one Secrets Manager has their values",
}
_TERRAFORM = "terraform_state"
"""A file below the project's root, where it is no path of its own."""
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment, its defaults already merged in.

    ``parameters`` are pipeline parameters' defaults in this environment; ``instance`` is the instance type of steps
    that name none, ``max_instances`` the most of them that a job has. ``answers`` are what its account would say to a
    file that asks while it is composed: the reply's members by the question, e.g. ``ssm GetParameter /ml/role``.
    ``functions`` of the local account are the sources of Lambda functions by name, e.g. ``functions/score.py:handler``,
    ``datasets`` what stands for a database of Athena or Redshift: a folder of tables, or a file of rows, ``secrets``
    where the value of one is on this machine: ``$VARIABLE`` or ``file:PATH``, never the value. With
    ``account_in_steps`` what a step asks of AWS is answered by the local account, where none of it is by any.
    ``mlflow`` is a tracking URI, a SageMaker-managed server's ARN, or, for the local one, ``true``: the project's own
    SQLite file. ``state`` is the local account's folder, and None where the
    account is another one. ``parallelism`` is for pipelines that give
    none. ``approval``: whatever changes it asks before. ``assume_role`` is taken on for all calls.
    ``debugger``: its account still has SageMaker Debugger, which evaluates ``rules`` of trainings there.
    ``terraform_state`` is a file in which a state of Terraform says what that made there.
    ``promote`` says how models come to serve; who promotes reads it.
    """

    name: str
    account: Annotated[str, Pattern(r"^\d{12}$")] | None = None
    region: Annotated[str, Pattern(r"^[a-z]{2,4}(-[a-z]+)+-\d+$")]
    role: Annotated[str, Pattern(r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$")]
    bucket: Annotated[str, Pattern(r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")]
    prefix: Annotated[str, Pattern(r"^[^/].*[^/]$|^[^/]?$")] = "mlops"
    kms_key: str | None = None
    subnets: list[str] = field(default_factory=list)
    security_groups: list[str] = field(default_factory=list)
    network_isolation: bool | None = None
    traffic_encryption: bool | None = None
    instance: str | None = None
    max_instances: Annotated[int, AtLeast(1)] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str | int | float | bool] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    functions: dict[
        Annotated[str, Pattern(r"^[A-Za-z0-9_\-]{1,64}$")], Annotated[str, Pattern(r"^[^:]+\.py:[A-Za-z_]\w*$")]
    ] = field(default_factory=dict)
    datasets: dict[Annotated[str, Pattern(r"^[^\x00-\x1f]{1,255}$")], str] = field(default_factory=dict)
    secrets: dict[
        Annotated[str, Pattern(r"^[A-Za-z0-9/_+=.@\-]{1,512}$")], Annotated[str, Pattern(r"^(\$[A-Za-z_]\w*|file:.+)$")]
    ] = field(default_factory=dict)
    account_in_steps: bool = False
    parallelism: Annotated[int, AtLeast(1)] | None = None
    approval: bool = False
    schedules: dict[Name, Schedule] = field(default_factory=dict)
    triggers: dict[Name, Trigger] = field(default_factory=dict)
    feedback: dict[Name, Feedback] = field(default_factory=dict)
    notify: Notify | None = None
    search: Search | None = None
    cost: Cost | None = None
    ci: Ci | None = None
    profile: str | None = None
    assume_role: Annotated[str, Pattern(r"^arn:aws[a-z\-]*:iam::\d{12}:role/.+$")] | None = None
    endpoint_url: Annotated[str, Pattern(r"^https?://")] | None = None
    debugger: bool = False
    terraform_state: str | None = None
    mlflow: bool | Annotated[str, Pattern(r"^(arn:aws|https?://|sqlite:///).+$")] = False
    promote: dict[str, Any] = field(default_factory=dict)
    state: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether its account is the one inside .mlops/: of ``local``, and of what names that account."""
        return self.state is not None

    @property
    def account_id(self) -> str:
        """Its account, which its role names where the table does not."""
        return self.account or self.role.split(":")[4]

    @property
    def option(self) -> str:
        """What a command needs behind it to speak of this environment: nothing for the local one."""
        return "" if self.name == LOCAL else f" --env {self.name}"

    def uri(self, *parts: str) -> str:
        """An S3 URI below this environment's bucket and prefix."""
        return "/".join(("s3:/", self.bucket, *filter(None, (self.prefix,)), *parts))


_KEYS = frozenset(item.name for item in fields(Environment))


@dataclass(frozen=True, slots=True)
class ProjectTable:
    """``[project]``. ``time_limit`` is how many seconds a pipeline file may run while it is loaded.
    ``requirements_ci`` is a file of pinned requirements with hashes, from which generated workflows install mlops.
    ``chain`` are environments in the order in which models are promoted."""

    pipelines: str = "pipelines"
    time_limit: Annotated[int, AtLeast(1)] = TIME_LIMIT
    requirements_ci: str = CI_REQUIREMENTS
    chain: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Project:
    """A project's configuration; without an ``mlops.toml`` it has the local environment only."""

    root: Path
    environments: Mapping[str, Environment]
    pipelines: str = "pipelines"
    time_limit: int = TIME_LIMIT
    requirements_ci: str = CI_REQUIREMENTS
    chain: tuple[str, ...] = ()
    """Environments in the order in which models are promoted."""
    incomplete: Mapping[str, str] = field(default_factory=dict)
    """Environments that need variables which this process lacks, with what is to be told of it."""

    def before(self, name: str) -> str | None:
        """The environment that a model has to pass before that one; None without any."""
        place = self.chain.index(name) if name in self.chain else 0
        return self.chain[place - 1] if place else None

    def environment(self, name: str) -> Environment:
        if name in self.incomplete:
            raise ConfigurationError(self.incomplete[name], hint="set it, e.g. in the CI's settings")
        found = self.environments.get(name)
        if found is None:
            raise ConfigurationError(
                f"there is no environment {name!r}{instead(name, sorted(self.environments))}",
                hint=f"add [env.{name}] to {self.root / CONFIGURATION}",
            )
        return found


def read_project(root: Path) -> Project:
    """Raises ConfigurationError that names the file, the line where it is known, and every mistake in it."""
    file = root / CONFIGURATION
    if not file.is_file():
        return Project(root=root, environments={LOCAL: _local(root, {})})
    text = _text(file)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # tomllib tells the place in its text only.
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = place.group(1) if place else text.count("\n") + 1
        raise ConfigurationError(f"{file}:{line}: {error}") from None
    mistakes: list[str] = []
    for key in raw:
        if key not in _TABLES:
            known = ", ".join(_TABLES.values())
            guess = near(key, _TABLES)
            meant = f"; did you mean {guess!r}?" if guess is not None else ""
            mistakes.append(_mistake(file, text, (key,), f"{key!r} is not known here; known: {known}{meant}"))
    parse_check_settings(raw.get("check", {}), lambda path, said: mistakes.append(_mistake(file, text, path, said)))
    parse_house_policy(raw.get("house", {}), lambda path, said: mistakes.append(_mistake(file, text, path, said)))
    if "cards" in raw:
        from mlops.project.card_intent import parse as parse_cards  # few projects have any

        parse_cards(raw["cards"], lambda path, said: mistakes.append(_mistake(file, text, path, said)))
    table = _validated(ProjectTable, raw.get("project", {}), ("project",), file, text, mistakes)
    incomplete: dict[str, str] = {}
    environments = _environments(root, raw.get("env", {}), file, text, mistakes, incomplete)
    if table is not None:
        mistakes += _chain_mistakes(table.chain, raw.get("env", {}), file, text)
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    assert table is not None  # noqa: S101 - a mistake was recorded otherwise
    return Project(
        root=root,
        pipelines=table.pipelines,
        environments=environments,
        time_limit=table.time_limit,
        requirements_ci=table.requirements_ci,
        chain=tuple(table.chain),
        incomplete=incomplete,
    )


def _chain_mistakes(chain: list[str], tables: Any, file: Path, text: str) -> Iterator[str]:
    known = {LOCAL, *(tables if isinstance(tables, dict) else ())} - {_RESERVED}
    for place, name in enumerate(chain):
        if name not in known:
            said = f"chain: there is no environment {name!r}; there are: {', '.join(sorted(known))}"
        elif name in chain[:place]:
            said = f"chain: {name!r} stands there twice"
        else:
            continue
        yield _mistake(file, text, ("project", "chain"), said)


def origin(root: Path, environment: str, key: str) -> str:
    """Where an environment's value is written, e.g. ``mlops.toml:12``; "built in" where no file gives it."""
    place = place_of(root, environment, key)
    if place is None:
        return "built in"
    return f"{CONFIGURATION}:{place.line}" if place.line else CONFIGURATION


def place_of(root: Path, environment: str, key: str, inside: str | None = None) -> Where | None:
    """Where an environment's value is written, or the member ``inside`` of a table; None where no file gives it."""
    place = table_place(root, environment)
    for table, values in place.writers.items():
        value = values.get(key)
        if value is not None and (inside is None or inside in value):
            path = ("env", table, key) if inside is None else ("env", table, key, inside)
            return Where(str(place.file), line_of(place.text, path))
    return None


def table_place(root: Path, environment: str, *below: str) -> Place:
    """Where what stands in a table of an environment is written, for messages about it."""
    file = root / CONFIGURATION
    text = _text(file) if file.is_file() else ""
    tables = tomllib.loads(text).get("env", {})
    lineage = [environment]
    while (parent := tables.get(lineage[-1], {}).get(_INHERITS)) in tables and parent not in lineage:
        lineage.append(parent)
    return Place(file, text, {name: tables[name] for name in (*lineage, _RESERVED) if name in tables}, below)


def _environments(
    root: Path, raw: Any, file: Path, text: str, mistakes: list[str], incomplete: dict[str, str]
) -> dict[str, Environment]:
    wrong = [name for name, table in raw.items() if not isinstance(table, dict)] if isinstance(raw, dict) else [""]
    for name in wrong:
        at = ("env", name) if name else ("env",)
        mistakes.append(_mistake(file, text, at, f"{'.'.join(at)} has to be a table, [env.NAME]"))
    if wrong:
        return {}
    shared = raw.get(_RESERVED, {})
    environments = {LOCAL: _local(root, {})}
    for name, own in raw.items():
        if name == _RESERVED:
            for key in sorted(set(own) - _KEYS):
                known = {*_KEYS, _INHERITS} - {*_OURS}
                mistakes.append(_mistake(file, text, ("env", name, key), unknown_key(key, known, f"env.{name}")))
            continue
        merged = {key: value for key, value in shared.items() if key in _KEYS}
        lineage = _lineage(name, raw, file, text, mistakes)
        for ancestor in lineage:
            merged = _merged(merged, raw[ancestor])
        writers = {table: raw[table] for table in (*reversed(lineage), _RESERVED) if table in raw}
        for key in _OURS:
            if key in merged:
                mistakes.append(_mistake(file, text, ("env", name, key), f"{key!r} is not a key of an environment"))
                merged.pop(key)
        if name == LOCAL or (merged.get("account") == LOCAL_ACCOUNT and not merged.get("endpoint_url")):
            for key in ("account", "profile", "endpoint_url", "assume_role"):
                if key in own and own[key] != LOCAL_ACCOUNT:
                    message = f"the {name} environment has no {key}: it is the account inside .mlops/"
                    mistakes.append(_mistake(file, text, ("env", name, key), message))
                merged.pop(key, None)
            merged = _local_values(root) | merged
        else:
            for key, message in _OF_THE_LOCAL_ACCOUNT.items():
                if key in own:
                    mistakes.append(_mistake(file, text, ("env", name, key), message))
        if isinstance(merged.get(_TERRAFORM), str):
            merged[_TERRAFORM] = str(root / merged[_TERRAFORM])
        unset: list[str] = []
        filled = _filled(merged, (), Place(file, text, writers), mistakes, unset)
        if unset:
            # Only who uses this environment has to have its variables.
            incomplete[name] = "\n".join(unset)
            continue
        environment = _validated(Environment, {"name": name, **filled}, ("env", name), file, text, mistakes, writers)
        if environment is not None:
            environments[name] = environment
            if environment.notify is not None:
                told = _wrong_channels(environment.notify, root, Place(file, text, writers))
                mistakes.extend(sentence for sentence in told if sentence not in mistakes)
    if LOCAL not in raw and isinstance(shared, dict):
        usable = ("instance", "max_instances", "tags", "parameters")
        environments[LOCAL] = _local(root, {key: value for key, value in shared.items() if key in usable})
    return environments


def _wrong_channels(notify: Notify, root: Path, place: Place) -> Iterator[str]:
    """Of the table that says it, also where others inherit it."""
    for key, why in (
        ("file", None if notify.file is None else wrong_file(notify.file, root)),
        ("command", None if notify.command is None else wrong_command(notify.command)),
    ):
        if why is not None:
            path = place.path(("notify", key))
            yield _mistake(place.file, place.text, path, f"{'.'.join(path)}: {why}")


def _lineage(name: str, raw: Mapping[str, Any], file: Path, text: str, mistakes: list[str]) -> tuple[str, ...]:
    """An environment and those that it inherits from, the farthest first."""
    found = [name]
    while (parent := raw[found[-1]].get(_INHERITS)) is not None:
        at = ("env", found[-1], _INHERITS)
        if not isinstance(parent, str) or parent not in raw or parent in (_RESERVED, LOCAL):
            others = sorted(set(raw) - {_RESERVED, LOCAL, found[-1]})
            known = f"give another one of {', '.join(others)}" if others else "there is no other environment"
            mistakes.append(_mistake(file, text, at, f"inherits = {parent!r}: {known}"))
            break
        if parent in found:
            circle = " -> ".join((*found[found.index(parent) :], parent))
            mistakes.append(_mistake(file, text, at, f"environments inherit from each other: {circle}"))
            break
        found.append(parent)
    return tuple(reversed(found))


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in own.items():
        if key != _INHERITS:
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = {**merged[key], **value} if both else value
    return merged


def _filled(value: Any, at: tuple[str, ...], place: Place, mistakes: list[str], unset: list[str]) -> Any:
    """``${NAME}`` in a text replaced by the variable of this process. A secret is refused: whatever stands in an
    environment may end up in a definition."""
    match value:
        case dict():
            return {key: _filled(item, (*at, key), place, mistakes, unset) for key, item in value.items()}
        case list():
            return [_filled(item, at, place, mistakes, unset) for item in value]
        case str() if "${" in value:
            name = ".".join(place.path(at))

            def variable(found: re.Match[str]) -> str:
                wanted = found[1]
                if not re.fullmatch(r"\w+", wanted):
                    mistakes.append(place.told(at, f"{name}: {found[0]} names no variable; write ${{NAME}}"))
                elif wanted not in os.environ:
                    unset.append(place.told(at, f"{name}: the variable {wanted} is not set"))
                elif is_secret(wanted, os.environ[wanted]):
                    message = f"{name}: the variable {wanted} looks like a secret, which has no place here"
                    mistakes.append(place.told(at, message))
                else:
                    return os.environ[wanted]
                return ""

            return _VARIABLE.sub(variable, value)
    return value


def _local_values(root: Path) -> dict[str, Any]:
    return {
        "account": LOCAL_ACCOUNT,
        "region": LOCAL_REGION,
        "role": LOCAL_ROLE,
        "bucket": LOCAL_BUCKET,
        "state": root / STATE,
    }


def _local(root: Path, extra: Mapping[str, Any]) -> Environment:
    own = {"name": LOCAL, **_local_values(root)}
    # A mistake in what is added is reported where the table that holds it is validated.
    found = _validated(Environment, {**own, **extra}, (), root / CONFIGURATION, "", [])
    return found or Environment(**own)


def _validated(
    cls: type[T],
    raw: Any,
    at: tuple[str, ...],
    file: Path,
    text: str,
    mistakes: list[str],
    writers: Mapping[str, Mapping[str, Any]] | None = None,
) -> T | None:
    """``writers`` as of :class:`Place`; a mistake in what several environments take over is told once."""
    exact = exact_fields(cls, raw)
    if exact is not None:
        return cls(**exact)
    from mlops.project.written_tables import judged

    more = (_INHERITS,) if cls is Environment else ()
    place = Place(file, text, writers) if writers else None
    found, sentences = judged(cls, raw, at, file, text, place, more=more, hidden=_OURS)
    mistakes.extend(sentence for sentence in sentences if sentence not in mistakes)
    return None if found is None else cls(**found)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from None
